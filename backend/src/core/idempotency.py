"""`Idempotency-Key`: a request that is sent again is not carried out again, but gets the answer of the first time."""

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import psycopg
from fastapi import Depends, Header, Request, Response
from sqlalchemy import JSON, ForeignKey, LargeBinary, SmallInteger, String, Text, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import DateTime

from src.core.database import Base, Database
from src.core.errors import ErrorCode, ProblemError

LIFETIME = timedelta(hours=24)
"""How long an answer is kept."""

KEPT_HEADERS = ("etag", "location")


class IdempotencyKey(Base):
    """A request that its client may send again, and the answer that it then gets again."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request: Mapped[bytes] = mapped_column(LargeBinary)
    """Digest of what was asked for."""
    status: Mapped[int | None] = mapped_column(SmallInteger)
    """None while the answer is being made."""
    headers: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    body: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


@dataclass(frozen=True)
class Kept:
    """An answer as it is kept."""

    body: str
    status: int = 200
    headers: dict[str, str] | None = None


@dataclass(frozen=True)
class Idempotency:
    """The key of a request; without one every request is a new one."""

    key: str | None
    digest: bytes

    async def claim(self, session: AsyncSession, user_id: uuid.UUID, lifetime: timedelta = LIFETIME) -> Kept | None:
        """The answer of the first time, or None: then this is it, once the transaction commits.

        `lifetime` is how long the claim holds if no answer follows. Raises ProblemError(IDEMPOTENCY_IN_PROGRESS) while
        the first one is being answered, and ProblemError(IDEMPOTENCY_KEY_REUSED) if it asked for something else.
        """
        if self.key is None:
            return None
        new: dict[str, Any] = {"request": self.digest, "status": None, "headers": None, "body": None}
        new["expires_at"] = func.now() + lifetime
        claim = (
            insert(IdempotencyKey)
            .values(user_id=user_id, key=self.key, **new)
            .on_conflict_do_update(
                index_elements=["user_id", "key"], set_=new, where=IdempotencyKey.expires_at < func.now()
            )
            .returning(IdempotencyKey.key)
        )
        try:
            if await session.scalar(claim) is not None:
                return None
        except OperationalError as error:
            # The other one's transaction is not at its end: its row can be seen only then.
            if isinstance(error.orig, psycopg.errors.LockNotAvailable):
                raise _in_progress() from None
            raise
        found = await session.scalar(select(IdempotencyKey).where(*self._mine(user_id)))
        if found is not None and found.request != self.digest:
            raise ProblemError(
                ErrorCode.IDEMPOTENCY_KEY_REUSED, "This Idempotency-Key belongs to another request. Make a new one."
            )
        if found is None or found.status is None or found.body is None:
            raise _in_progress()
        return Kept(found.body, found.status, found.headers)

    async def keep(self, session: AsyncSession, user_id: uuid.UUID, kept: Kept) -> None:
        """Keep the answer of a request that has been claimed."""
        if self.key is not None:
            values: dict[str, Any] = {"status": kept.status, "headers": kept.headers, "body": kept.body}
            values["expires_at"] = func.now() + LIFETIME
            await session.execute(update(IdempotencyKey).where(*self._mine(user_id)).values(values))

    async def once(
        self, database: Database, user_id: uuid.UUID, make: Callable[[AsyncSession], Awaitable[Response]]
    ) -> Response:
        """What `make` answers in a transaction, now or the first time. What it raises is not kept."""
        async with database.session() as session:
            if kept := await self.claim(session, user_id):
                headers = {**(kept.headers or {}), "Idempotency-Replayed": "true"}
                return Response(kept.body, kept.status, headers, "application/json")
            response = await make(session)
            headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
            await self.keep(session, user_id, Kept(bytes(response.body).decode(), response.status_code, headers))
        return response

    def _mine(self, user_id: uuid.UUID) -> tuple[Any, Any]:
        return IdempotencyKey.user_id == user_id, IdempotencyKey.key == self.key


def _in_progress() -> ProblemError:
    return ProblemError(
        ErrorCode.IDEMPOTENCY_IN_PROGRESS,
        "The same request is still being answered. Try again shortly.",
        retry_after=1,
    )


async def _get(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="Names this request, for 24 hours: sent again with the same key, it is not carried out again, "
            "but gets the same answer, with `Idempotency-Replayed: true`.",
            examples=["7b6a1d0e-5f0c-4f0e-9d55-7f3a2f1c8e4b"],
        ),
    ] = None,
) -> Idempotency:
    asked = f"{request.method} {request.url.path}\n".encode() + await request.body()
    return Idempotency(idempotency_key, hashlib.sha256(asked).digest())


IdempotencyDep = Annotated[Idempotency, Depends(_get)]

NOT_REPEATED = (ErrorCode.IDEMPOTENCY_IN_PROGRESS, ErrorCode.IDEMPOTENCY_KEY_REUSED)
"""What a request with a key may be refused with."""
