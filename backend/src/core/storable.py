"""What comes from elsewhere and has no rules, such as a model's output, made fit to be stored and sent."""

import json
import math
from typing import Any

MAX_DEPTH = 32


def storable_text(text: str) -> str:
    """The text without NUL, which PostgreSQL cannot store, and without halves of characters, which nothing can send."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\0", "")


def storable(value: Any, depth: int = MAX_DEPTH) -> Any:
    """JSON with such texts alone. Raises ValueError where it is too deep, or has a number that is none."""
    if depth == 0:
        raise ValueError("nested too deeply")
    match value:
        case str():
            return storable_text(value)
        case float() if not math.isfinite(value):
            raise ValueError("not a number")
        case list():
            return [storable(item, depth - 1) for item in value]
        case dict():
            return {storable_text(str(name)): storable(item, depth - 1) for name, item in value.items()}
        case _:
            return value


def read_object(raw: str) -> dict[str, Any] | None:
    """The JSON object in a text, or None if there is none that can be stored."""
    try:
        value = storable(json.loads(raw or "{}"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
