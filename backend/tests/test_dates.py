"""Dates as people write them, and what is none."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from src.grammar.task import read_line, take_apart

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 14, 30, tzinfo=BERLIN)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "day", "clock", "rest"),
    [
        ("pay rent today", "2026-11-25", "23:59", "pay rent"),
        ("party tonight", "2026-11-25", "20:00", "party"),
        ("buy milk tomorrow", "2026-11-26", "23:59", "buy milk"),
        ("day after tomorrow: dentist", "2026-11-27", "23:59", "dentist"),
        ("call mum on friday", "2026-11-27", "23:59", "call mum"),
        ("call mum fri", "2026-11-27", "23:59", "call mum"),
        ("call mum next friday", "2026-12-04", "23:59", "call mum"),
        ("call mum next monday", "2026-11-30", "23:59", "call mum"),
        ("call mum this sunday", "2026-11-29", "23:59", "call mum"),
        ("call mum wednesday", "2026-12-02", "23:59", "call mum"),
        ("call mum thursday at 5pm", "2026-11-26", "17:00", "call mum"),
        ("call mum at 5:30 pm on tuesday", "2026-12-01", "17:30", "call mum"),
        ("call mum 2026-12-01", "2026-12-01", "23:59", "call mum"),
        ("call mum due 2026-12-01 at 08:15", "2026-12-01", "08:15", "call mum"),
        ("call mum by 1 dec", "2026-12-01", "23:59", "call mum"),
        ("call mum on the 1 of december", "2026-12-01", "23:59", "call mum"),
        ("call mum on the 1st", "2026-12-01", "23:59", "call mum"),
        ("call mum by the 30th at 9:00", "2026-11-30", "09:00", "call mum"),
        ("call mum this weekend", "2026-11-28", "23:59", "call mum"),
        ("call mum by the end of the week", "2026-11-29", "23:59", "call mum"),
        ("call mum end of month", "2026-11-30", "23:59", "call mum"),
        ("call mum in 2 hours", "2026-11-25", "16:30", "call mum"),
        ("call mum in an hour", "2026-11-25", "15:30", "call mum"),
        ("in 45 min call mum", "2026-11-25", "15:15", "call mum"),
        ("call mum sun 5pm", "2026-11-29", "17:00", "call mum"),
        ("call mum january 2nd", "2027-01-02", "23:59", "call mum"),
        ("call mum 3rd of march 2028", "2028-03-03", "23:59", "call mum"),
        ("call mum sept 5, 2027", "2027-09-05", "23:59", "call mum"),
        ("call mum in 3 days", "2026-11-28", "23:59", "call mum"),
        ("call mum in a week", "2026-12-02", "23:59", "call mum"),
        ("call mum in two weeks", "2026-12-09", "23:59", "call mum"),
        ("call mum in 3 months", "2027-02-25", "23:59", "call mum"),
        ("call mum next week", "2026-11-30", "23:59", "call mum"),
        ("call mum next month", "2026-12-25", "23:59", "call mum"),
        ("call mum at noon", "2026-11-26", "12:00", "call mum"),
        ("call mum at 16:00", "2026-11-25", "16:00", "call mum"),
        ("call mum at 12am", "2026-11-26", "00:00", "call mum"),
        ("call mum tomorrow at midnight", "2026-11-26", "23:59", "call mum"),
        ("31 june or 1 july", "2027-07-01", "23:59", "31 june or"),
    ],
)
def test_dates(text: str, day: str, clock: str, rest: str) -> None:
    line = read_line(text, NOW)
    assert line.title == rest
    if clock == "23:59":
        assert (str(line.due_on), line.due_at) == (day, None)
    else:
        assert line.due_at == datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    "text",
    [
        "buy 3 apples",
        "2026-13-45",
        "31 june",
        "monitor the sunflowers",
        "marching on",
        "at home",
        "5 pmx",
        "may be",
        "sun cream",
        "wed the two",
        "clean the 1st floor",
        "paint on the 1st floor",
        "on the 32nd",
    ],
)
def test_what_is_no_date(text: str) -> None:
    line = read_line(text, NOW)
    assert (line.title, line.due_on, line.due_at) == (text, None, None)


def test_the_end_of_a_short_month() -> None:
    line = take_apart("in 1 month", datetime(2027, 1, 31, 12, tzinfo=BERLIN))
    assert str(line.due_on) == "2027-02-28"
