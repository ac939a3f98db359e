"""Dates as people type them: "tomorrow", "next friday at 5pm", "in 3 days", "2026-12-01", "1 dec"."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBERS = ("a", "an", "one", "two", "three", "four", "five", "six", "seven")

END_OF_DAY = time(23, 59)
"""A due date without a time means the end of that day."""

_LEADS = r"(?:due|by|on|for|until|before|at)\s"
_LEAD = rf"(?:\b{_LEADS}+(?:on\s+|by\s+)?(?:the\s+)?)?"
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_DAY = re.compile(
    _LEAD
    + rf"""\b(?:
        (?P<iso>\d{{4}}-\d{{2}}-\d{{2}})
      | (?P<word>today|tonight|day\ after\ tomorrow|tomorrow|next\ week|next\ month|(?:this|the)\ weekend
          |end\ of\ (?:the\ )?(?:week|month))
      | in\s+(?P<count>\d{{1,3}}|{"|".join(_NUMBERS)})\s+(?P<unit>day|week|month)s?
      | (?:(?P<which>this|next)\s+)?(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?
      | (?P<day1>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month1>{_MONTH})(?:,?\s+(?P<year1>\d{{4}}))?
      | (?P<month2>{_MONTH})\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year2>\d{{4}}))?
      | (?P<ordinal>\d{{1,2}})(?:st|nd|rd|th)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_TIME = re.compile(
    r"""\b(?:(?:at|by)\s+)?(?:
        (?P<hour12>1[0-2]|0?[1-9])(?::(?P<minute12>[0-5]\d))?\s?(?P<half>am|pm)
      | (?P<hour24>[01]?\d|2[0-3]):(?P<minute24>[0-5]\d)
      | (?P<name>noon|midnight)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_SOON = re.compile(
    rf"\bin\s+(?P<count>\d{{1,3}}|{'|'.join(_NUMBERS)})\s+(?P<unit>minute|min|hour|hr)s?\b", re.IGNORECASE
)
# What is also a word or part of one ("sun cream", "the 1st floor") is a date only at the end or before a time.
_ENDS = re.compile(r"\s*(?:$|[.,;!?]|at\b|\d)", re.IGNORECASE)
_WORDS = ("sun", "sat", "wed", "mon")


@dataclass(frozen=True)
class Found:
    """A date in a text."""

    due_at: datetime
    rest: str
    """The text without it."""


def find_date(text: str, now: datetime) -> Found | None:
    """The date in `text`, in the time zone of `now`, or None. A time alone means its next occurrence."""
    if soon := _SOON.search(text):
        minutes = _number(soon["count"]) * (60 if soon["unit"].lower().startswith("h") else 1)
        due_at = now.replace(second=0, microsecond=0) + timedelta(minutes=minutes)
        return Found(due_at, _tidy(text[: soon.start()] + " " + text[soon.end() :]))
    match = None
    day: date | None = None
    for match in _DAY.finditer(text):
        day = _day(match, now.date())
        if day is not None:
            break
    if day is None or match is None:
        return _time_alone(text, now)
    rest = text[: match.start()] + " " + text[match.end() :]
    clock = END_OF_DAY
    if found := _TIME.search(rest):
        clock = _clock(found)
        rest = rest[: found.start()] + " " + rest[found.end() :]
    elif (match["word"] or "").lower() == "tonight":
        clock = time(20)
    return Found(datetime.combine(day, clock, now.tzinfo), _tidy(rest))


def _time_alone(text: str, now: datetime) -> Found | None:
    match = _TIME.search(text)
    if match is None:
        return None
    due_at = datetime.combine(now.date(), _clock(match), now.tzinfo)
    if due_at <= now:
        due_at += timedelta(days=1)
    return Found(due_at, _tidy(text[: match.start()] + " " + text[match.end() :]))


def _tidy(text: str) -> str:
    return " ".join(text.split()).strip(" ,;")


def _clock(match: re.Match[str]) -> time:
    if match["name"]:
        return time(12) if match["name"].lower() == "noon" else END_OF_DAY
    if match["half"]:
        hour = int(match["hour12"]) % 12 + (12 if match["half"].lower() == "pm" else 0)
        return time(hour, int(match["minute12"] or 0))
    return time(int(match["hour24"]), int(match["minute24"]))


def _day(match: re.Match[str], today: date) -> date | None:
    try:
        if match["iso"]:
            return date.fromisoformat(match["iso"])
        if match["word"]:
            return _named(" ".join(match["word"].lower().split()), today)
        if match["count"]:
            return _later(today, _number(match["count"]), match["unit"].lower())
        if match["ordinal"]:
            return _ordinal(match, today)
        if match["weekday"]:
            if match[0].lower() in _WORDS and not _ENDS.match(match.string, match.end()):
                return None
            wanted = next(i for i, name in enumerate(_WEEKDAYS) if name.startswith(match["weekday"].lower()))
            days = (wanted - today.weekday()) % 7 or 7
            if (match["which"] or "").lower() == "next" and days + today.weekday() < 7:
                days += 7  # "next friday" said on a monday is not the one of this week
            return today + timedelta(days)
        month = _MONTHS.index((match["month1"] or match["month2"])[:3].lower()) + 1
        day = int(match["day1"] or match["day2"])
        if year := match["year1"] or match["year2"]:
            return date(int(year), month, day)
        this_year = date(today.year, month, day)
        return this_year if this_year >= today else date(today.year + 1, month, day)
    except (ValueError, OverflowError):  # no such day, as the 31st of June
        return None


def _number(text: str) -> int:
    return int(text) if text.isdigit() else max(1, _NUMBERS.index(text.lower()) - 1)


def _ordinal(match: re.Match[str], today: date) -> date | None:
    """The next day of that number: "on the 1st"."""
    if not re.match(_LEADS, match[0], re.IGNORECASE) or not _ENDS.match(match.string, match.end()):
        return None
    day = int(match["ordinal"])
    start = today if day >= today.day else _later(today.replace(day=1), 1, "month")
    return start.replace(day=day)


def _named(word: str, today: date) -> date:
    if word == "next week":
        return today + timedelta(7 - today.weekday())
    if word == "next month":
        return _later(today, 1, "month")
    if word.endswith("weekend"):  # its Saturday, or what is left of it
        return today + timedelta(max(0, 5 - today.weekday()))
    if word.endswith("week"):
        return today + timedelta(6 - today.weekday())
    if word.endswith("month"):
        return today.replace(day=monthrange(today.year, today.month)[1])
    return today + timedelta({"today": 0, "tonight": 0, "tomorrow": 1, "day after tomorrow": 2}[word])


def _later(today: date, count: int, unit: str) -> date:
    if unit == "month":
        years, month = divmod(today.month - 1 + count, 12)
        year = today.year + years
        return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
    return today + timedelta(days=count * (7 if unit == "week" else 1))
