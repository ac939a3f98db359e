"""Conversations in the database."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Text, cast, func, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import DateTime, Uuid

from src.chat.assistant import AssistantTurn, Turn, UserTurn
from src.chat.confirmations import confirmation_out
from src.chat.models import Confirmation, Conversation, Message
from src.chat.schemas import ChatMessage, ConversationOut, ConversationSummary, Role
from src.core.errors import ErrorCode, ProblemError
from src.core.pagination import decode_cursor, encode_cursor, invalid_cursor

HISTORY_MESSAGES = 40
"""How many of the latest messages the assistant gets to see."""

SHOWN_MESSAGES = 500
SHOWN_BYTES = 1024 * 1024
"""How much of a conversation is shown at once: tasks that an answer lists come with it."""

_SORT = "conversations"
_MESSAGES = "messages"


@dataclass(frozen=True)
class Opened:
    """A conversation with the user's new message in it."""

    id: uuid.UUID
    title: str
    history: list[Turn]


async def open_conversation(
    session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID | None, text: str
) -> Opened:
    """Add the user's message to a conversation, or to a new one. Raises ProblemError(CONVERSATION_NOT_FOUND)."""
    if conversation_id is None:
        conversation = Conversation(user_id=user_id, title=" ".join(text.split())[:80])
        session.add(conversation)
        await session.flush()
    else:
        conversation = await _get(session, user_id, conversation_id)
        await session.execute(
            update(Conversation).where(Conversation.id == conversation_id).values(updated_at=func.now())
        )
    latest = await session.scalars(
        select(Message)
        .where(Message.conversation_id == conversation.id)
        .order_by(Message.id.desc())
        .limit(HISTORY_MESSAGES)
    )
    history = [_turn(message) for message in reversed(latest.all())]
    session.add(Message(conversation_id=conversation.id, role=Role.USER, content=text, tool_calls=[]))
    await session.flush()
    return Opened(conversation.id, conversation.title, [*history, UserTurn(text)])


async def add_turn(session: AsyncSession, conversation_id: uuid.UUID, turn: AssistantTurn) -> list[ChatMessage]:
    """Store a turn of the assistant; nothing if the conversation has been deleted in the meantime."""
    exists = select(Conversation.id).where(Conversation.id == conversation_id).with_for_update(key_share=True)
    if await session.scalar(exists) is None:
        return []
    message = Message(
        conversation_id=conversation_id,
        role=Role.ASSISTANT,
        content=turn.text,
        tool_calls=[call.model_dump(mode="json") for call in turn.calls],
    )
    session.add(message)
    await session.flush()
    return [message_out(message)]


async def list_conversations(
    session: AsyncSession, user_id: uuid.UUID, limit: int, cursor: str | None
) -> tuple[list[ConversationSummary], str | None]:
    """A page of the user's conversations, the latest first, and the next page's cursor.

    Raises ProblemError(INVALID_CURSOR).
    """
    statement = (
        select(Conversation)
        .where(Conversation.user_id == user_id)
        .order_by(Conversation.updated_at.desc(), Conversation.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        keys = decode_cursor(cursor, _SORT, (str, str))
        try:
            updated_at, last_id = datetime.fromisoformat(str(keys[0])).astimezone(UTC), uuid.UUID(str(keys[1]))
        except (ValueError, OverflowError):
            raise invalid_cursor() from None
        start = tuple_(literal(updated_at, DateTime(timezone=True)), literal(last_id, Uuid()))
        statement = statement.where(tuple_(Conversation.updated_at, Conversation.id) < start)
    rows = (await session.scalars(statement)).all()
    page = rows[:limit]
    more = len(rows) > limit
    next_cursor = encode_cursor(_SORT, page[-1].updated_at.isoformat(), str(page[-1].id)) if more else None
    return [summary_out(row) for row in page], next_cursor


async def _page(
    session: AsyncSession, conversation_id: uuid.UUID, limit: int, cursor: str | None
) -> tuple[list[Message], str | None]:
    where = [Message.conversation_id == conversation_id]
    if cursor is not None:
        (before,) = decode_cursor(cursor, _MESSAGES, (int,))
        where.append(Message.id < min(max(int(before or 0), 0), 2**63 - 1))
    size = func.octet_length(Message.content) + func.octet_length(cast(Message.tool_calls, Text))
    sizes = (
        await session.execute(select(Message.id, size).where(*where).order_by(Message.id.desc()).limit(limit + 1))
    ).all()
    taken, left = 0, SHOWN_BYTES
    # At least one, however large.
    while taken < min(limit, len(sizes)) and (taken == 0 or sizes[taken][1] <= left):
        left -= sizes[taken][1]
        taken += 1
    if taken == 0:
        return [], None
    first = sizes[taken - 1][0]
    messages = await session.scalars(select(Message).where(*where, Message.id >= first).order_by(Message.id))
    return list(messages), encode_cursor(_MESSAGES, first) if taken < len(sizes) else None


async def read_conversation(
    session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID, limit: int, cursor: str | None
) -> ConversationOut:
    """A conversation with its latest messages, or those before a cursor.

    Raises ProblemError: CONVERSATION_NOT_FOUND, for another user's too, or INVALID_CURSOR.
    """
    conversation = await _get(session, user_id, conversation_id)
    messages, next_cursor = await _page(session, conversation_id, limit, cursor)
    confirmations = await session.scalars(
        select(Confirmation)
        .where(Confirmation.conversation_id == conversation_id)
        .order_by(Confirmation.expires_at.desc())
        .limit(SHOWN_MESSAGES)
    )
    return ConversationOut(
        **summary_out(conversation).model_dump(),
        messages=[message_out(message) for message in messages],
        next_cursor=next_cursor,
        confirmations=[confirmation_out(row) for row in reversed(confirmations.all())],
    )


async def delete_conversation(session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID) -> None:
    """Delete a conversation. Raises ProblemError(CONVERSATION_NOT_FOUND), for another user's too."""
    await session.delete(await _get(session, user_id, conversation_id))


async def _get(session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID) -> Conversation:
    statement = select(Conversation).where(Conversation.id == conversation_id, Conversation.user_id == user_id)
    conversation = await session.scalar(statement)
    if conversation is None:
        raise ProblemError(ErrorCode.CONVERSATION_NOT_FOUND, "There is no such conversation.")
    return conversation


def summary_out(row: Conversation) -> ConversationSummary:
    """A conversation as lists show it."""
    return ConversationSummary(id=row.id, title=row.title, created_at=row.created_at, updated_at=row.updated_at)


def message_out(row: Message) -> ChatMessage:
    """A message as clients see it."""
    return ChatMessage(
        id=row.id, role=Role(row.role), content=row.content, tool_calls=row.tool_calls, created_at=row.created_at
    )


def _turn(row: Message) -> Turn:
    message = message_out(row)
    if message.role is Role.USER:
        return UserTurn(message.content)
    return AssistantTurn(message.content, message.tool_calls)
