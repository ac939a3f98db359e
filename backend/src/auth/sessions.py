"""Sessions: begin, look at, end."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import Row, bindparam, delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import Interval

from src.auth.cookies import COOKIE, read_cookie
from src.auth.models import Session, User
from src.auth.schemas import SessionInfo, SessionOut, UserOut
from src.auth.tokens import TokenClaims, issue_token, read_token
from src.core.database import Executor
from src.core.dependencies import SettingsDep
from src.core.errors import ErrorCode, ProblemError
from src.core.settings import Settings

USE_IS_NOTED = timedelta(minutes=5)
"""How much later than last time a use is written down."""


@dataclass(frozen=True)
class Login:
    """The circumstances of a login."""

    device: str
    replaces: TokenClaims | None
    """The session that the browser has so far: one cookie holds one."""


async def _login(request: Request, settings: SettingsDep) -> Login:
    agent = request.headers.get("user-agent", "")
    device = "".join(c for c in agent if c.isprintable())[:200]
    cookie = read_cookie(request, COOKIE)
    return Login(device, read_token(cookie, settings.jwt_secret.get_secret_value()) if cookie else None)


LoginDep = Annotated[Login, Depends(_login)]


async def begin(session: AsyncSession, settings: Settings, user: User | Row[Any], login: Login) -> SessionOut:
    """Begin a session, in place of the browser's last one."""
    if login.replaces is not None:
        await end(session, [login.replaces])
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=settings.session_hours)
    row = Session(user_id=user.id, expires_at=expires_at, device=login.device)
    session.add(row)
    await session.flush()
    token = issue_token(TokenClaims(user.id, row.id), expires_at, settings.jwt_secret.get_secret_value())
    return SessionOut(
        access_token=token,
        expires_at=expires_at,
        user=UserOut(id=user.id, email=user.email, created_at=user.created_at),
    )


_IN_FORCE = (
    Session.expires_at > func.now(),
    Session.last_used_at > func.now() - bindparam("idle", type_=Interval),
)
# Built once: every request runs it.
_FIND_USER = (
    select(
        User.id,
        User.email,
        User.created_at,
        (Session.last_used_at < func.now() - USE_IS_NOTED).label("stale"),
    )
    .join(Session, Session.user_id == User.id)
    .where(Session.id == bindparam("session_id"), User.id == bindparam("user_id"), *_IN_FORCE)
)


def _idle(settings: Settings) -> timedelta:
    return timedelta(hours=settings.session_idle_hours)


async def find_user(database: Executor, settings: Settings, claims: TokenClaims) -> UserOut | None:
    """The user of a session that has neither ended nor expired nor been forgotten."""
    named = {"session_id": claims.session_id, "user_id": claims.user_id, "idle": _idle(settings)}
    row = (await database.execute(_FIND_USER, named)).one_or_none()
    if row is None:
        return None
    if row.stale:
        await database.execute(update(Session).where(Session.id == claims.session_id).values(last_used_at=func.now()))
    return UserOut(id=row.id, email=row.email, created_at=row.created_at)


async def list_sessions(database: Executor, settings: Settings, mine: TokenClaims) -> list[SessionInfo]:
    """The sessions of a user, the one that was used last first."""
    statement = (
        select(Session.__table__)
        .where(Session.user_id == mine.user_id, *_IN_FORCE)
        .order_by(Session.last_used_at.desc(), Session.id)
    )
    rows = await database.execute(statement, {"idle": _idle(settings)})
    return [
        SessionInfo(
            id=row.id,
            device=row.device,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
            current=row.id == mine.session_id,
        )
        for row in rows
    ]


async def end(database: Executor, sessions: Sequence[TokenClaims]) -> None:
    """End sessions; nothing happens for those that have ended already."""
    named = [(claims.session_id, claims.user_id) for claims in sessions]
    await database.execute(delete(Session).where(tuple_(Session.id, Session.user_id).in_(named)))


async def end_one(database: Executor, user_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """End a session of a user's. Raises ProblemError(SESSION_NOT_FOUND), for another user's too."""
    mine = delete(Session).where(Session.id == session_id, Session.user_id == user_id).returning(Session.id)
    if await database.scalar(mine) is None:
        raise ProblemError(ErrorCode.SESSION_NOT_FOUND, "There is no such session.")


async def end_others(database: Executor, mine: TokenClaims) -> None:
    """End all sessions of a user but one."""
    others = (Session.user_id == mine.user_id, Session.id != mine.session_id)
    await database.execute(delete(Session).where(*others))
