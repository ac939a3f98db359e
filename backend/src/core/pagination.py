"""Cursors: opaque strings that say where the next page begins."""

import base64
import binascii
import json
from collections.abc import Sequence

from src.core.errors import ErrorCode, ProblemError

Key = str | int | None


def encode_cursor(sort: str, *keys: Key) -> str:
    """A cursor after the row with these sort keys."""
    return base64.urlsafe_b64encode(json.dumps([sort, *keys], ensure_ascii=False).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, sort: str, kinds: Sequence[type | tuple[type, ...]]) -> list[Key]:
    """The sort keys in a cursor.

    Raises ProblemError(INVALID_CURSOR) if it is none of ours, belongs to another sort order, or has keys of other
    types than `kinds`.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise invalid_cursor() from None
    if not isinstance(values, list) or len(values) != len(kinds) + 1 or values[0] != sort:
        raise invalid_cursor()
    if not all(isinstance(v, k) and not isinstance(v, bool) for v, k in zip(values[1:], kinds, strict=True)):
        raise invalid_cursor()
    return values[1:]


def invalid_cursor() -> ProblemError:
    """The error for a cursor that cannot be used."""
    return ProblemError(
        ErrorCode.INVALID_CURSOR, "The cursor does not belong to this list and sort order. Start without a cursor."
    )
