"""The route of /api/parse."""

from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter

from src.auth.dependencies import WRITER, DetachedUserDep
from src.core.errors import responses
from src.grammar.schemas import Parsed, ParsedSpan, ParseRequest
from src.grammar.task import read_line

router = APIRouter(prefix="/api/parse", tags=["tasks"], responses=responses(*WRITER))


@router.post("", operation_id="parse")
async def parse(_: DetachedUserDep, body: ParseRequest) -> Parsed:
    """Understand a line such as "Pay rent fri 5pm !high #home", as the assistant does. Nothing is stored."""
    return understood(body.text, datetime.now(ZoneInfo(body.timezone)))


def understood(text: str, now: datetime) -> Parsed:
    """What the route answers at that time."""
    line = read_line(text, now)
    due = line.due_on or line.due_at
    return Parsed(
        title=line.title,
        due_on=line.due_on,
        due_at=line.due_at,
        due_zone=str(now.tzinfo) if due else None,
        priority=line.priority,
        tags=line.tags,
        spans=[
            ParsedSpan(
                kind=span.kind,
                start=_utf16(text[: span.start]),
                end=_utf16(text[: span.end]),
                text=text[span.start : span.end],
            )
            for span in line.spans
        ],
    )


def _utf16(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
