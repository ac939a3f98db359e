"""What has had its time goes."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from src import sweep
from src.core.database import Database
from src.core.errors import ErrorCode, ProblemError
from src.tasks import trash
from tests.support import Person


def _sweep(url: str) -> dict[str, int]:
    async def run() -> dict[str, int]:
        database = Database(url)
        try:
            return await sweep.sweep(database)
        finally:
            await database.close()

    return asyncio.run(run())


def _count(connection: psycopg.Connection[Any], table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    assert row is not None
    return int(row[0])


@pytest.fixture
def own_url(new_database: Callable[..., str], migrated: str) -> str:
    """A database in which nobody else's things expire."""
    return new_database(migrated)


def _fill(connection: psycopg.Connection[Any]) -> None:
    """Two of each, one of them a second past its time."""
    connection.execute("""
        WITH person AS (
            INSERT INTO users (id, email, password_hash) VALUES (gen_random_uuid(), 'a@b.c', '') RETURNING id
        ), talk AS (
            INSERT INTO conversations (id, user_id, title) SELECT gen_random_uuid(), id, '' FROM person RETURNING *
        ), ages AS (SELECT * FROM (VALUES (interval '1 hour'), (interval '-1 second')) AS ages (left_over)
        ), sessions AS (
            INSERT INTO sessions (id, user_id, expires_at)
            SELECT gen_random_uuid(), id, now() + left_over FROM person, ages
        ), resets AS (
            INSERT INTO password_resets (digest, user_id, expires_at)
            SELECT left_over::text::bytea, id, now() + left_over FROM person, ages
        ), limits AS (
            INSERT INTO rate_limits (key, full_at) SELECT left_over::text, now() + left_over FROM ages
        ), keys AS (
            INSERT INTO idempotency_keys (user_id, key, request, expires_at)
            SELECT id, left_over::text, '', now() + left_over FROM person, ages
        ), confirmations AS (
            INSERT INTO confirmations (id, user_id, conversation_id, task_id, task_title, expires_at)
            SELECT gen_random_uuid(), user_id, id, gen_random_uuid(), '', now() - interval '30 days' + left_over
            FROM talk, ages
        ), changes AS (
            INSERT INTO changes (user_id, kind, task_id, version, created_at)
            SELECT id, 'updated', gen_random_uuid(), 1, now() - interval '1 hour' + left_over FROM person, ages
        )
        INSERT INTO tasks (id, user_id, title, description, priority, tags, deleted_at)
        SELECT gen_random_uuid(), id, '', '', 1, '{}', now() - interval '30 days' + left_over FROM person, ages
    """)
    connection.execute("DELETE FROM changes WHERE kind = 'created'")


def test_what_has_expired_is_removed_and_nothing_else(own_url: str) -> None:
    assert trash.LIFETIME.days == 30
    with psycopg.connect(own_url, autocommit=True) as connection:
        connection.execute("BEGIN")
        _fill(connection)
        connection.execute("COMMIT")
        assert _sweep(own_url) == dict.fromkeys(sweep.EXPIRED, 1)
        assert [_count(connection, table) for table in sweep.EXPIRED] == [1] * len(sweep.EXPIRED)


def test_one_process_at_a_time(own_url: str) -> None:
    with psycopg.connect(own_url) as other:
        _fill(other)
        other.commit()
        other.execute("SELECT pg_advisory_xact_lock(7236140052)")
        assert not any(_sweep(own_url).values())
        other.rollback()
        assert all(_sweep(own_url).values())


def test_a_run_is_bounded(own_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "BATCH", 2)
    monkeypatch.setattr(sweep, "MOST_BATCHES", 3)
    with psycopg.connect(own_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO rate_limits (key, full_at) SELECT n::text, now() - interval '1 s' FROM generate_series(1, 9) n"
        )
        assert [_sweep(own_url)["rate_limits"] for _ in range(3)] == [6, 3, 0]


def test_every_expiry_has_an_index(sql_connection: psycopg.Connection[Any], alice: Person) -> None:
    sql_connection.execute("SET enable_seqscan = off")
    for table, condition in sweep.EXPIRED.items():
        plan = sql_connection.execute(f"EXPLAIN SELECT 1 FROM {table} WHERE {condition}").fetchall()  # noqa: S608
        assert "Seq Scan" not in str(plan), plan


def test_it_happens_again_and_again(own_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "PAUSE_SECONDS", 0.01)
    seen: list[str] = []
    enough = asyncio.Event()

    async def fake(_: Database) -> dict[str, int]:
        seen.append("swept")
        if len(seen) == 3:
            enough.set()
        if len(seen) == 1:
            raise ProblemError(ErrorCode.DATABASE_UNAVAILABLE, "away")
        return {"tasks": 1}

    monkeypatch.setattr(sweep, "sweep", fake)

    async def run() -> None:
        task = asyncio.create_task(sweep.sweep_again_and_again(Database(own_url)))
        await enough.wait()
        task.cancel()

    asyncio.run(run())
