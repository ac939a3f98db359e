"""Which passwords are refused: those that are tried first."""

import asyncio
from functools import cache

from src.core.errors import ErrorCode, ProblemError

COMMONEST = 10_000
MIN_OWN_CHARACTERS = 4
"""How much of a password must be something else than the account's address."""


async def require_strong(password: str, email: str) -> None:
    """Raises ProblemError(WEAK_PASSWORD) for a common password, or one made of the address."""
    lower = password.casefold()
    rest = lower
    for part in (email, *email.split("@")):
        rest = rest.replace(part.casefold(), "")
    if rest != lower and len(rest) < MIN_OWN_CHARACTERS:
        raise ProblemError(ErrorCode.WEAK_PASSWORD, "This password is the e-mail address. Choose another.")
    # The first time it takes a while.
    if lower in await asyncio.to_thread(_commonest):
        raise ProblemError(
            ErrorCode.WEAK_PASSWORD, "This password is one of the commonest, and the first to be tried. Choose another."
        )


@cache
def _commonest() -> frozenset[str]:
    # Only where it is used: it is a good part of the memory.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"][:COMMONEST])
