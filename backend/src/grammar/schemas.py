"""Request and response bodies of /api/parse."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from src.core.types import PRINTABLE, Input, Output, TimeZone
from src.grammar.task import SpanKind
from src.tasks.schemas import Priority


class ParseRequest(Input):
    """A line as the user typed it."""

    text: Annotated[str, Field(min_length=1, max_length=500, examples=["Pay rent fri 5pm !high #home"]), PRINTABLE]
    timezone: Annotated[TimeZone, Field(description="The user's time zone, which tells what tomorrow is.")] = "UTC"


class ParsedSpan(Output):
    """A part of the text that is no title. Positions count UTF-16 units, as JavaScript's do."""

    kind: SpanKind
    start: int
    end: int
    text: str


class Parsed(Output):
    """What a task of this text would be: fields of it are null or empty where the text says nothing."""

    title: str
    due_on: date | None
    due_at: datetime | None
    due_zone: str | None
    priority: Priority | None
    tags: list[str]
    spans: list[ParsedSpan] = Field(description="In the order of the text.")
