"""How an answer of the assistant reaches its client: as a stream or whole, and again if it is asked for again."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from anyio import CancelScope
from pydantic import TypeAdapter

from src.chat.schemas import ChatEvent, ChatReply, ConversationEvent, DoneEvent, ErrorEvent
from src.core.errors import INTERNAL_ERROR, ErrorCode, ProblemError, problem
from src.core.sse import wire

logger = logging.getLogger(__name__)

_EVENTS: TypeAdapter[list[ChatEvent]] = TypeAdapter(list[ChatEvent])


async def whole(events: AsyncGenerator[ChatEvent]) -> ChatReply:
    """The reply at the end of an answer. Raises ProblemError as the answer does."""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, DoneEvent):
                return event.data
    raise AssertionError("an answer ends with done or raises")


async def stream(events: AsyncGenerator[ChatEvent]) -> AsyncGenerator[bytes]:
    """The answer as Server-Sent Events; what it raises is the last of them."""
    try:
        async with aclosing(events):
            async for event in events:
                yield _wire(event)
    except ProblemError as error:
        yield _wire(ErrorEvent(data=problem(error.code, error.detail)))
    except Exception:
        # The status is long sent: this is the only way left to tell the client.
        logger.exception("unhandled error in a stream")
        yield _wire(ErrorEvent(data=problem(ErrorCode.INTERNAL_ERROR, INTERNAL_ERROR)))


def _wire(event: ChatEvent) -> bytes:
    return wire(event.event, event.data.model_dump_json())


async def remembered(
    events: AsyncGenerator[ChatEvent], keep: Callable[[str], Awaitable[None]]
) -> AsyncGenerator[ChatEvent]:
    """The same answer; its beginning and its end are kept, for `replayed`."""
    kept: list[ChatEvent] = []
    end: ChatEvent = ErrorEvent(
        data=problem(ErrorCode.ASSISTANT_INTERRUPTED, "The answer broke off. What was done is in the conversation.")
    )
    try:
        async with aclosing(events):
            async for event in events:
                if isinstance(event, ConversationEvent):
                    kept.append(event)
                elif isinstance(event, DoneEvent):
                    end = event
                yield event
    except ProblemError as error:
        end = ErrorEvent(data=problem(error.code, error.detail))
        raise
    finally:
        # Also when the client has gone: it may be back, and ask again.
        with CancelScope(shield=True):
            try:
                await keep(_EVENTS.dump_json([*kept, end]).decode())
            except ProblemError:
                logger.warning("an answer is not kept for its key")


async def replayed(kept: str) -> AsyncGenerator[ChatEvent]:
    """An answer that was kept. Raises ProblemError if it had ended so."""
    for event in _EVENTS.validate_json(kept):
        if isinstance(event, ErrorEvent):
            raise ProblemError(event.data.code, event.data.detail)
        yield event
