"""Dates as people type them: "tomorrow", "next friday at 5pm", "in 3 days", "2026-12-01", "1 dec"."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED = {"today": 0, "tonight": 0, "tomorrow": 1, "tmrw": 1, "tmr": 1, "day after tomorrow": 2}
_NUMBERS = ("a", "an", "one", "two", "three", "four", "five", "six", "seven")

END_OF_DAY = time(23, 59)
"""Midnight, which is where a day ends: the whole of it is meant."""

EVENING = time(20)

_BEGIN = r"(?<![\w\-/#'’.:])"
_END = r"(?![\w\-/'’]|[.:]\d)"
# Hours and minutes may be those of a chapter and a verse: they count after one of these, or next to a day.
_AT = r"(?:(?:at|by|from|until)\s+|@\s?)"
_LEADS = r"(?:due|by|on|for|until|before|at)\s"
_LEAD = rf"(?:{_LEADS}+(?:on\s+|by\s+)?(?:the\s+)?)?"
_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_WEEKDAY = "mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun"
_DAY = re.compile(
    rf"""{_BEGIN}{_LEAD}(?:
        (?P<iso>\d{{4}}-\d{{2}}-\d{{2}})
      | (?P<word>today|tonight|this\s+(?:morning|afternoon|evening)|(?:the\s+)?day\s+after\s+tomorrow|tomorrow|tmrw?
          |next\s+week|next\s+month|(?:this|the)\s+weekend|end\s+of\s+(?:the\s+)?(?:week|month))
      | in\s+(?P<count>\d{{1,3}}|{"|".join(_NUMBERS)})\s+(?P<unit>day|week|month)s?
      | (?:(?P<which>this|next)\s+)?(?P<weekday>{_WEEKDAY})(?:day)?
      | (?P<day1>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month1>{_MONTH})(?:,?\s+(?P<year1>\d{{4}}))?
      | (?P<month2>{_MONTH})\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year2>\d{{4}}))?
      | (?P<ordinal>\d{{1,2}})(?:st|nd|rd|th)
    ){_END}""",
    re.IGNORECASE | re.VERBOSE,
)
_PART = re.compile(rf"[\s,]+(?:in\s+the\s+)?(?P<part>morning|afternoon|evening|night){_END}", re.IGNORECASE)
_PARTS = {"morning": time(9), "afternoon": time(15), "evening": EVENING, "night": EVENING}
_TIME = re.compile(
    rf"""{_BEGIN}(?P<lead>{_AT})?(?:
        (?P<hour12>1[0-2]|0?[1-9])(?::(?P<minute12>[0-5]\d))?\s?(?P<half>am|pm)
      | (?P<hour24>[01]?\d|2[0-3]):(?P<minute24>[0-5]\d)
      | (?P<name>noon|midnight)
    ){_END}""",
    re.IGNORECASE | re.VERBOSE,
)
_SOON = re.compile(
    rf"{_BEGIN}in\s+(?:(?P<half>half\s+an\s+hour)|(?P<count>\d{{1,3}}|{'|'.join(_NUMBERS)})\s+"
    rf"(?P<unit>minute|min|hour|hr)s?){_END}",
    re.IGNORECASE,
)
# What happens again and again is due on no one day.
_AGAIN = re.compile(
    rf"{_BEGIN}(?:every|each)\s+(?:(?:other|second|\d+)\s+)?(?:{_WEEKDAY}|day|week|month|year|morning|afternoon|evening"
    r"|night|noon|\d)",
    re.IGNORECASE,
)
# What is also a word or part of one ("sun cream", "the 1st floor") is a date only at the end or before a time.
_ENDS = re.compile(r"\s*(?:$|[.,;!?]|at\b|\d)", re.IGNORECASE)
_WORDS = ("sun", "sat", "wed", "mon")

Stretch = tuple[int, int]
"""Where something begins and ends in a text."""


@dataclass(frozen=True)
class Due:
    """A date in a text: a day, or a moment."""

    day: date
    at: datetime | None
    """The moment; None where the whole day is meant."""
    found: tuple[Stretch, ...]


def find_due(text: str, now: datetime) -> Due | None:
    """The date in `text`, in the time zone of `now`, or None. A time alone means its next occurrence."""
    if _AGAIN.search(text):
        return None
    if soon := _SOON.search(text):
        minutes = 30 if soon["half"] else _number(soon["count"]) * (60 if soon["unit"].lower().startswith("h") else 1)
        at = (now.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=minutes)).astimezone(now.tzinfo)
        return Due(at.date(), at, (soon.span(),))
    for match in _DAY.finditer(text):
        if (day := _day(match, now.date())) is not None:
            return _on_day(text, match, day, now)
    times = [match for match in _TIME.finditer(text) if match["hour24"] is None or match["lead"]]
    if not times:
        return None
    match = times[0]
    if _clock(match) == END_OF_DAY:
        return Due(now.date(), None, (match.span(),))
    at = datetime.combine(now.date(), _clock(match), now.tzinfo)
    if at <= now:
        at = datetime.combine(now.date() + timedelta(days=1), _clock(match), now.tzinfo)
    return Due(at.date(), at, (match.span(),))


def _on_day(text: str, match: re.Match[str], day: date, now: datetime) -> Due:
    found = [match.span()]
    clock = None
    word = (match["word"] or "").lower()
    if word == "tonight":
        clock = EVENING
    elif word.startswith("this") and word.split()[1] in _PARTS:
        clock = _PARTS[word.split()[1]]
    elif part := _PART.match(text, match.end()):
        clock = _PARTS[part["part"].lower()]
        found.append(part.span())
    begin, end = found[0][0], found[-1][1]
    for at in _TIME.finditer(text):
        between = text[end : at.start()] if at.start() >= end else text[at.end() : begin]
        # "Genesis 3:16 tomorrow"
        beside = not between.strip(" ,") and (at.start() >= end or len(at["hour24"] or "") == 2)
        apart = at.end() <= begin or at.start() >= end
        if apart and (at["hour24"] is None or at["lead"] or beside):
            clock = _clock(at)
            found.append(at.span())
            break
    if clock is None or clock == END_OF_DAY:
        return Due(day, None, tuple(found))
    return Due(day, datetime.combine(day, clock, now.tzinfo), tuple(found))


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
            if (
                match["weekday"].lower() == match[0].lower()
                and match[0].lower() in _WORDS
                and not _ENDS.match(match.string, match.end())
            ):
                return None
            wanted = next(i for i, name in enumerate(_WEEKDAYS) if name.startswith(match["weekday"].lower()))
            days = (wanted - today.weekday()) % 7 or 7
            if (match["which"] or "").lower() == "next" and days + today.weekday() < 7:
                days += 7  # "next friday" said on a monday is not the one of this week
            return today + timedelta(days)
        if match[0].lower().startswith(("may ", "march ")) and not _ENDS.match(match.string, match.end()):
            return None  # "I may 5 times"
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
    word = word.removeprefix("the ") if word.endswith("tomorrow") else word
    if word.startswith("this ") and not word.endswith("weekend"):
        return today
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
    return today + timedelta(_NAMED[word])


def _later(today: date, count: int, unit: str) -> date:
    if unit == "month":
        years, month = divmod(today.month - 1 + count, 12)
        year = today.year + years
        return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
    return today + timedelta(days=count * (7 if unit == "week" else 1))
