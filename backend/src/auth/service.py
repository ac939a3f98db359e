"""Accounts: register, log in, change the password, delete."""

import uuid

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from src.auth import sessions
from src.auth.models import PasswordReset, Session, User
from src.auth.passwords import hash_password, verify_password
from src.auth.schemas import SessionOut
from src.auth.sessions import Login
from src.auth.strength import require_strong
from src.auth.tokens import TokenClaims
from src.core.database import Database
from src.core.errors import ErrorCode, ProblemError
from src.core.settings import Settings


async def register(database: Database, settings: Settings, email: str, password: str, login: Login) -> SessionOut:
    """Create an account and log it in. Raises ProblemError: WEAK_PASSWORD, EMAIL_TAKEN."""
    await require_strong(password, email)
    password_hash = await hash_password(password)
    user = User(email=email, password_hash=password_hash)
    async with database.session() as session:
        session.add(user)
        try:
            await session.flush()
        except IntegrityError:
            raise ProblemError(ErrorCode.EMAIL_TAKEN, "There is an account with this e-mail address.") from None
        return await sessions.begin(session, settings, user, login)


async def log_in(database: Database, settings: Settings, email: str, password: str, login: Login) -> SessionOut:
    """Log in. Raises ProblemError(INVALID_CREDENTIALS), the same for a wrong password and an unknown address."""
    async with database.connection() as connection:
        user = (await connection.execute(select(User.__table__).where(User.email == email))).one_or_none()
    # No connection is held while the password is verified: that takes long and may have to queue.
    if not await verify_password(password, user.password_hash if user else None) or user is None:
        raise ProblemError(ErrorCode.INVALID_CREDENTIALS, "The e-mail address or the password is wrong.")
    async with database.session() as session:
        await session.execute(delete(Session).where(Session.user_id == user.id, Session.expires_at < func.now()))
        try:
            return await sessions.begin(session, settings, user, login)
        except IntegrityError:  # deleted in the meantime
            raise ProblemError(ErrorCode.INVALID_CREDENTIALS, "The e-mail address or the password is wrong.") from None


async def _verify(database: Database, user_id: uuid.UUID, password: str) -> str:
    async with database.connection() as connection:
        password_hash: str | None = await connection.scalar(select(User.password_hash).where(User.id == user_id))
    if not await verify_password(password, password_hash) or password_hash is None:
        raise _wrong()
    return password_hash


def _wrong() -> ProblemError:
    return ProblemError(ErrorCode.WRONG_PASSWORD, "The password is wrong.")


async def change_password(database: Database, mine: TokenClaims, email: str, old: str, new: str) -> None:
    """Set another password, and end all other sessions. Raises ProblemError: WRONG_PASSWORD, WEAK_PASSWORD."""
    verified = await _verify(database, mine.user_id, old)
    await require_strong(new, email)
    password_hash = await hash_password(new)
    async with database.session() as session:
        # It may have been changed in the meantime: then it was not the old one that was asked for.
        still = (User.id == mine.user_id, User.password_hash == verified)
        changed = update(User).where(*still).values(password_hash=password_hash).returning(User.id)
        if await session.scalar(changed) is None:
            raise _wrong()
        await sessions.end_others(session, mine)
        await session.execute(delete(PasswordReset).where(PasswordReset.user_id == mine.user_id))


async def delete_account(database: Database, user_id: uuid.UUID, password: str) -> None:
    """Delete the account and everything in it. Raises ProblemError(WRONG_PASSWORD)."""
    await _verify(database, user_id, password)
    async with database.session() as session:
        await session.execute(delete(User).where(User.id == user_id))
