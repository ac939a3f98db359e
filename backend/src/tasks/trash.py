"""The trash: deleted tasks, for as long as their users may want them back."""

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import literal, select, tuple_, update
from sqlalchemy.types import DateTime, Uuid

from src.core.database import Executor
from src.core.pagination import decode_cursor, encode_cursor, invalid_cursor
from src.tasks.schemas import Task, TrashedTask, TrashPage
from src.tasks.service import TASK_COLUMNS, TASKS, get_task, has_room, too_many

LIFETIME = timedelta(days=30)

_SORT = "trash"


async def list_trash(database: Executor, user_id: uuid.UUID, limit: int, cursor: str | None) -> TrashPage:
    """A page of the trash, the latest first. Raises ProblemError(INVALID_CURSOR)."""
    statement = (
        select(*TASK_COLUMNS)
        .where(TASKS.c.user_id == user_id, TASKS.c.deleted_at.is_not(None))
        .order_by(TASKS.c.deleted_at.desc(), TASKS.c.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        keys = decode_cursor(cursor, _SORT, (str, str))
        try:
            deleted_at, last_id = datetime.fromisoformat(str(keys[0])).astimezone(UTC), uuid.UUID(str(keys[1]))
        except (ValueError, OverflowError):
            raise invalid_cursor() from None
        start = tuple_(literal(deleted_at, DateTime(timezone=True)), literal(last_id, Uuid()))
        statement = statement.where(tuple_(TASKS.c.deleted_at, TASKS.c.id) < start)
    found = (await database.execute(statement)).all()
    rows = found[:limit]
    more = len(found) > limit
    return TrashPage(
        items=[
            TrashedTask(**dict(Task.of(row)), deleted_at=row.deleted_at, purged_at=row.deleted_at + LIFETIME)
            for row in rows
        ],
        next_cursor=encode_cursor(_SORT, rows[-1].deleted_at.isoformat(), str(rows[-1].id)) if more else None,
    )


async def restore_task(database: Executor, user_id: uuid.UUID, task_id: uuid.UUID) -> Task:
    """Take a task out of the trash; one that is not in it stays as it is.

    Raises ProblemError(TASK_NOT_FOUND), for another user's task too, or ProblemError(TOO_MANY_TASKS).
    """
    trashed = (TASKS.c.id == task_id, TASKS.c.user_id == user_id, TASKS.c.deleted_at.is_not(None))
    statement = update(TASKS).where(*trashed, has_room(user_id)).values(deleted_at=None).returning(*TASK_COLUMNS)
    row = (await database.execute(statement)).one_or_none()
    if row is not None:
        return Task.of(row)
    if await database.scalar(select(TASKS.c.id).where(*trashed)) is not None:
        raise too_many()
    return await get_task(database, user_id, task_id)
