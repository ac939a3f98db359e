"""Imports: what is there already is left alone, so that one that broke off can be repeated."""

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_skip
from sqlalchemy.ext.asyncio import AsyncSession

from src.chat.models import Conversation, Message
from src.core.database import Database
from src.tasks.service import MAX_TASKS, TASKS, too_many
from src.transfer.schemas import Counts, ImportConversation, ImportFile, ImportResult, ImportTask

BATCH = 200


def _id(user_id: uuid.UUID, exported: uuid.UUID) -> uuid.UUID:
    """The id that an imported thing gets: another user may have one by its own, and nobody is to learn that."""
    return uuid.uuid5(user_id, str(exported))


async def take(database: Database, user_id: uuid.UUID, file: ImportFile) -> ImportResult:
    """Add what an export has and the user has not. Raises ProblemError(TOO_MANY_TASKS)."""
    open_tasks = sum(task.deleted_at is None for task in file.tasks)
    mine = select(func.count()).where(TASKS.c.user_id == user_id, TASKS.c.deleted_at.is_(None))
    async with database.connection() as connection:
        if open_tasks and (await connection.scalar(mine) or 0) + open_tasks > MAX_TASKS:
            raise too_many()
    added = 0
    for start in range(0, len(file.tasks), BATCH):
        batch = file.tasks[start : start + BATCH]
        async with database.session() as session:
            added += await _tasks(session, user_id, batch)
    talks = 0
    for conversation in file.conversations:
        async with database.session() as session:
            talks += await _conversation(session, user_id, conversation)
    return ImportResult(
        tasks=Counts(added=added, skipped=len(file.tasks) - added),
        conversations=Counts(added=talks, skipped=len(file.conversations) - talks),
    )


def _row(user_id: uuid.UUID, task: ImportTask) -> dict[str, Any]:
    completed_at = task.completed_at or (datetime.now(UTC) if task.completed else None)
    return {
        "id": _id(user_id, task.id),
        "user_id": user_id,
        "title": task.title,
        "description": task.description,
        "priority": task.priority.rank,
        "tags": task.tags,
        **task.due_columns(),
        "completed_at": completed_at,
        "created_at": task.created_at,
        "deleted_at": task.deleted_at,
    }


async def _tasks(session: AsyncSession, user_id: uuid.UUID, tasks: list[ImportTask]) -> int:
    own = select(TASKS.c.id).where(TASKS.c.user_id == user_id, TASKS.c.id.in_([task.id for task in tasks]))
    there = set(await session.scalars(own))
    rows = [_row(user_id, task) for task in tasks if task.id not in there]
    if not rows:
        return 0
    new = insert_or_skip(TASKS).on_conflict_do_nothing(index_elements=["id"]).returning(TASKS.c.id)
    return len((await session.execute(new, rows)).all())


async def _conversation(session: AsyncSession, user_id: uuid.UUID, given: ImportConversation) -> bool:
    own = select(Conversation.id).where(Conversation.user_id == user_id, Conversation.id == given.id)
    if await session.scalar(own) is not None:
        return False
    values = {"title": given.title, "created_at": given.created_at, "updated_at": given.updated_at}
    new = insert_or_skip(Conversation).values(id=_id(user_id, given.id), user_id=user_id, **values)
    new_id = await session.scalar(new.on_conflict_do_nothing(index_elements=["id"]).returning(Conversation.id))
    if new_id is None:
        return False
    rows = [
        {
            "conversation_id": new_id,
            "role": message.role,
            "content": message.content,
            "tool_calls": message.stored_calls(),
            "created_at": message.created_at,
        }
        for message in given.messages
    ]
    if rows:
        await session.execute(insert(Message), rows)
    return True
