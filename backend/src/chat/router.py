"""Routes of /api/chat."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response, status
from fastapi.responses import StreamingResponse

from src.auth.dependencies import WRITER, DetachedUserDep
from src.chat import confirmations, service, store, stream
from src.chat.schemas import (
    ChatReply,
    ChatRequest,
    ConfirmationOut,
    ConfirmationStatus,
    ConversationOut,
    ConversationPage,
)
from src.core.database import Database
from src.core.dependencies import DatabaseDep, SettingsDep, TransactionDep
from src.core.errors import ErrorCode, ProblemError, responses
from src.core.idempotency import NOT_REPEATED, Idempotency, IdempotencyDep, Kept
from src.core.ratelimit import spend
from src.core.sse import HEADERS, with_pings

router = APIRouter(prefix="/api/chat", tags=["chat"], responses=responses(*WRITER))

CLAIM = timedelta(seconds=service.REPLY_SECONDS + 30)
"""How long a message counts as being answered if nothing more is heard of it."""

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
            ErrorCode.VALIDATION_FAILED,
            *NOT_REPEATED,
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
    idempotency: IdempotencyDep,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Tell the assistant something.

    The stream begins with `conversation` and ends with `done` or `error`; the ASSISTANT_ errors come as status codes
    only with `Accept: application/json`. The assistant deletes nothing by itself: it sends `confirmation`.
    Asked again with the same `Idempotency-Key`, the stream has its first and last event only.
    """
    state = request.app.state
    state.answers.add(asyncio.current_task())
    async with database.session() as session:
        kept = await idempotency.claim(session, user.id, CLAIM)
        if kept is None:
            opened = await store.open_conversation(session, user.id, body.conversation_id, body.message)
    headers = {} if kept is None else {"Idempotency-Replayed": "true"}
    if kept is not None:
        events = stream.replayed(kept.body)
    else:
        chat = service.Chat(database, state.assistant, state.metrics, user.id)
        events = service.answer(chat, opened, body.timezone)
        if idempotency.key is not None:
            events = stream.remembered(events, partial(_keep, database, idempotency, user.id))
    if "application/json" in accept and "text/event-stream" not in accept:
        reply = await stream.whole(events)
        return Response(reply.model_dump_json(), headers=headers, media_type="application/json")
    chunks = with_pings(stream.stream(events))
    return StreamingResponse(chunks, media_type="text/event-stream", headers={**HEADERS, **headers})


async def _keep(database: Database, idempotency: Idempotency, user_id: UUID, body: str) -> None:
    async with database.session() as session:
        await idempotency.keep(session, user_id, Kept(body))


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


@router.get(
    "/conversations/{conversation_id}",
    operation_id="getConversation",
    responses={**CONVERSATION, **responses(ErrorCode.VALIDATION_FAILED, ErrorCode.INVALID_CURSOR)},
)
async def get_conversation(
    user: DetachedUserDep,
    session: TransactionDep,
    conversation_id: UUID,
    limit: Annotated[int, Query(ge=1, le=store.SHOWN_MESSAGES)] = store.SHOWN_MESSAGES,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
) -> ConversationOut:
    """A conversation with its latest messages and what became of its proposals.

    There are fewer messages than asked for where they are long: together at most a MiB, but at least one.
    """
    return await store.read_conversation(session, user.id, conversation_id, limit, cursor)


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
