"""What can be done with tasks. REST and the assistant both call these functions."""

import re
import uuid
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Insert,
    Select,
    Table,
    and_,
    bindparam,
    func,
    insert,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError

from src.core.answers import etag
from src.core.database import Executor
from src.core.errors import ErrorCode, ProblemError
from src.tasks.models import TaskRow
from src.tasks.ordering import Ordering
from src.tasks.schemas import MAX_WORDS, Status, Task, TaskCreate, TaskPage, TaskQuery, TaskUpdate


class TaskChangedError(ProblemError):
    """A task is not the version that was to be changed."""

    def __init__(self, task: Task) -> None:
        """`task` as it is now."""
        super().__init__(
            ErrorCode.TASK_CHANGED, "The task has changed since.", current=task, headers={"ETag": etag(task.version)}
        )
        self.task = task


def not_found() -> ProblemError:
    """The error for a task that is not there, or is another user's."""
    return ProblemError(ErrorCode.TASK_NOT_FOUND, "There is no such task.")


# Every function is one statement on the table, without objects and the unit of work around it: that costs the least,
# and needs no transaction.
TASKS = cast(Table, TaskRow.__table__)

TASK_COLUMNS = [column for column in TASKS.c if column.computed is None]
"""What a task is made of."""

MAX_TASKS = 10_000
"""How many tasks a user may have. Requests at the same time may exceed it by as many as there are connections."""


def has_room(user_id: Any) -> ColumnElement[bool]:
    """Whether a user may have one more task."""
    # Of another name: it may stand in a statement on the same table.
    counted = TASKS.alias("counted")
    mine = select(counted.c.id).where(counted.c.user_id == user_id, counted.c.deleted_at.is_(None))
    return ~mine.offset(MAX_TASKS - 1).limit(1).exists()


def too_many() -> ProblemError:
    """The error for a user who has as many tasks as may be."""
    return ProblemError(
        ErrorCode.TOO_MANY_TASKS, f"There are {MAX_TASKS:,} tasks already, which is the limit. Delete some first."
    )


def _insert() -> Insert:
    names = (
        "id",
        "user_id",
        "title",
        "description",
        "priority",
        "tags",
        "due_at",
        "due_on",
        "due_zone",
        "completed_at",
    )
    new = [bindparam(name, type_=TASKS.c[name].type) for name in names]
    return insert(TASKS).from_select(names, select(*new).where(has_room(bindparam("user_id")))).returning(*TASK_COLUMNS)


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
        **new.due_columns(),
        "completed_at": datetime.now(UTC) if new.completed else None,
    }
    try:
        row = (await database.execute(_INSERT, values)).one_or_none()
    except IntegrityError:
        raise ProblemError(ErrorCode.NOT_AUTHENTICATED, "Log in first.") from None
    if row is None:
        raise too_many()
    return Task.of(row)


def _own(user_id: uuid.UUID, task_id: uuid.UUID) -> ColumnElement[bool]:
    return and_(TaskRow.id == task_id, TaskRow.user_id == user_id, TaskRow.deleted_at.is_(None))


async def get_task(database: Executor, user_id: uuid.UUID, task_id: uuid.UUID) -> Task:
    """One task. Raises ProblemError(TASK_NOT_FOUND), for another user's task too."""
    row = (await database.execute(select(*TASK_COLUMNS).where(_own(user_id, task_id)))).one_or_none()
    if row is None:
        raise not_found()
    return Task.of(row)


async def update_task(
    database: Executor,
    user_id: uuid.UUID,
    task_id: uuid.UUID,
    changes: TaskUpdate,
    versions: Collection[int] | None = None,
) -> Task:
    """Change a task, if it is one of these versions.

    Raises ProblemError(TASK_NOT_FOUND), for another user's task too, or TaskChangedError.
    """
    values: dict[str, Any] = changes.model_dump(exclude_unset=True, exclude={"priority", "completed"})
    if values.keys() & {"due_at", "due_on"}:
        values |= changes.due_columns()
    if changes.priority is not None:
        values["priority"] = changes.priority.rank
    if changes.completed is not None:
        # What is completed already keeps its time.
        values["completed_at"] = func.coalesce(TASKS.c.completed_at, func.now()) if changes.completed else None
    return await _change(database, user_id, task_id, values, versions)


