"""Routes of /api/chat."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, status
from fastapi.responses import StreamingResponse

from src.auth.dependencies import DetachedUserDep
from src.chat import confirmations, service, store
from src.chat.schemas import (
    ChatEvent,
    ChatReply,
    ChatRequest,
    ConfirmationOut,
    ConfirmationStatus,
    ConversationOut,
    ConversationPage,
    DoneEvent,
    ErrorEvent,
)
from src.core.dependencies import DatabaseDep, SettingsDep, TransactionDep
from src.core.errors import INTERNAL_ERROR, ErrorCode, ProblemError, problem, responses
from src.core.ratelimit import spend

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/api/chat", tags=["chat"], responses=responses(ErrorCode.NOT_AUTHENTICATED))

CONVERSATION = responses(ErrorCode.CONVERSATION_NOT_FOUND)
CONFIRMATION = responses(
    ErrorCode.CONFIRMATION_NOT_FOUND, ErrorCode.CONFIRMATION_RESOLVED, ErrorCode.CONFIRMATION_EXPIRED
)
CONFIRM = responses(
    ErrorCode.CONFIRMATION_NOT_FOUND,
    ErrorCode.TASK_NOT_FOUND,
    ErrorCode.CONFIRMATION_RESOLVED,
    ErrorCode.CONFIRMATION_OUTDATED,
    ErrorCode.CONFIRMATION_EXPIRED,
)


async def _limit(user: DetachedUserDep, database: DatabaseDep, settings: SettingsDep) -> None:
    await spend(database, f"chat:{user.id}", settings.rate_limit_chat)


@router.post(
    "",
    operation_id="chat",
    dependencies=[Depends(_limit)],
    response_model=ChatReply,
    responses={
        200: {
            "description": "A stream of `ChatEvent`s: `event:` is the name and `data:` the JSON of `data`. "
            "With `Accept: application/json` the whole answer at once.",
            "content": {"text/event-stream": {"schema": {"$ref": "#/components/schemas/ChatEvent"}}},
        },
        **responses(
            ErrorCode.CONVERSATION_NOT_FOUND,
            ErrorCode.RATE_LIMITED,
            ErrorCode.ASSISTANT_UNAVAILABLE,
            ErrorCode.ASSISTANT_INTERRUPTED,
            ErrorCode.ASSISTANT_TURN_LIMIT,
            ErrorCode.ASSISTANT_TIMEOUT,
        ),
    },
)
async def chat(
    request: Request,
    user: DetachedUserDep,
    database: DatabaseDep,
    body: ChatRequest,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Any:
    """Tell the assistant something.

    The stream begins with `conversation` and ends with `done` or `error`; the ASSISTANT_ errors come as status codes
    only with `Accept: application/json`. The assistant deletes nothing by itself: it sends `confirmation`.
    """
    state = request.app.state
    state.answers.add(asyncio.current_task())
    async with database.session() as session:
        opened = await store.open_conversation(session, user.id, body.conversation_id, body.message)
    events = service.answer(service.Chat(database, state.assistant, state.metrics, user.id), opened, body.timezone)
    if "application/json" in accept and "text/event-stream" not in accept:
        return await _whole(events)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(events), media_type="text/event-stream", headers=headers)


async def _whole(events: AsyncGenerator[ChatEvent]) -> ChatReply:
    async with aclosing(events):
        async for event in events:
            if isinstance(event, DoneEvent):
                return event.data
    raise AssertionError("an answer ends with done or raises")


async def _stream(events: AsyncGenerator[ChatEvent]) -> AsyncGenerator[bytes]:
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
    return f"event: {event.event}\ndata: {event.data.model_dump_json()}\n\n".encode()


@router.get(
    "/conversations",
    operation_id="listConversations",
    responses=responses(ErrorCode.VALIDATION_FAILED, ErrorCode.INVALID_CURSOR),
)
async def list_conversations(
    request: Request,
    user: DetachedUserDep,
    session: TransactionDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> ConversationPage:
    """The user's conversations, the latest first, and which assistant answers."""
    items, next_cursor = await store.list_conversations(session, user.id, limit, cursor)
    return ConversationPage(items=items, next_cursor=next_cursor, assistant=request.app.state.assistant.kind)


@router.get("/conversations/{conversation_id}", operation_id="getConversation", responses=CONVERSATION)
async def get_conversation(user: DetachedUserDep, session: TransactionDep, conversation_id: UUID) -> ConversationOut:
    """A conversation with its latest 500 messages and what became of its proposals."""
    return await store.read_conversation(session, user.id, conversation_id)


@router.delete(
    "/conversations/{conversation_id}",
    operation_id="deleteConversation",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=CONVERSATION,
)
async def delete_conversation(user: DetachedUserDep, session: TransactionDep, conversation_id: UUID) -> None:
    """Delete a conversation; the tasks stay."""
    await store.delete_conversation(session, user.id, conversation_id)


@router.post(
    "/confirmations/{confirmation_id}",
    operation_id="confirm",
    responses=CONFIRM,
)
async def confirm(user: DetachedUserDep, database: DatabaseDep, confirmation_id: UUID) -> ConfirmationOut:
    """Have done what the assistant proposed. Works once, for ten minutes.

    If the task has changed since, the proposal is renewed with what the task is now, and asked about once more.
    """
    async with database.session() as session:
        confirmation = await confirmations.confirm(session, user.id, confirmation_id)
    if confirmation.status is ConfirmationStatus.PENDING:
        raise ProblemError(
            ErrorCode.CONFIRMATION_OUTDATED,
            f"The task has changed since, and is “{confirmation.task_title}” now. Confirm once more.",
            current=confirmation,
        )
    return confirmation


@router.delete("/confirmations/{confirmation_id}", operation_id="cancelConfirmation", responses=CONFIRMATION)
async def cancel(user: DetachedUserDep, session: TransactionDep, confirmation_id: UUID) -> ConfirmationOut:
    """Drop what the assistant proposed."""
    return await confirmations.cancel(session, user.id, confirmation_id)
