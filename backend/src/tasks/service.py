"""What can be done with tasks. REST and the assistant both call these functions."""

import uuid
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Insert, Table, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from src.core.database import Executor
from src.core.errors import ErrorCode, ProblemError
from src.tasks.models import TaskRow
from src.tasks.ordering import Ordering
from src.tasks.schemas import MAX_WORDS, Status, Task, TaskCreate, TaskPage, TaskQuery, TaskUpdate


def _not_found() -> ProblemError:
    return ProblemError(ErrorCode.TASK_NOT_FOUND, "There is no such task.")


# Every function is one statement on the table, without objects and the unit of work around it: that costs the least,
# and needs no transaction.
_TASKS = cast(Table, TaskRow.__table__)

MAX_TASKS = 10_000
"""How many tasks a user may have. Requests at the same time may exceed it by as many as there are connections."""


def _insert() -> Insert:
    new = [bindparam(column.name, type_=column.type) for column in _TASKS.c if column.server_default is None]
    last_one = select(_TASKS.c.id).where(_TASKS.c.user_id == bindparam("user_id")).offset(MAX_TASKS - 1).limit(1)
    rows = select(*new).where(~last_one.exists())
    return insert(_TASKS).from_select([column.key for column in new], rows).returning(_TASKS)


_INSERT = _insert()


async def create_task(database: Executor, user_id: uuid.UUID, new: TaskCreate) -> Task:
    """Store a new task.

    Raises ProblemError(TOO_MANY_TASKS), or ProblemError(NOT_AUTHENTICATED) if the account has just been deleted.
    """
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
        row = (await database.execute(_INSERT, values)).one_or_none()
    except IntegrityError:
        raise ProblemError(ErrorCode.NOT_AUTHENTICATED, "Log in first.") from None
    if row is None:
        raise ProblemError(
            ErrorCode.TOO_MANY_TASKS, f"There are {MAX_TASKS:,} tasks already, which is the limit. Delete some first."
        )
    return Task.of(row)


def _own(user_id: uuid.UUID, task_id: uuid.UUID) -> ColumnElement[bool]:
    return and_(TaskRow.id == task_id, TaskRow.user_id == user_id)


async def get_task(database: Executor, user_id: uuid.UUID, task_id: uuid.UUID) -> Task:
    """One task. Raises ProblemError(TASK_NOT_FOUND), for another user's task too."""
    row = (await database.execute(select(_TASKS).where(_own(user_id, task_id)))).one_or_none()
    if row is None:
        raise _not_found()
    return Task.of(row)


async def update_task(database: Executor, user_id: uuid.UUID, task_id: uuid.UUID, changes: TaskUpdate) -> Task:
    """Change a task. Raises ProblemError(TASK_NOT_FOUND), for another user's task too."""
    values: dict[str, Any] = changes.model_dump(exclude_unset=True, exclude={"priority", "completed"})
    if changes.priority is not None:
        values["priority"] = changes.priority.rank
    if changes.completed is not None:
        # What is completed already keeps its time.
        values["completed_at"] = func.coalesce(_TASKS.c.completed_at, func.now()) if changes.completed else None
    statement = update(_TASKS).where(_own(user_id, task_id)).values(values).returning(_TASKS)
    row = (await database.execute(statement)).one_or_none()
    if row is None:
        raise _not_found()
    return Task.of(row)


async def delete_task(database: Executor, user_id: uuid.UUID, task_id: uuid.UUID) -> None:
    """Delete a task. Raises ProblemError(TASK_NOT_FOUND), for another user's task too."""
    statement = delete(_TASKS).where(_own(user_id, task_id)).returning(_TASKS.c.id)
    if await database.scalar(statement) is None:
        raise _not_found()


async def list_tasks(database: Executor, user_id: uuid.UUID, query: TaskQuery) -> TaskPage:
    """A page of tasks. Raises ProblemError(INVALID_CURSOR)."""
    where = _filters(user_id, query)
    ordering = Ordering(query.sort)
    page = select(_TASKS).where(*where).order_by(*ordering.order_by()).limit(query.limit + 1)
    first = query.cursor is None
    if query.cursor is not None:
        page = page.where(ordering.after(query.cursor))
    else:
        # In the same round trip. To count costs as much as there is to count: once a list, not once a page.
        count = select(func.count()).select_from(_TASKS).where(*where)
        page = page.add_columns(count.scalar_subquery().label("total"))
    found = (await database.execute(page)).all()
    rows = found[: query.limit]
    return TaskPage(
        items=[Task.of(row) for row in rows],
        next_cursor=ordering.cursor(rows[-1]) if len(found) > query.limit else None,
        total=(found[0].total if found else 0) if first else None,
    )


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
    for word in list(dict.fromkeys((query.q or "").split()))[:MAX_WORDS]:
        where.append(
            or_(TaskRow.title.icontains(word, autoescape=True), TaskRow.description.icontains(word, autoescape=True))
        )
    return where
