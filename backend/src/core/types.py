"""Field types shared by the request schemas."""

import unicodedata
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema


def _printable(value: str) -> str:
    # PostgreSQL cannot store NUL, and no person types the other control characters.
    if any((ord(c) < 32 and c not in "\t\n\r") or ord(c) == 127 for c in value):
        raise ValueError("must not contain control characters")
    return value


# What embeds, overrides or isolates a direction lets a line look like another one.
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters and symbols to Unicode, blanks to the eye.
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_UNSEEN = frozenset(("Cc", "Cf", "Cn", "Co", "Mn", "Zl", "Zp", "Zs"))


def _visible(value: str) -> str:
    if all(unicodedata.category(c) in _UNSEEN or c in _FILLERS for c in value):
        raise ValueError("must have something to see in it")
    return value


def _one_line(value: str) -> str:
    if not _REORDERING.isdisjoint(value):
        raise ValueError("must not contain characters that change the direction of writing")
    if any(c in "\t\n\r\x85\u2028\u2029" for c in value):
        raise ValueError("must be a single line")
    return _printable(value)


# To be named after a field's own limits, so that a breach of those is reported in their words.
PRINTABLE = AfterValidator(_printable)
"""For text of one or several lines."""

ONE_LINE = AfterValidator(_one_line)
"""For text of one line."""

VISIBLE = AfterValidator(_visible)
"""For text that people have to find again."""


class _NeverNull:
    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        (only,) = (each for each in handler(schema)["anyOf"] if each != {"type": "null"})
        return dict(only)


NEVER_NULL = _NeverNull()
"""For `X | None` that is None where it is absent: the document says no word of null. A validator refuses it."""


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be an IANA time zone such as Europe/Berlin") from None
    return value


TimeZone = Annotated[str, Field(max_length=64, examples=["Europe/Berlin"]), AfterValidator(_time_zone)]
"""The name of a time zone."""


class Input(BaseModel):
    """A request body: surrounding blanks are dropped, and a field that does not exist is an error."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Output(BaseModel):
    """A response body: every field is always there, and the OpenAPI document says so."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)
