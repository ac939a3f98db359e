"""What can be done with tasks. REST and the assistant both call these functions."""

import uuid
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, delete, func, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from src.core.errors import ErrorCode, ProblemError
from src.tasks.models import TaskRow
from src.tasks.ordering import Ordering
from src.tasks.schemas import Priority, Status, Task, TaskCreate, TaskPage, TaskQuery, TaskUpdate


def _not_found() -> ProblemError:
    return ProblemError(ErrorCode.TASK_NOT_FOUND, "There is no such task.")


# Built once, and without the unit of work around it: this is what is done most, beside listing.
_INSERT = insert(TaskRow.__table__).returning(*TaskRow.__table__.columns)  # type: ignore[arg-type]


async def create_task(session: AsyncSession, user_id: uuid.UUID, new: TaskCreate) -> Task:
    """Store a new task. Raises ProblemError(NOT_AUTHENTICATED) if the account has just been deleted."""
    values = {
        "id": uuid.uuid4(),
        "user_id": user_id,
        "title": new.title,
        "description": new.description,
        "priority": new.priority.rank,
        "tags": new.tags,
        "due_at": new.due_at,
        "completed_at": datetime.now(UTC) if new.completed else None,
    }
    try:
        inserted = await session.execute(_INSERT, values)
    except IntegrityError:
        raise ProblemError(ErrorCode.NOT_AUTHENTICATED, "Log in first.") from None
    return Task.of(inserted.one())


async def _get_row(session: AsyncSession, user_id: uuid.UUID, task_id: uuid.UUID, *, lock: bool) -> TaskRow:
    statement = select(TaskRow).where(TaskRow.id == task_id, TaskRow.user_id == user_id)
    row = await session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        raise _not_found()
    return row


async def get_task(session: AsyncSession, user_id: uuid.UUID, task_id: uuid.UUID) -> Task:
    """One task. Raises ProblemError(TASK_NOT_FOUND), for another user's task too."""
    return Task.of(await _get_row(session, user_id, task_id, lock=False))


async def update_task(session: AsyncSession, user_id: uuid.UUID, task_id: uuid.UUID, changes: TaskUpdate) -> Task:
    """Change a task. Raises ProblemError(TASK_NOT_FOUND), for another user's task too."""
    row = await _get_row(session, user_id, task_id, lock=True)
    given = changes.model_dump(exclude_unset=True)
    if "completed" in given and given.pop("completed") != (row.completed_at is not None):
        row.completed_at = None if row.completed_at else datetime.now(UTC)
    if "priority" in given:
        row.priority = Priority(given.pop("priority")).rank
    for name, value in given.items():
        if name != "completed":
            setattr(row, name, value)
    await session.flush()
    return Task.of(row)


async def delete_task(session: AsyncSession, user_id: uuid.UUID, task_id: uuid.UUID) -> None:
    """Delete a task. Raises ProblemError(TASK_NOT_FOUND), for another user's task too."""
    statement = delete(TaskRow).where(TaskRow.id == task_id, TaskRow.user_id == user_id).returning(TaskRow.id)
    if await session.scalar(statement) is None:
        raise _not_found()


async def list_tasks(session: AsyncSession, user_id: uuid.UUID, query: TaskQuery) -> TaskPage:
    """A page of tasks. Raises ProblemError(INVALID_CURSOR)."""
    where = _filters(user_id, query)
    ordering = Ordering(query.sort)
    count = select(func.count()).select_from(TaskRow).where(*where)
    # Columns instead of objects, and the total in the same round trip: this is what is asked for most.
    page = (
        select(TaskRow.__table__, count.scalar_subquery().label("total"))
        .where(*where)
        .order_by(*ordering.order_by())
        .limit(query.limit + 1)
    )
    if query.cursor is not None:
        page = page.where(ordering.after(query.cursor))
    found = (await session.execute(page)).all()
    if not found:
        # Nothing after the cursor; without one, nothing at all.
        total = await session.scalar(count) if query.cursor is not None else 0
        return TaskPage(items=[], next_cursor=None, total=total or 0)
    rows = found[: query.limit]
    next_cursor = ordering.cursor(rows[-1]) if len(found) > query.limit else None
    return TaskPage(items=[Task.of(row) for row in rows], next_cursor=next_cursor, total=found[0].total)


def _filters(user_id: uuid.UUID, query: TaskQuery) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [TaskRow.user_id == user_id]
    if query.status is not None:
        is_open = TaskRow.completed_at.is_(None)
        where.append(is_open if query.status is Status.OPEN else ~is_open)
    if query.priority is not None:
        where.append(TaskRow.priority == query.priority.rank)
    if query.tag is not None:
        where.append(TaskRow.tags.contains([query.tag]))
    if query.due_after is not None:
        where.append(TaskRow.due_at >= query.due_after)
    if query.due_before is not None:
        where.append(TaskRow.due_at < query.due_before)
    for word in (query.q or "").split():
        where.append(
            or_(TaskRow.title.icontains(word, autoescape=True), TaskRow.description.icontains(word, autoescape=True))
        )
    return where
