"""Server-Sent Events: what they look like, and that a stream is never silent for long."""

import asyncio
from collections.abc import AsyncGenerator

from anyio import CancelScope
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

PING_SECONDS = 15.0
"""What stands between closes connections on which nothing was sent for 20 or 30 seconds."""

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def wire(event: str, data: str, event_id: int | None = None) -> bytes:
    """An event as it is sent; `data` is JSON."""
    return format_sse_event(event=event, data_str=data, id=None if event_id is None else str(event_id))


async def with_pings(chunks: AsyncGenerator[bytes], seconds: float | None = None) -> AsyncGenerator[bytes]:
    """The same stream, with a comment whenever nothing has come for `seconds`."""
    seconds = PING_SECONDS if seconds is None else seconds
    step: asyncio.Task[bytes | None] | None = None
    try:
        while True:
            step = asyncio.ensure_future(_next(chunks))
            while not (await asyncio.wait({step}, timeout=seconds))[0]:
                yield KEEPALIVE_COMMENT
            if (chunk := step.result()) is None:
                return
            yield chunk
    finally:
        # Whoever stops reading stops what is read, and waits for it to clean up.
        with CancelScope(shield=True):
            if step is not None and not step.done():
                step.cancel()
                await asyncio.wait({step})
            await chunks.aclose()


async def _next(chunks: AsyncGenerator[bytes]) -> bytes | None:
    return await anext(chunks, None)
