"""Sort orders of task lists, and the cursors that continue them."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, literal, literal_column, tuple_
from sqlalchemy.types import DateTime, Uuid

from src.core.pagination import Key, decode_cursor, encode_cursor, invalid_cursor
from src.tasks.schemas import Sort


@dataclass(frozen=True)
class _Field:
    column: Callable[[Any, bool], ColumnElement[Any]]
    """What the database sorts by, made of a task's columns; the flag says whether in descending order."""
    key: Callable[[Row[Any]], Key]
    """What a cursor keeps of the last row of a page."""
    bind: Callable[[Any, bool], ColumnElement[Any]]
    """What the database compares `column` with to go on after that row."""
    kinds: tuple[type, ...] = (str,)


def _time(value: str) -> ColumnElement[Any]:
    return literal(datetime.fromisoformat(value).astimezone(UTC), DateTime(timezone=True))


def _text(value: str) -> ColumnElement[Any]:
    value.encode()  # raises ValueError for what JSON can hold and the database cannot
    return func.lower(literal(value.replace("\0", "")))


def _no_date(descending: bool) -> ColumnElement[Any]:
    # After every date, in whichever order they come. Written out, as in the index.
    return literal_column(f"'{'-' if descending else ''}infinity'::timestamptz", DateTime(timezone=True))


_FIELDS = {
    "created_at": _Field(
        column=lambda task, _: task.created_at,
        key=lambda row: row.created_at.isoformat(),
        bind=lambda value, _: _time(value),
    ),
    "due_at": _Field(
        column=lambda task, descending: func.coalesce(task.due_at, _no_date(descending)),
        key=lambda row: row.due_at.isoformat() if row.due_at else None,
        bind=lambda value, descending: _no_date(descending) if value is None else _time(value),
        kinds=(str, type(None)),
    ),
    "priority": _Field(
        column=lambda task, _: task.priority,
        key=lambda row: row.priority,
        bind=lambda value, _: literal(max(0, min(value, 9))),
        kinds=(int,),
    ),
    "title": _Field(
        column=lambda task, _: func.lower(task.title),
        key=lambda row: row.title,
        bind=lambda value, _: _text(value),
    ),
}


class Ordering:
    """One sort order. Between equals, when they were made decides; and then the id, so that the order is total."""

    def __init__(self, sort: Sort) -> None:
        """`sort` as in the query."""
        self._sort = sort
        self._descending = sort.startswith("-")
        names = dict.fromkeys((sort.removeprefix("-"), "created_at"))
        self._fields = [_FIELDS[name] for name in names]

    def _columns(self, task: Any) -> list[ColumnElement[Any]]:
        return [*(field.column(task, self._descending) for field in self._fields), task.id]

    def order_by(self, task: Any) -> list[ColumnElement[Any]]:
        """For ORDER BY; `task` has the columns of the table, or of what was found in it."""
        return [column.desc() if self._descending else column for column in self._columns(task)]

    def after(self, task: Any, cursor: str) -> ColumnElement[bool]:
        """The condition for rows after a cursor. Raises ProblemError(INVALID_CURSOR)."""
        *keys, last_id = decode_cursor(cursor, self._sort, [*(field.kinds for field in self._fields), (str,)])
        try:
            bound = [field.bind(key, self._descending) for field, key in zip(self._fields, keys, strict=True)]
            start = tuple_(*bound, literal(uuid.UUID(str(last_id)), Uuid()))
        except (ValueError, OverflowError):
            raise invalid_cursor() from None
        position = tuple_(*self._columns(task))
        return position < start if self._descending else position > start

    def cursor(self, row: Row[Any]) -> str:
        """A cursor for the rows after `row`."""
        return encode_cursor(self._sort, *(field.key(row) for field in self._fields), str(row.id))