async def delete_task(
    database: Executor, user_id: uuid.UUID, task_id: uuid.UUID, versions: Collection[int] | None = None
) -> Task:
    """Put a task into the trash, if it is one of these versions. Raises as `update_task` does."""
    return await _change(database, user_id, task_id, {"deleted_at": func.now()}, versions)


async def _change(
    database: Executor,
    user_id: uuid.UUID,
    task_id: uuid.UUID,
    values: dict[str, Any],
    versions: Collection[int] | None,
) -> Task:
    statement = update(TASKS).where(_own(user_id, task_id)).values(values).returning(*TASK_COLUMNS)
    if versions is not None:
        statement = statement.where(TASKS.c.version.in_(versions))
    row = (await database.execute(statement)).one_or_none()
    if row is not None:
        return Task.of(row)
    if versions is None:
        raise not_found()
    raise TaskChangedError(await get_task(database, user_id, task_id))


FEW = 1000
"""As many as can be sorted in no time."""


async def list_tasks(database: Executor, user_id: uuid.UUID, query: TaskQuery) -> TaskPage:
    """A page of tasks. Raises ProblemError(INVALID_CURSOR)."""
    where = _filters(user_id, query)
    ordering = Ordering(query.sort)
    first = query.cursor is None
    # To count costs as much as there is to count: once a list, not once a page, and no more than a user may have.
    counted = select(TASKS.c.id).where(*where).limit(MAX_TASKS).subquery()
    total = select(func.count()).select_from(counted).scalar_subquery() if first else null()
    if query.cursor is not None:
        where.append(ordering.after(TASKS.c, query.cursor))
    page = select(*TASK_COLUMNS, total.label("total")).where(*where).order_by(*ordering.order_by(TASKS.c))
    page = page.limit(query.limit + 1)
    found = (await database.execute(_by_number(page, where, ordering, query) if _narrows(query) else page)).all()
    rows = found[: query.limit]
    return TaskPage(
        items=[Task.of(row) for row in rows],
        next_cursor=ordering.cursor(rows[-1]) if len(found) > query.limit else None,
        total=(found[0].total if found else 0) if first else None,
    )


def _narrows(query: TaskQuery) -> bool:
    limits = (query.due_after, query.due_before, query.completed_after, query.completed_before)
    return bool(query.q or query.tag or query.priority or any(limits))


def _by_number(
    page: Select[Any], where: list[ColumnElement[bool]], ordering: Ordering, query: TaskQuery
) -> CompoundSelect[Any]:
    """The same page, in the way that suits how many are found.

    Few are best found and then sorted, many are best met in the order of the list: to meet few in it takes going
    through nearly all. The database guesses which it is, and guesses badly.
    """
    found = select(*TASK_COLUMNS).where(*where).limit(FEW + 1).cte("found")
    number = select(func.count()).select_from(found).scalar_subquery()
    few = select(*found.c, number.label("total")).where(number <= FEW).order_by(*ordering.order_by(found.c))
    return union_all(few.limit(query.limit + 1), page.where(number > FEW))


_LIKE_SPECIAL = re.compile(r"[%_\\]")
_ESCAPED = r"\\\g<0>"


def _filters(user_id: uuid.UUID, query: TaskQuery) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [TaskRow.user_id == user_id, TaskRow.deleted_at.is_(None)]
    if query.status is not None:
        is_open = TaskRow.completed_at.is_(None)
        where.append(is_open if query.status is Status.OPEN else ~is_open)
    if query.priority is not None:
        where.append(TaskRow.priority == query.priority.rank)
    if query.tag is not None:
        where.append(TaskRow.tags.contains([query.tag]))
    # A day is no instant: it counts as the day that the limit is where the question is asked.
    timed = TaskRow.due_on.is_(None)
    if query.due_after is not None:
        where.append(or_(and_(timed, TaskRow.due_at >= query.due_after), TaskRow.due_on >= query.due_after.date()))
    if query.due_before is not None:
        where.append(or_(and_(timed, TaskRow.due_at < query.due_before), TaskRow.due_on < query.due_before.date()))
    if query.completed_after is not None:
        where.append(TaskRow.completed_at >= query.completed_after)
    if query.completed_before is not None:
        where.append(TaskRow.completed_at < query.completed_before)
    for word in list(dict.fromkeys((query.q or "").split()))[:MAX_WORDS]:
        where.append(TaskRow.words.like(func.lower(f"%{_LIKE_SPECIAL.sub(_ESCAPED, word)}%")))
    return where
