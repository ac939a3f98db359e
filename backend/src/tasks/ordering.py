"""Sort orders of task lists, and the cursors that continue them."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, literal, tuple_
from sqlalchemy.types import DateTime, Uuid

from src.core.pagination import Key, decode_cursor, encode_cursor, invalid_cursor
from src.tasks.models import TaskRow
from src.tasks.schemas import Sort


@dataclass(frozen=True)
class _Field:
    column: Callable[[bool], ColumnElement[Any]]
    """What the database sorts by; the flag says whether in descending order."""
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
    # After every date, in whichever order they come.
    return literal("-infinity" if descending else "infinity").cast(DateTime(timezone=True))


_FIELDS = {
    "created_at": _Field(
        column=lambda _: TaskRow.created_at.expression,
        key=lambda row: row.created_at.isoformat(),
        bind=lambda value, _: _time(value),
    ),
    "due_at": _Field(
        column=lambda descending: func.coalesce(TaskRow.due_at, _no_date(descending)),
        key=lambda row: row.due_at.isoformat() if row.due_at else None,
        bind=lambda value, descending: _no_date(descending) if value is None else _time(value),
        kinds=(str, type(None)),
    ),
    "priority": _Field(
        column=lambda _: TaskRow.priority.expression,
        key=lambda row: row.priority,
        bind=lambda value, _: literal(max(0, min(value, 9))),
        kinds=(int,),
    ),
    "title": _Field(
        column=lambda _: func.lower(TaskRow.title),
        key=lambda row: row.title,
        bind=lambda value, _: _text(value),
    ),
}


class Ordering:
    """One sort order."""

    def __init__(self, sort: Sort) -> None:
        """`sort` as in the query."""
        self._sort = sort
        self._descending = sort.startswith("-")
        self._field = _FIELDS[sort.removeprefix("-")]

    def order_by(self) -> list[ColumnElement[Any]]:
        """For ORDER BY; the id decides between equals, so that the order is total."""
        columns: list[ColumnElement[Any]] = [self._field.column(self._descending), TaskRow.id.expression]
        return [column.desc() for column in columns] if self._descending else columns

    def after(self, cursor: str) -> ColumnElement[bool]:
        """The condition for rows after a cursor. Raises ProblemError(INVALID_CURSOR)."""
        key, last_id = decode_cursor(cursor, self._sort, (self._field.kinds, (str,)))
        try:
            start = tuple_(self._field.bind(key, self._descending), literal(uuid.UUID(str(last_id)), Uuid()))
        except (ValueError, OverflowError):
            raise invalid_cursor() from None
        position = tuple_(self._field.column(self._descending), TaskRow.id)
        return position < start if self._descending else position > start

    def cursor(self, row: Row[Any]) -> str:
        """A cursor for the rows after `row`."""
        return encode_cursor(self._sort, self._field.key(row), str(row.id))
