"""Reading the log of changes."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Row, Table, select, text

from src.core.database import Database
from src.events.models import Change

BATCH = 200

_CHANGES = cast(Table, Change.__table__)

# Whoever writes holds this lock until it commits: with it, all ids of the user's so far can be seen.
_SETTLE = text("SELECT pg_advisory_xact_lock_shared(hashtextextended(CAST(:user_id AS text), 0))")
_ENDS = text("""
    SELECT (SELECT min(id) FROM changes) AS oldest, CASE WHEN is_called THEN last_value ELSE 0 END AS latest
    FROM changes_id_seq
""")
_RECENT = text("SELECT user_id, max(id) AS id FROM changes WHERE created_at > now() - interval '5 seconds' GROUP BY 1")


@dataclass(frozen=True)
class Start:
    """Where in the log a stream begins."""

    position: int
    resumed: bool
    """Whether this is where the client had left it: if not, it may have missed something."""


async def start(database: Database, user_id: uuid.UUID, after: int | None) -> Start:
    """Begin after the change with the id that the client saw last, or now, if the log has no longer all since then."""
    async with database.session() as session:
        await session.execute(_SETTLE, {"user_id": str(user_id)})
        ends = (await session.execute(_ENDS)).one()
    if after is None or after > ends.latest:
        return Start(ends.latest, resumed=False)
    complete = after == ends.latest or (ends.oldest is not None and ends.oldest <= after + 1)
    return Start(after if complete else ends.latest, resumed=complete)


async def read(database: Database, user_id: uuid.UUID, after: int) -> Sequence[Row[int, str, uuid.UUID, int]]:
    """The user's next changes, at most BATCH."""
    statement = (
        select(_CHANGES.c.id, _CHANGES.c.kind, _CHANGES.c.task_id, _CHANGES.c.version)
        .where(_CHANGES.c.user_id == user_id, _CHANGES.c.id > after)
        .order_by(_CHANGES.c.id)
        .limit(BATCH)
    )
    async with database.connection() as connection:
        return (await connection.execute(statement)).all()


async def latest(database: Database) -> dict[uuid.UUID, int]:
    """Who changed something in the last seconds, and the id of the latest change."""
    async with database.connection() as connection:
        return {row.user_id: row.id for row in await connection.execute(_RECENT)}
