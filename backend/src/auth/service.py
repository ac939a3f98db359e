"""Accounts: register, log in, log out, delete."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from src.auth.models import Session, User
from src.auth.passwords import hash_password, verify_password
from src.auth.schemas import SessionOut, UserOut
from src.auth.tokens import TokenClaims, issue_token
from src.core.database import Database
from src.core.errors import ErrorCode, ProblemError
from src.core.settings import Settings


async def register(database: Database, settings: Settings, email: str, password: str) -> SessionOut:
    """Create an account and log it in. Raises ProblemError(EMAIL_TAKEN)."""
    password_hash = await hash_password(password)
    user = User(email=email, password_hash=password_hash)
    async with database.session() as session:
        session.add(user)
        try:
            await session.flush()
        except IntegrityError:
            raise ProblemError(ErrorCode.EMAIL_TAKEN, "There is an account with this e-mail address.") from None
        return await _start_session(session, settings, user)


async def login(database: Database, settings: Settings, email: str, password: str) -> SessionOut:
    """Log in. Raises ProblemError(INVALID_CREDENTIALS), the same for a wrong password and an unknown address."""
    async with database.connection() as connection:
        user = (await connection.execute(select(User.__table__).where(User.email == email))).one_or_none()
    # No connection is held while the password is verified: that takes long and may have to queue.
    if not await verify_password(password, user.password_hash if user else None) or user is None:
        raise ProblemError(ErrorCode.INVALID_CREDENTIALS, "The e-mail address or the password is wrong.")
    async with database.session() as session:
        await session.execute(delete(Session).where(Session.user_id == user.id, Session.expires_at < func.now()))
        try:
            return await _start_session(session, settings, user)
        except IntegrityError:  # deleted in the meantime
            raise ProblemError(ErrorCode.INVALID_CREDENTIALS, "The e-mail address or the password is wrong.") from None


async def _start_session(session: AsyncSession, settings: Settings, user: User | Row[Any]) -> SessionOut:
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=settings.session_hours)
    row = Session(user_id=user.id, expires_at=expires_at)
    session.add(row)
    await session.flush()
    token = issue_token(TokenClaims(user.id, row.id), expires_at, settings.jwt_secret.get_secret_value())
    return SessionOut(
        access_token=token,
        expires_at=expires_at,
        user=UserOut(id=user.id, email=user.email, created_at=user.created_at),
    )


# Built once: every request runs it.
_FIND_USER = (
    select(User.id, User.email, User.created_at)
    .join(Session, Session.user_id == User.id)
    .where(Session.id == bindparam("session_id"), User.id == bindparam("user_id"), Session.expires_at > func.now())
)


async def find_user(connection: AsyncConnection, claims: TokenClaims) -> UserOut | None:
    """The user of a session that is neither logged out nor expired."""
    found = await connection.execute(_FIND_USER, {"session_id": claims.session_id, "user_id": claims.user_id})
    row = found.one_or_none()
    return UserOut(id=row.id, email=row.email, created_at=row.created_at) if row else None


async def logout(connection: AsyncConnection, sessions: Sequence[TokenClaims]) -> None:
    """End sessions; nothing happens for those that have ended already."""
    named = [(claims.session_id, claims.user_id) for claims in sessions]
    await connection.execute(delete(Session).where(tuple_(Session.id, Session.user_id).in_(named)))


async def delete_account(database: Database, user_id: uuid.UUID, password: str) -> None:
    """Delete the account and everything in it. Raises ProblemError(WRONG_PASSWORD)."""
    async with database.connection() as connection:
        password_hash = await connection.scalar(select(User.password_hash).where(User.id == user_id))
    if not await verify_password(password, password_hash):
        raise ProblemError(ErrorCode.WRONG_PASSWORD, "The password is wrong.")
    async with database.session() as session:
        await session.execute(delete(User).where(User.id == user_id))
