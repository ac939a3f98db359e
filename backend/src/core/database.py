"""The database: one engine, sessions with a time limit, and 503 when it is away."""

import asyncio
import logging
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import waiting
from sqlalchemy import MetaData, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from src.core.errors import ErrorCode, ProblemError
from src.core.logging import reason

logger = logging.getLogger(__name__)

SESSION_SECONDS = 1.5
"""How long a connection may be held at most, so that a request whose database hangs is answered within two seconds."""

RETRY_AFTER_SECONDS = 2

Executor = AsyncConnection | AsyncSession
"""What statements run on: one by one, or in a transaction."""


class Base(DeclarativeBase):
    """Base of all tables; constraints get the names that migrations refer to."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class _Connection(psycopg.AsyncConnection[Any]):
    """A connection that is dropped when what it does is cancelled.

    psycopg asks the server to cancel, and waits seconds for it; a server that hangs never answers.
    """

    async def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        try:
            return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
        except asyncio.CancelledError:
            self.pgconn.finish()
            raise


async def connect(conninfo: str) -> psycopg.AsyncConnection[Any]:
    """Connect, once more after a moment: a serverless database may refuse while it wakes up."""
    try:
        return await _Connection.connect(conninfo, autocommit=True)
    except psycopg.OperationalError as error:
        logger.warning("database connection failed, trying once more", extra={"reason": reason(error)})
        await asyncio.sleep(0.25)
        return await _Connection.connect(conninfo, autocommit=True)


def _check_connection(connection: Any, _record: object, _proxy: object) -> None:
    """Make the pool replace a connection that the server has closed.

    A server has nothing to say on an idle connection: if there is something to read, it is mostly the end. Looking
    costs no round trip, unlike a query before every use; the query is for when there is something to read.
    """
    raw: psycopg.AsyncConnection[Any] = connection.driver_connection
    if not raw.closed:
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLIN)
        if not poll.poll(0):
            return
    try:
        connection.cursor().execute("SELECT 1")
    except psycopg.Error as error:
        raise DisconnectionError from error


class Database:
    """Sessions on the database at a libpq URL."""

    def __init__(self, url: str) -> None:
        """Connects at the first use, not here."""

        async def creator() -> psycopg.AsyncConnection[Any]:
            return await connect(url)

        self._engine = create_async_engine(
            "postgresql+psycopg://",
            async_creator=creator,
            # No overflow: its connections are closed after each use, and opening one costs more than the work on it.
            pool_size=10,
            max_overflow=0,
            pool_timeout=SESSION_SECONDS,
            pool_recycle=300,
            pool_use_lifo=True,
            # Two round trips less than a transaction, and no lock is held during them.
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
        )
        event.listen(self._engine.sync_engine, "checkout", _check_connection)
        transactional = self._engine.execution_options(isolation_level="READ COMMITTED")
        self._transaction = async_sessionmaker(transactional, expire_on_commit=False, autoflush=False)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """For statements that are each a transaction for itself: no round trip and no lock more than they need.

        Hold it for database work only. Raises ProblemError(DATABASE_UNAVAILABLE) when the database is away or takes
        longer than SESSION_SECONDS.
        """
        async with _within_limits(), self._engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back on an error. Hold it, and it fails, as `connection`."""
        async with _within_limits(), self._transaction.begin() as session:
            yield session

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


@asynccontextmanager
async def _within_limits() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(SESSION_SECONDS):
            yield
    except (TimeoutError, PoolTimeoutError, OperationalError, InterfaceError, psycopg.OperationalError) as error:
        raise unavailable(error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise unavailable(error) from error
        raise


def unavailable(error: BaseException) -> ProblemError:
    """Log why the database did not answer; the client learns only that it did not."""
    cause = error.__cause__ if isinstance(error, DBAPIError) and error.__cause__ else error
    logger.error("database unavailable", extra={"reason": reason(cause)})
    return ProblemError(
        ErrorCode.DATABASE_UNAVAILABLE,
        "The database does not answer at the moment. Try again shortly.",
        retry_after=RETRY_AFTER_SECONDS,
    )
