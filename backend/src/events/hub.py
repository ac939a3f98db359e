"""Who waits for changes in this process, and the one connection by which it hears of them."""

import asyncio
import logging
import uuid
import weakref

import psycopg

from src.core.database import CannotListenError, Database
from src.core.errors import ErrorCode, ProblemError
from src.core.logging import reason
from src.events import log

logger = logging.getLogger(__name__)

CHANNEL = "changes"
MAX_STREAMS_OF_USER = 20
MAX_STREAMS = 1000
"""How many streams a process serves: each costs some 50 kB."""

CHECK_SECONDS = 15.0
"""How often the connection is asked whether it still is one."""

CHECK_TIMEOUT = 2.0
POLL_SECONDS = 0.7
LONGEST_PAUSE = 5.0


class Waiter:
    """One stream that waits for changes of its user."""

    def __init__(self) -> None:
        """Awake, so that it first looks into the log."""
        self._event = asyncio.Event()
        self._event.set()

    def wake(self) -> None:
        """There may be something new."""
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        """Until it is woken, but at most so long; whether it was."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Hub:
    """Wakes the streams of whoever has changed something, in whichever process."""

    def __init__(self, database: Database) -> None:
        """Connects when the first one waits, not here."""
        self._database = database
        # Weak: a stream that its client leaves before it begins never gets to say so.
        self._waiters: dict[uuid.UUID, weakref.WeakSet[Waiter]] = {}
        self._task: asyncio.Task[None] | None = None
        self.closing = False
        """Whether the process ends: streams do too, so that their clients go to another one."""

    def join(self, user_id: uuid.UUID) -> Waiter:
        """Wait for a user's changes. Raises ProblemError(TOO_MANY_STREAMS), or OVERLOADED."""
        self._waiters = {user: waiters for user, waiters in self._waiters.items() if len(waiters)}
        if self.closing or sum(map(len, self._waiters.values())) >= MAX_STREAMS:
            raise ProblemError(
                ErrorCode.OVERLOADED, "There is too much to do at the moment. Try again shortly.", retry_after=2
            )
        mine = self._waiters.setdefault(user_id, weakref.WeakSet())
        if len(mine) >= MAX_STREAMS_OF_USER:
            raise ProblemError(
                ErrorCode.TOO_MANY_STREAMS,
                f"There are {MAX_STREAMS_OF_USER} windows open already, which is the limit. Close some first.",
                retry_after=30,
            )
        mine.add(waiter := Waiter())
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return waiter

    def close(self) -> None:
        """End all streams."""
        self.closing = True
        self._wake_all()

    async def stop(self) -> None:
        """Let go of the connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _wake(self, user_id: uuid.UUID) -> None:
        for waiter in self._waiters.get(user_id, ()):
            waiter.wake()

    def _wake_all(self) -> None:
        for user_id in self._waiters:
            self._wake(user_id)

    async def _run(self) -> None:
        pause = 0.25
        while True:
            try:
                async with self._database.listener(CHANNEL) as connection:
                    logger.info("listening for changes")
                    # What was missed before is in the log.
                    self._wake_all()
                    pause = 0.25
                    await self._listen(connection)
            except CannotListenError:
                logger.warning("behind a pooler nothing can be listened for: changes are looked for in their log")
                await self._poll()
            except (psycopg.Error, OSError, TimeoutError) as error:
                logger.warning("not listening for changes", extra={"reason": reason(error)})
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _listen(self, connection: psycopg.AsyncConnection[object]) -> None:
        while True:
            async for notification in connection.notifies(timeout=CHECK_SECONDS):
                self._wake(uuid.UUID(notification.payload))
            # Silence may be that of a network that swallows.
            async with asyncio.timeout(CHECK_TIMEOUT):
                await connection.execute("SELECT 1")

    async def _poll(self) -> None:
        seen: dict[uuid.UUID, int] = {}
        while True:
            await asyncio.sleep(POLL_SECONDS)
            if not any(map(len, self._waiters.values())):
                continue
            try:
                latest = await log.latest(self._database)
            except ProblemError:
                continue  # away: the next time
            for user_id, change in latest.items():
                if seen.get(user_id) != change:
                    self._wake(user_id)
            seen = latest
