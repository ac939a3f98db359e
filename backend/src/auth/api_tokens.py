"""API tokens: for programs that act for a user, shown once and kept as digests."""

import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, delete, func, or_, select, update

from src.auth.models import ApiToken, User
from src.auth.schemas import ApiTokenCreated, ApiTokenNew, ApiTokenOut, Scope, UserOut
from src.core.database import Database, Executor
from src.core.errors import ErrorCode, ProblemError

PREFIX = "todo_"
"""By which people, and programs that look for leaked secrets, know what it is."""

MAX_TOKENS = 50
USE_IS_NOTED = timedelta(minutes=5)

_FORM = re.compile(PREFIX + "[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class ApiTokenClaims:
    """What a request shows: to whom it belongs, the database knows."""

    digest: bytes


def read_api_token(token: str) -> ApiTokenClaims | None:
    """The claims of a token, or None if it cannot be one."""
    return ApiTokenClaims(_digest(token)) if _FORM.fullmatch(token) else None


def _digest(token: str) -> bytes:
    # 256 random bits cannot be guessed, however fast the digest.
    return hashlib.sha256(token.encode()).digest()


_FIND = (
    select(
        User.id,
        User.email,
        User.created_at,
        ApiToken.scope,
        or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < func.now() - USE_IS_NOTED).label("stale"),
    )
    .join(ApiToken, ApiToken.user_id == User.id)
    .where(ApiToken.digest == bindparam("digest"))
)


async def find_user(database: Executor, claims: ApiTokenClaims) -> tuple[UserOut, Scope] | None:
    """The user of a token that has not been revoked, and what it may."""
    row = (await database.execute(_FIND, {"digest": claims.digest})).one_or_none()
    if row is None:
        return None
    if row.stale:
        used = update(ApiToken).where(ApiToken.digest == claims.digest).values(last_used_at=func.now())
        await database.execute(used)
    return UserOut(id=row.id, email=row.email, created_at=row.created_at), Scope(row.scope)


async def create(database: Database, user_id: uuid.UUID, new: ApiTokenNew) -> ApiTokenCreated:
    """Make a token. Raises ProblemError(TOO_MANY_TOKENS)."""
    token = PREFIX + secrets.token_urlsafe(32)
    async with database.session() as session:
        # The lock makes those that are made at the same time count each other.
        await session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
        count = select(func.count()).select_from(ApiToken).where(ApiToken.user_id == user_id)
        if (await session.scalar(count) or 0) >= MAX_TOKENS:
            raise ProblemError(
                ErrorCode.TOO_MANY_TOKENS,
                f"There are {MAX_TOKENS} API tokens already, which is the limit. Revoke some first.",
            )
        row = ApiToken(user_id=user_id, name=new.name, scope=new.scope, digest=_digest(token))
        session.add(row)
        await session.flush()
        return ApiTokenCreated(**dict(_out(row)), token=token)


async def list_tokens(database: Database, user_id: uuid.UUID) -> list[ApiTokenOut]:
    """The tokens of a user, the newest first."""
    mine = select(ApiToken).where(ApiToken.user_id == user_id).order_by(ApiToken.created_at.desc(), ApiToken.id)
    async with database.session() as session:
        return [_out(row) for row in await session.scalars(mine)]


async def revoke(database: Database, user_id: uuid.UUID, token_id: uuid.UUID) -> None:
    """Revoke a token. Raises ProblemError(TOKEN_NOT_FOUND), for another user's too."""
    mine = delete(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user_id).returning(ApiToken.id)
    async with database.session() as session:
        if await session.scalar(mine) is None:
            raise ProblemError(ErrorCode.TOKEN_NOT_FOUND, "There is no such API token.")


def _out(row: ApiToken) -> ApiTokenOut:
    return ApiTokenOut(
        id=row.id, name=row.name, scope=Scope(row.scope), created_at=row.created_at, last_used_at=row.last_used_at
    )
