"""Request and response bodies of /api/tasks."""

import re
import unicodedata
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    field_validator,
    model_validator,
)
from sqlalchemy import Row

from src.core.types import NEVER_NULL, ONE_LINE, PRINTABLE, VISIBLE, Input, Output, TimeZone


class Priority(StrEnum):
    """How much a task matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """The number it is stored and sorted as."""
        return _RANKS.index(self) + 1

    @classmethod
    def from_rank(cls, rank: int) -> Self:
        """The priority stored as `rank`."""
        return cls(_RANKS[rank - 1])


_RANKS = (Priority.LOW, Priority.MEDIUM, Priority.HIGH)


class Status(StrEnum):
    """Whether a task is still to do."""

    OPEN = "open"
    COMPLETED = "completed"


class Sort(StrEnum):
    """Order of a list; `-` turns it round. Tasks without a due date come last either way.

    Equals come in the order in which they were made, which `-` turns round too.
    """

    CREATED = "created_at"
    CREATED_DESC = "-created_at"
    DUE = "due_at"
    DUE_DESC = "-due_at"
    PRIORITY = "priority"
    PRIORITY_DESC = "-priority"
    TITLE = "title"
    TITLE_DESC = "-title"


MAX_WORDS = 8
"""How many words are searched for at once: each costs the database time."""


MAX_TITLE = 200
MAX_TAG = 50


_NUMBER = re.compile(r"\s*[+-]?[\d._]*(e[+-]?\d+)?\s*", re.IGNORECASE)


def _iso(value: object) -> object:
    # Pydantic takes numbers too, for seconds since 1970.
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise ValueError("must be a date and time such as 2026-12-01T17:00:00Z")
    return value


def _of_our_time(value: datetime) -> datetime:
    if not 1970 <= value.year < 3000:
        raise ValueError("must lie between the years 1970 and 2999")
    return value


def _utc(value: datetime) -> datetime:
    return _of_our_time(value).astimezone(UTC)


def _day(value: object) -> object:
    # Pydantic takes numbers too, and times at midnight.
    if not (isinstance(value, str) and re.fullmatch(r"\s*(19[789]|2\d\d)\d-\d\d-\d\d\s*", value)):
        raise ValueError("must be a day such as 2026-12-01, between the years 1970 and 2999")
    return value


def _normal_tag(value: str) -> str:
    tag = unicodedata.normalize("NFC", value).strip().removeprefix("#").strip().lower()
    if not tag:
        raise ValueError("must not be empty")
    if len(tag) > MAX_TAG:  # a few letters are two in lower case
        raise ValueError(f"must have at most {MAX_TAG} characters in lower case")
    return tag


def _unique(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


Title = Annotated[str, Field(min_length=1, max_length=MAX_TITLE, examples=["Buy milk"]), ONE_LINE, VISIBLE]
Description = Annotated[str, Field(max_length=2000, examples=["Two litres, the one with the blue lid."]), PRINTABLE]
Tag = Annotated[str, Field(min_length=1, max_length=MAX_TAG), ONE_LINE, AfterValidator(_normal_tag), VISIBLE]
Tags = Annotated[list[Tag], Field(max_length=20, examples=[["home", "shop"]]), AfterValidator(_unique)]
DueAt = Annotated[AwareDatetime, Field(examples=["2026-12-01T17:00:00Z"]), BeforeValidator(_iso), AfterValidator(_utc)]
DueOn = Annotated[date, Field(examples=["2026-12-01"]), BeforeValidator(_day)]
# The offset is kept: it says which day it is where the question is asked.
DueLimit = Annotated[AwareDatetime, BeforeValidator(_iso), AfterValidator(_of_our_time)]

END_OF_DAY = time(23, 59)
"""Until when what is due on a day is due."""


class Due(Input):
    """When a task is due: on a day, or at a time."""

    due_at: DueAt | None = Field(default=None, description="The time; not beside `due_on`.")
    due_on: DueOn | None = Field(default=None, description="The whole day, in whichever time zone.")
    due_zone: TimeZone | None = Field(default=None, description="Where the time or the day was meant.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.due_at is not None and self.due_on is not None:
            raise ValueError("due_on and due_at cannot both be given")
        if self.due_zone is not None and self.due_at is None and self.due_on is None:
            raise ValueError("due_zone needs due_on or due_at")
        return self

    def due_columns(self) -> dict[str, Any]:
        """What is stored: for a day, also its end, by which it is sorted among times."""
        due_at = self.due_at
        if self.due_on is not None:
            due_at = datetime.combine(self.due_on, END_OF_DAY, ZoneInfo(self.due_zone or "UTC")).astimezone(UTC)
        return {"due_at": due_at, "due_on": self.due_on, "due_zone": self.due_zone}


class TaskCreate(Due):
    """A new task. Tags are kept in lower case, without a leading `#`, each once."""

    title: Title
    description: Description = ""
    priority: Priority = Priority.MEDIUM
    tags: Tags = []
    completed: StrictBool = False


class TaskUpdate(Due):
    """Changes to a task: what is absent stays as it is. `due_at: null`, or `due_on: null`, removes the due date."""

    title: Annotated[Title | None, NEVER_NULL] = None
    description: Annotated[Description | None, NEVER_NULL] = None
    priority: Annotated[Priority | None, NEVER_NULL] = None
    tags: Annotated[Tags | None, NEVER_NULL] = None
    completed: Annotated[StrictBool | None, NEVER_NULL] = None

    @field_validator("title", "description", "priority", "tags", "completed", mode="before")
    @classmethod
    def _not_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null")
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("must change at least one field")
        return self


class Task(Output):
    """A task."""

    id: UUID
    title: str
    description: str
    completed: bool
    completed_at: datetime | None
    priority: Priority
    due_at: datetime | None = Field(description="With `due_on`: the last minute of that day, in `due_zone` or UTC.")
    due_on: date | None = Field(default=None, description="The day, where the whole of it is meant.")
    due_zone: str | None = None
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    # With defaults: results of tools are kept in conversations, also those from before there were these.
    version: int = Field(default=0, description="Grows with each change; also the `ETag`.")

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        """The task in a row of the table."""
        values: dict[str, Any] = {name: getattr(row, name) for name in _SAME}
        return cls(**values, completed=row.completed_at is not None, priority=Priority.from_rank(row.priority))


_SAME = (
    "id",
    "title",
    "description",
    "completed_at",
    "due_at",
    "due_on",
    "due_zone",
    "tags",
    "created_at",
    "updated_at",
    "version",
)


class TrashedTask(Task):
    """A task in the trash."""

    deleted_at: datetime
    purged_at: datetime = Field(description="When it goes for good.")


class TrashPage(Output):
    """A page of the trash, the latest first."""

    items: list[TrashedTask]
    next_cursor: str | None


class TaskPage(Output):
    """A page of a list."""

    items: list[Task]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the next page; null on the last one.")
    total: int | None = Field(
        description="How many tasks match, on all pages together; only on the first page, null on the others."
    )


class TaskFilter(BaseModel):
    """Which tasks, and in which order. All filters must match."""

    model_config = ConfigDict(extra="forbid")

    status: Status | None = None
    q: (
        Annotated[
            str,
            Field(
                max_length=200,
                description="Parts of words in the title, the description or the tags. "
                f"Those after the first {MAX_WORDS} do not count.",
            ),
            ONE_LINE,
        ]
        | None
    ) = None
    priority: Priority | None = None
    tag: Tag | None = None
    due_after: (
        Annotated[DueLimit, Field(description="Due at this time or later, or on the day that it names.")] | None
    ) = None
    due_before: (
        Annotated[DueLimit, Field(description="Due before this time, or on a day before the one it names.")] | None
    ) = None
    completed_after: Annotated[DueLimit, Field(description="Completed at this time or later.")] | None = None
    completed_before: Annotated[DueLimit, Field(description="Completed before this time.")] | None = None
    sort: Sort = Sort.CREATED_DESC


class TaskQuery(TaskFilter):
    """What to list."""

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Annotated[str, Field(max_length=2000, description="`next_cursor` of the page before.")] | None = None
