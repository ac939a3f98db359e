"""A line as people type it, such as "Pay rent fri 5pm !high #home", and what of it is no title."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from src.grammar.dates import Stretch, find_due
from src.tasks.schemas import Priority


class SpanKind(StrEnum):
    """What a part of the text was understood as."""

    DUE = "due"
    PRIORITY = "priority"
    TAG = "tag"


@dataclass(frozen=True)
class Span:
    """A part of the text that is no title."""

    kind: SpanKind
    start: int
    end: int


@dataclass(frozen=True)
class Line:
    """A line, understood."""

    title: str
    due_on: date | None
    """The day, where the whole of it is meant."""
    due_at: datetime | None
    """The time, where one is meant."""
    priority: Priority | None
    tags: list[str]
    spans: list[Span]
    """In the order of the text."""


_PRIORITY = re.compile(
    r"(?:\b(?:with\s+)?(?P<word>high|medium|normal|low|top)[ -](?:priority|prio)\b"
    r"|\b(?:priority|prio)\s*:?\s*(?P<after>high|medium|normal|low)\b"
    r"|(?<!\S)!(?P<bang>high|medium|low)\b|(?<!\S)!(?P<level>[123])(?!\S)|(?<!\S)(?P<marks>!{1,3})(?!\S)"
    r"|(?<!\S)p(?P<number>[123])(?!\S))",
    re.IGNORECASE,
)
# With a letter in it: "#1" is a number.
_TAG = re.compile(r"(?<!\S)#(?P<tag>(?=[\w-]*[^\W\d_])[\w-]{1,50})(?![\w-])")

# Blank to every pattern, and yet not what anyone types: where something was taken out.
_CUT = "\x1f"
_AT_A_CUT = re.compile(rf"[\s,;]*{_CUT}[\s,;{_CUT}]*")
_CUT_AT_THE_START = re.compile(rf"^\s*{_CUT}[\s,;:{_CUT}]*")
_CUT_AT_THE_END = re.compile(rf"[\s,;]*{_CUT}[\s{_CUT}]*[.,;:!?]*\s*$")


def read_line(text: str, now: datetime) -> Line:
    """Understand a line; `now` is in the user's time zone. A line of nothing but a date is a title."""
    line = take_apart(text, now)
    return line if line.title else Line(" ".join(text.split()), None, None, None, [], [])


def take_apart(text: str, now: datetime) -> Line:
    """As `read_line`, but what is left for a title may be nothing."""
    text = text.replace(_CUT, " ")
    spans: list[Span] = []
    rest = text

    def take(kind: SpanKind, stretch: Stretch) -> None:
        nonlocal rest
        start, end = stretch
        while text[start].isspace() or text[start] == ",":  # "tomorrow, in the morning"
            start += 1
        spans.append(Span(kind, start, end))
        rest = rest[:start] + _CUT * (end - start) + rest[end:]

    tags = []
    for tag in _TAG.finditer(text):
        tags.append(tag["tag"].lower())
        take(SpanKind.TAG, tag.span())
    if match := _PRIORITY.search(rest):
        take(SpanKind.PRIORITY, match.span())
    due = find_due(rest, now)
    for stretch in due.found if due else ():
        take(SpanKind.DUE, stretch)
    return Line(
        title=_tidy(rest),
        due_on=due.day if due and due.at is None else None,
        due_at=due.at if due else None,
        priority=_priority(match) if match else None,
        tags=list(dict.fromkeys(tags)),
        spans=sorted(spans, key=lambda span: span.start),
    )


def _tidy(rest: str) -> str:
    rest = _CUT_AT_THE_END.sub("", _CUT_AT_THE_START.sub("", rest))
    # A comma stays where it stands between words.
    rest = _AT_A_CUT.sub(lambda cut: ", " if "," in cut[0] and cut.start() else " ", rest)
    return " ".join(rest.split())


def _priority(match: re.Match[str]) -> Priority:
    if number := match["number"] or match["level"]:
        return (Priority.HIGH, Priority.MEDIUM, Priority.LOW)[int(number) - 1]
    if match["marks"]:
        return (Priority.LOW, Priority.MEDIUM, Priority.HIGH)[len(match["marks"]) - 1]
    word = (match["word"] or match["after"] or match["bang"]).lower()
    return {"top": Priority.HIGH, "normal": Priority.MEDIUM}.get(word) or Priority(word)
