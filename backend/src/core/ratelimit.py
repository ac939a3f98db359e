"""Rate limits that hold across replicas, because they are kept in the database."""

import math
from datetime import datetime

from sqlalchemy import String, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import DateTime

from src.core.database import Base, Database
from src.core.errors import ErrorCode, ProblemError


class RateLimit(Base):
    """One counter, as the time at which everything spent so far is earned back (GCRA's "theoretical arrival time")."""

    __tablename__ = "rate_limits"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    full_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


# One statement, so that parallel requests cannot spend the same credit. A refused request spends nothing: the row
# stays as it is, and nothing is returned. Each call also removes a few counters that no longer count.
_SPEND = text("""
    WITH stale AS (
        DELETE FROM rate_limits WHERE key IN (
            SELECT key FROM rate_limits WHERE full_at < now() AND key <> :key LIMIT 10 FOR UPDATE SKIP LOCKED
        )
    )
    INSERT INTO rate_limits AS r (key, full_at)
    VALUES (:key, now() + make_interval(secs => :cost))
    ON CONFLICT (key) DO UPDATE SET full_at = greatest(r.full_at, now()) + make_interval(secs => :cost)
    WHERE greatest(r.full_at, now()) + make_interval(secs => :cost) <= now() + interval '60 seconds 1 millisecond'
    RETURNING true
""")
_REFUND = text("UPDATE rate_limits SET full_at = full_at - make_interval(secs => :cost) WHERE key = :key")
_WAIT = text("""
    SELECT extract(epoch FROM full_at + make_interval(secs => :cost) - now() - interval '60 seconds')
    FROM rate_limits WHERE key = :key
""")


async def spend(database: Database, key: str, per_minute: int) -> None:
    """Count one request of `key`.

    Allows `per_minute` at once and as many a minute after. Raises ProblemError(RATE_LIMITED), with the time to wait.
    """
    # Without a transaction around it the statement holds its lock for no round trip: many may want the same row.
    async with database.connection() as connection:
        await spend_on(connection, key, per_minute)


async def spend_on(connection: AsyncConnection, key: str, per_minute: int) -> None:
    """As `spend`, for routes that have a connection."""
    wait = await _spend(connection, key, 60 / per_minute)
    if wait is not None:
        raise ProblemError(ErrorCode.RATE_LIMITED, f"Too many requests. Try again in {wait} seconds.", retry_after=wait)


async def refund(database: Database, key: str, per_minute: int) -> None:
    """Give back what `spend` took."""
    async with database.connection() as connection:
        await connection.execute(_REFUND, {"key": key, "cost": 60 / per_minute})


async def _spend(connection: AsyncConnection, key: str, cost: float) -> int | None:
    if await connection.scalar(_SPEND, {"key": key, "cost": cost}):
        return None
    seconds = await connection.scalar(_WAIT, {"key": key, "cost": cost})
    return max(1, math.ceil(seconds or 0))
