"""What has had its time is removed: in small batches, by one process at a time."""

import asyncio
import logging
import random

from sqlalchemy import text

from src.core.database import Database
from src.core.errors import ProblemError

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 60.0
BATCH = 500
"""Few enough for a statement's time limit, and for nobody to wait for."""

MOST_BATCHES = 100

_random = random.SystemRandom()

_LOCK = text("SELECT pg_try_advisory_xact_lock(7236140052)")

# Each condition has an index.
EXPIRED = {
    "sessions": "expires_at < now()",
    "password_resets": "expires_at < now()",
    "rate_limits": "full_at < now()",
    "idempotency_keys": "expires_at < now()",
    # Conversations show for a while what became of a proposal.
    "confirmations": "expires_at < now() - interval '30 days'",
    # Whoever was away for longer reads everything anew.
    "changes": "created_at < now() - interval '1 hour'",
    # src.tasks.trash.LIFETIME
    "tasks": "deleted_at < now() - interval '30 days'",
}


async def sweep(database: Database) -> dict[str, int]:
    """Remove what has expired, and say how much; nothing while another process does it. Raises ProblemError."""
    removed = dict.fromkeys(EXPIRED, 0)
    for table, condition in EXPIRED.items():
        statement = text(
            f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} WHERE {condition} "  # noqa: S608
            f"LIMIT {BATCH} FOR UPDATE SKIP LOCKED)) RETURNING 1"
        )
        for _ in range(MOST_BATCHES):
            async with database.session() as session:
                if not await session.scalar(_LOCK):
                    return removed
                count = len((await session.execute(statement)).all())
            removed[table] += count
            if count < BATCH:
                break
    return removed


async def sweep_again_and_again(database: Database) -> None:
    """Sweep every minute, until cancelled."""
    while True:
        # Replicas that started together do not ask together.
        await asyncio.sleep(PAUSE_SECONDS * _random.uniform(0.5, 1.5))
        try:
            removed = await sweep(database)
        except ProblemError:
            continue  # the database has other things to do, or is away: the next time
        if any(removed.values()):
            logger.info("swept", extra={"removed": {table: count for table, count in removed.items() if count}})
