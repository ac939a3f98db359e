"""The route of /api/events."""

import asyncio
import random
import uuid
from collections.abc import AsyncGenerator
from typing import Annotated, cast

from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from src.auth.dependencies import READER, DetachedUserDep
from src.core.database import Database
from src.core.dependencies import DatabaseDep
from src.core.errors import ErrorCode, ProblemError, responses
from src.core.sse import HEADERS, PING_SECONDS, wire
from src.events import log
from src.events.hub import Hub, Waiter
from src.events.schemas import ChangeKind, Ready, TaskChange

LIFETIME_SECONDS = 300.0
"""How long a stream lasts. Its client comes again by itself, and has to show anew that it is still logged in."""

RETRY_SECONDS = 1.0
"""When a stream looks again after the database could not be asked."""

_random = random.SystemRandom()

router = APIRouter(prefix="/api/events", tags=["events"], responses=responses(*READER))


@router.get(
    "",
    operation_id="events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "A stream of `Event`s: `event:` is the name, `data:` the JSON of `data`, `id:` what to send "
            "as `Last-Event-ID`.",
            "content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/Event"}}},
        },
        **responses(ErrorCode.TOO_MANY_STREAMS, ErrorCode.OVERLOADED, ErrorCode.VALIDATION_FAILED),
    },
)
async def events(
    request: Request,
    user: DetachedUserDep,
    database: DatabaseDep,
    last_event_id: Annotated[
        str | None,
        Header(
            pattern=r"^[0-9]{1,18}$",
            description="The `id` of the last event that was received: the stream goes on after it.",
        ),
    ] = None,
) -> StreamingResponse:
    """The user's changes, as they happen, in whichever window or by the assistant.

    A stream ends after five minutes, and when the server is replaced; clients come again, with `Last-Event-ID`.
    """
    hub = cast(Hub, request.app.state.hub)
    waiter = hub.join(user.id)
    begin = await log.start(database, user.id, None if last_event_id is None else int(last_event_id))
    stream = _stream(hub, waiter, database, user.id, begin)
    return StreamingResponse(stream, media_type="text/event-stream", headers=HEADERS)


async def _stream(
    hub: Hub, waiter: Waiter, database: Database, user_id: uuid.UUID, begin: log.Start
) -> AsyncGenerator[bytes]:
    loop = asyncio.get_running_loop()
    end = loop.time() + LIFETIME_SECONDS
    position = begin.position
    # All windows of a server that is replaced come again: not all at once.
    yield format_sse_event(retry=_random.randint(500, 2000))
    yield wire("ready", Ready(resumed=begin.resumed).model_dump_json(), position)
    while not hub.closing and (left := end - loop.time()) > 0:
        if not await waiter.wait(min(left, PING_SECONDS)):
            yield KEEPALIVE_COMMENT
            continue
        try:
            changes = await log.read(database, user_id, position)
        except ProblemError:
            # What happens meanwhile is in the log once the database is back.
            waiter.wake()
            await asyncio.sleep(RETRY_SECONDS)
            changes = []
        for change in changes:
            data = TaskChange(change=ChangeKind(change.kind), task_id=change.task_id, version=change.version)
            yield wire("task", data.model_dump_json(), change.id)
            position = change.id
        if len(changes) == log.BATCH:
            waiter.wake()
