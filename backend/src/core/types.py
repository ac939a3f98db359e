"""Field types shared by the request schemas."""

from pydantic import AfterValidator, BaseModel, ConfigDict


def _printable(value: str) -> str:
    # PostgreSQL cannot store NUL, and no person types the other control characters.
    if any((ord(c) < 32 and c not in "\t\n\r") or ord(c) == 127 for c in value):
        raise ValueError("must not contain control characters")
    return value


def _one_line(value: str) -> str:
    if any(c in "\t\n\r\x85\u2028\u2029" for c in value):
        raise ValueError("must be a single line")
    return _printable(value)


# To be named after a field's own limits, so that a breach of those is reported in their words.
PRINTABLE = AfterValidator(_printable)
"""For text of one or several lines."""

ONE_LINE = AfterValidator(_one_line)
"""For text of one line."""


class Input(BaseModel):
    """A request body: surrounding blanks are dropped, and a field that does not exist is an error."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Output(BaseModel):
    """A response body: every field is always there, and the OpenAPI document says so."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)
