"""Dates as people type them: "tomorrow", "next friday at 5pm", "in 3 days", "2026-12-01", "1 dec"."""

import re
from datetime import date, datetime, time, timedelta

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}

# A due date without a time means the end of that day.
END_OF_DAY = time(23, 59)

_LEAD = r"(?:\b(?:due|by|on|for|until|before)\s+(?:on\s+|by\s+)?)?"
_DAY_NAMES = "|".join(f"{d}|{d[:3]}" for d in _WEEKDAYS) + "|tues|wednes|thur|thurs"
_MONTH_NAMES = "|".join(f"{m}|{m[:3]}" for m in _MONTHS) + "|sept"
_DATE = re.compile(
    _LEAD
    + rf"""\b(?:
        (?P<iso>\d{{4}}-\d{{2}}-\d{{2}})
      | (?P<word>today|tonight|tomorrow|tmrw|day\ after\ tomorrow|next\ week|next\ month|(?:this\ |the\ )?weekend)
      | (?:in\s+)(?P<count>\d{{1,3}}|{"|".join(_NUMBERS)})\s+(?P<unit>day|week|month)s?
      | (?:(?P<which>this|next)\s+)?(?P<weekday>{_DAY_NAMES})
      | (?P<day1>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month1>{_MONTH_NAMES})(?:,?\s+(?P<year1>\d{{4}}))?
      | (?P<month2>{_MONTH_NAMES})\s+(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<year2>\d{{4}}))?
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
_TIME = re.compile(
    r"""\b(?:at\s+|by\s+)?(?:
        (?P<hour12>1[0-2]|0?[1-9])(?::(?P<minute12>[0-5]\d))?\s?(?P<half>am|pm)
      | (?P<hour24>[01]?\d|2[0-3]):(?P<minute24>[0-5]\d)
      | (?P<name>noon|midnight)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
