"""The database: one engine, sessions with a time limit, and 503 when it is away."""

import asyncio
import logging
import select
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import sql, waiting
from sqlalchemy import Connection, MetaData, event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from src.core.errors import ErrorCode, ProblemError
from src.core.logging import reason

logger = logging.getLogger(__name__)

SESSION_SECONDS = 1.7
"""How long a connection may be held at most, so that a request whose database hangs is answered within two seconds."""

STATEMENT_SECONDS = 0.8
"""How long a statement may run. The server ends it, so that what was answered 503 is not applied afterwards."""

LOCK_SECONDS = 0.6
IDLE_SECONDS = 2.0

START_SECONDS = 0.85
"""Until when a statement is sent: early enough for the server to end it, and to say so, before the client gives up."""

RETRY_AFTER_SECONDS = 2

LISTEN_SECONDS = 5.0
"""How long it may take until a connection listens."""

CONNECTIONS = 10
QUEUE_SECONDS = 0.5
QUEUE_LENGTH = 100
"""How long, and how many requests, wait for a free connection. More than that is overload, and no outage."""

_TRANSACTION = "READ COMMITTED"

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


def _limits(*, local: bool) -> str:
    """The statement that gives the server its limits: for a transaction, or for as long as the connection lasts."""
    limits = {
        "statement_timeout": f"{round(STATEMENT_SECONDS * 1000)}ms",
        "lock_timeout": f"{round(LOCK_SECONDS * 1000)}ms",
        "idle_in_transaction_session_timeout": f"{round(IDLE_SECONDS * 1000)}ms",
        # What suits a user with ten tasks, or a rare word, takes seconds for others.
        "plan_cache_mode": "force_custom_plan",
    }
    rows = ", ".join(f"('{name}', '{value}')" for name, value in limits.items())
    return f"SELECT set_config(name, value, {local}) FROM (VALUES {rows}) AS limits (name, value)"  # noqa: S608


class CannotListenError(Exception):
    """There is a pooler between, which gives each transaction another session: nothing can be listened for in it."""


class _Connection(psycopg.AsyncConnection[Any]):
    """A connection that is dropped when what it does is cancelled.

    psycopg asks the server to cancel, and waits seconds for it. A server that works has ended the statement by then;
    one that hangs, or a network that swallows, never answers.
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


def _backend_pid(connection: psycopg.AsyncConnection[Any]) -> int:
    return connection.info.backend_pid


async def _limit(connection: psycopg.AsyncConnection[Any]) -> bool:
    """Set the limits for the whole session, in one round trip; whether there is a session of our own to set them for.

    A pooler such as Neon's refuses limits in the startup message, and gives each transaction to whichever session is
    free: what is set for one would bind strangers. It is known by the process id that it makes up for its clients.
    """
    cursor = await connection.execute(f"{_limits(local=False)} WHERE pg_backend_pid() = %s", [_backend_pid(connection)])
    return cursor.rowcount > 0


def _refuse_late(connection: Connection, *_: object) -> None:
    if asyncio.get_running_loop().time() > connection.info["start_until"]:
        raise TimeoutError("no time was left for a statement")


def _engine(creator: Callable[[], Awaitable[psycopg.AsyncConnection[Any]]], size: int) -> AsyncEngine:
    engine = create_async_engine(
        "postgresql+psycopg://",
        async_creator=creator,
        # No overflow: its connections are closed after each use, and opening one costs more than the work on it.
        pool_size=size,
        max_overflow=0,
        pool_timeout=SESSION_SECONDS,
        pool_recycle=300,
        pool_use_lifo=True,
        # Two round trips less than a transaction, and no lock is held during them.
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        # Values are the users', and no business of a log.
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "checkout", _check_connection)
    event.listen(engine.sync_engine, "before_cursor_execute", _refuse_late)
    event.listen(engine.sync_engine, "commit", _refuse_late)
    return engine


class Database:
    """Sessions on the database at a libpq URL."""

    def __init__(self, url: str, on_overload: Callable[[], object] = lambda: None) -> None:
        """Connects at the first use, not here. `on_overload` is called for each request that is refused."""
        self._url = url
        self._free = asyncio.Semaphore(CONNECTIONS)
        self._waiting = 0
        self._on_overload = on_overload

        async def creator() -> psycopg.AsyncConnection[Any]:
            connection = await connect(url)
            self._pooled = not await _limit(connection)
            return connection

        self._pooled = False
        self._engine = _engine(creator, CONNECTIONS)
        self._probe_engine = _engine(creator, 1)
        transactional = self._engine.execution_options(isolation_level=_TRANSACTION)
        self._transaction = async_sessionmaker(transactional, expire_on_commit=False, autoflush=False)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """For statements that are each a transaction for itself: no round trip and no lock more than they need.

        Hold it for database work only. Raises ProblemError(DATABASE_UNAVAILABLE) when the database is away or takes
        longer than SESSION_SECONDS, and ProblemError(OVERLOADED) when too many others are being served.
        """
        async with self._turn(), _within_limits() as start_until, self._engine.connect() as connection:
            connection.info["start_until"] = start_until
            if not self._pooled:
                yield connection
                return
            # Only a transaction can carry the limits.
            await connection.execution_options(isolation_level=_TRANSACTION)
            async with connection.begin():
                await connection.execute(text(_limits(local=True)))
                yield connection

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed at the end, rolled back on an error. Hold it, and it fails, as `connection`."""
        async with self._turn(), _within_limits() as start_until, self._transaction.begin() as session:
            (await session.connection()).info["start_until"] = start_until
            if self._pooled:
                await session.execute(text(_limits(local=True)))
            yield session

    @asynccontextmanager
    async def probe(self) -> AsyncIterator[AsyncConnection]:
        """As `connection`, beside those of requests: that all of them are busy does not mean that the database is."""
        async with _within_limits() as start_until, self._probe_engine.connect() as connection:
            connection.info["start_until"] = start_until
            yield connection

    @asynccontextmanager
    async def listener(self, channel: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A connection of its own that listens to a channel.

        Raises CannotListenError behind a pooler, and psycopg.Error or TimeoutError when the database is away.
        """
        async with asyncio.timeout(LISTEN_SECONDS):
            connection = await connect(self._url)
        try:
            async with asyncio.timeout(LISTEN_SECONDS):
                if not await _limit(connection):
                    raise CannotListenError
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for a free connection: the pool itself never has to."""
        if self._waiting >= QUEUE_LENGTH:
            raise self._overloaded()
        self._waiting += 1
        try:
            async with asyncio.timeout(QUEUE_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise self._overloaded() from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()

    def _overloaded(self) -> ProblemError:
        self._on_overload()
        logger.warning("overloaded", extra={"waiting": self._waiting})
        return ProblemError(
            ErrorCode.OVERLOADED,
            "There is too much to do at the moment. Try again shortly.",
            retry_after=RETRY_AFTER_SECONDS,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()
        await self._probe_engine.dispose()


@asynccontextmanager
async def _within_limits() -> AsyncIterator[float]:
    """Bound what is done inside; yields until when it may send statements, by the event loop's clock."""
    started = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout_at(started + SESSION_SECONDS):
            yield started + START_SECONDS
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
