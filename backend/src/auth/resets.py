"""Codes that set a new password in place of a forgotten one: each works once, for an hour."""

import hashlib
import secrets
import uuid
from datetime import timedelta

from sqlalchemy import delete, func, insert, select, update

from src.auth.models import ApiToken, PasswordReset, Session, User
from src.auth.passwords import hash_password
from src.auth.strength import require_strong
from src.core.database import Database
from src.core.errors import ErrorCode, ProblemError
from src.core.mail import Mailer

LIFETIME = timedelta(hours=1)

MAIL = """\
Somebody, probably you, has forgotten the password of the Todo account {email}.

With this code you set a new one, once and within an hour:

    {code}

If it was not you, do nothing: without the code nothing changes.
"""

# Without letters that look like others: people copy it by hand.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MEANT = str.maketrans("OIL", "011", "- ")
_GROUPS, _GROUP = 4, 4
"""80 bits: not to be guessed in an hour, nor from its digest."""


def _digest(code: str) -> bytes:
    return hashlib.sha256(code.upper().translate(_MEANT).encode()).digest()


async def make_code(database: Database, email: str) -> str | None:
    """A code for the account with this address, or None if there is none."""
    code = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    mine = select(User.id, func.now() + LIFETIME).where(User.email == email)
    async with database.session() as session:
        new = insert(PasswordReset).from_select(
            ["user_id", "expires_at", "digest"], mine.add_columns(func.decode(_digest(code).hex(), "hex"))
        )
        made = await session.scalar(new.returning(PasswordReset.user_id))
    return code if made is not None else None


async def mail_code(database: Database, mailer: Mailer, email: str) -> None:
    """Send a code to the account with this address, if there is one. What goes wrong is in the log."""
    try:
        code = await make_code(database, email)
    except ProblemError:
        return
    if code is not None:
        await mailer.send(email, "Your code for a new password", MAIL.format(email=email, code=code))


async def reset(database: Database, email: str, code: str, new: str) -> uuid.UUID:
    """Set a new password, and end all that the old one was good for: sessions, API tokens, codes.

    Raises ProblemError: WEAK_PASSWORD, and INVALID_RESET_CODE also where there is no such account.
    """
    await require_strong(new, email)
    password_hash = await hash_password(new)
    owner = select(User.id).where(User.email == email).scalar_subquery()
    used = (
        delete(PasswordReset)
        .where(
            PasswordReset.digest == _digest(code),
            PasswordReset.user_id == owner,
            PasswordReset.expires_at > func.now(),
        )
        .returning(PasswordReset.user_id)
    )
    async with database.session() as session:
        user_id = await session.scalar(used)
        if user_id is None:
            raise ProblemError(ErrorCode.INVALID_RESET_CODE, "The code is wrong, used or older than an hour.")
        await session.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))
        for table in (Session, ApiToken, PasswordReset):
            await session.execute(delete(table).where(table.user_id == user_id))
    return user_id
