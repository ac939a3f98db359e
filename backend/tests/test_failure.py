"""What happens while the database is away, and after."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text

from src.app import create_app
from src.core import database as database_module
from src.core.database import (
    CONNECTIONS,
    LOCK_SECONDS,
    QUEUE_SECONDS,
    SESSION_SECONDS,
    START_SECONDS,
    STATEMENT_SECONDS,
    Database,
)
from src.core.errors import ProblemError
from tests.support import PASSWORD, PATIENCE, Person, Proxy, expect_problem, make_settings, serve, stranger


def _requests(person: Person) -> list[Callable[[], httpx.Response]]:
    # Without the cookie: a login would end the session of the others.
    credentials = {"email": person.email, "password": PASSWORD}
    return [
        lambda: person.get("/health/ready"),
        lambda: person.get("/api/tasks"),
        lambda: person.post("/api/tasks", json={"title": "Task"}),
        lambda: httpx.post(f"{person.base_url}/api/auth/login", json=credentials, timeout=30),
        lambda: person.post("/api/chat", json={"message": "add milk"}),
    ]


def _timed(request: Callable[[], httpx.Response]) -> tuple[httpx.Response, float]:
    started = time.perf_counter()
    return request(), time.perf_counter() - started


def _expect_unavailable(*requests: Callable[[], httpx.Response]) -> None:
    """All at once, as browsers send them."""
    with ThreadPoolExecutor(len(requests)) as pool:
        for answer, seconds in pool.map(_timed, requests):
            expect_problem(answer, "database_unavailable", 503)
            assert int(answer.headers["retry-after"]) > 0
            assert seconds < PATIENCE


def _settled(connection: psycopg.Connection[Any]) -> bool:
    """Whether nothing of the others runs any more: what a client has given up may still wait for a lock."""
    busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> %s"
    for _ in range(100):
        if connection.execute(busy, [connection.info.backend_pid]).fetchone() == (0,):
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module", autouse=True)
def _impatient(short_limits: None) -> None:
    """What happens at the limits is tested here."""


@pytest.fixture(scope="module")
def url(database_url: str) -> Iterator[str]:
    """An application whose connections have these limits."""
    with serve(create_app(make_settings(database_url))) as address:
        yield address


@pytest.fixture
def person(register: Callable[..., Person], proxied_url: str) -> Person:
    return register(proxied_url)


def test_an_answer_is_given_within_two_seconds() -> None:
    """By the backend's own clocks, whatever else its machine has to do."""
    assert QUEUE_SECONDS < SESSION_SECONDS < 2
    assert LOCK_SECONDS < STATEMENT_SECONDS
    assert START_SECONDS + STATEMENT_SECONDS < SESSION_SECONDS


def test_a_database_that_refuses(person: Person, proxy: Proxy) -> None:
    person.add("Before")
    proxy.close()
    _expect_unavailable(*_requests(person))
    assert person.get("/health").status_code == 200
    proxy.reopen()
    assert person.get("/health/ready").status_code == 200
    assert person.titles() == ["Before"]


def test_a_database_that_hangs(person: Person, proxy: Proxy) -> None:
    person.add("Before")
    proxy.freeze()
    _expect_unavailable(*_requests(person))
    assert person.get("/health").status_code == 200
    proxy.thaw()
    assert person.get("/health/ready").status_code == 200
    assert "Before" in person.titles()


def test_dropped_connections_are_not_noticed(person: Person, proxy: Proxy) -> None:
    for _ in range(3):
        person.add()
        proxy.cut()
    assert len(person.titles()) == 3


def test_connections_that_the_server_ends_are_not_noticed(
    person: Person, sql_connection: psycopg.Connection[Any]
) -> None:
    person.add()
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    sql_connection.execute(f"SELECT pg_terminate_backend(pid, 5000) {others}")  # waits until they have ended
    time.sleep(0.1)  # for the news to pass the proxy
    assert len(person.titles()) == 1


def test_a_database_that_is_away_for_a_moment_is_not_noticed(person: Person, proxy: Proxy) -> None:
    person.add()
    proxy.close()
    reopen_at = time.monotonic() + 0.1

    # The first attempt to connect fails, the second one does not.
    import threading

    timer = threading.Timer(reopen_at - time.monotonic(), proxy.reopen)
    timer.start()
    assert len(person.titles()) == 1
    timer.join()


def test_a_lock_held_too_long(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    task = alice.add()
    with sql_connection.transaction():
        sql_connection.execute("SELECT 1 FROM tasks WHERE id = %s FOR UPDATE", [task["id"]])
        _expect_unavailable(lambda: alice.patch(f"/api/tasks/{task['id']}", json={"title": "Blocked"}))
        sql_connection.execute("UPDATE tasks SET title = 'Newer' WHERE id = %s", [task["id"]])
    assert _settled(sql_connection)
    assert alice.titles() == ["Newer"], "what was answered 503 was applied afterwards"
    assert alice.patch(f"/api/tasks/{task['id']}", json={"title": "Free"}).status_code == 200


def test_tasks_that_were_answered_503_are_not_made_afterwards(
    alice: Person, sql_connection: psycopg.Connection[Any]
) -> None:
    with sql_connection.transaction():
        sql_connection.execute("LOCK TABLE tasks IN SHARE MODE")
        _expect_unavailable(*[lambda: alice.post("/api/tasks", json={"title": "Once"})] * 2)
    assert _settled(sql_connection)
    alice.add("Once")
    assert alice.titles() == ["Once"]


async def _run(database: Database, how: str, *statements: str) -> list[str]:
    """Run statements on one connection, or in one session; what each has to say."""
    async with getattr(database, how)() as executor:
        results = [await executor.execute(text(statement)) for statement in statements]
        return [str(result.scalar()) for result in results if result.returns_rows]


@pytest.fixture(params=["connection", "session"])
def how(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def run(database_url: str, how: str) -> Iterator[Callable[..., list[str]]]:
    """Runs statements as the application does."""
    with asyncio.Runner() as runner:
        database = Database(database_url)
        yield lambda *statements: runner.run(_run(database, how, *statements))
        runner.run(database.close())


def test_a_statement_that_takes_too_long_ends_on_the_server(
    run: Callable[..., list[str]], sql_connection: psycopg.Connection[Any]
) -> None:
    with pytest.raises(ProblemError, match="does not answer"):
        run("SELECT pg_sleep(60)")
    running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'"
    assert sql_connection.execute(running).fetchone() == (0,)


def test_a_statement_for_which_no_time_is_left_is_not_sent(
    run: Callable[..., list[str]], sql_connection: psycopg.Connection[Any]
) -> None:
    sleeps = [f"SELECT pg_sleep({database_module.START_SECONDS / 2})"] * 3
    with pytest.raises(ProblemError, match="does not answer"):
        run(*sleeps, "CREATE TABLE too_late ()")
    assert sql_connection.execute("SELECT to_regclass('too_late')").fetchone() == (None,)


def test_a_transaction_for_whose_end_no_time_is_left_is_rolled_back(
    database_url: str, sql_connection: psycopg.Connection[Any]
) -> None:
    async def run() -> None:
        database = Database(database_url)
        try:
            async with database.session() as session:
                await session.execute(text("CREATE TABLE too_late ()"))
                await asyncio.sleep(database_module.START_SECONDS)
        finally:
            await database.close()

    with pytest.raises(ProblemError, match="does not answer"):
        asyncio.run(run())
    assert sql_connection.execute("SELECT to_regclass('too_late')").fetchone() == (None,)


def test_behind_a_pooler_the_limits_go_with_each_transaction(
    run: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a session would be lost there, or be somebody else's."""
    show = ["SHOW statement_timeout", "SHOW lock_timeout", "SHOW idle_in_transaction_session_timeout"]
    # A pooler makes up the process that it names to its clients.
    monkeypatch.setattr(database_module, "_backend_pid", lambda _: 1)
    assert run(*show) == ["2400ms", "1800ms", "6s"], "three times as long as outside of these tests"
    assert run(*show) == ["2400ms", "1800ms", "6s"]
    # Nothing of them stays behind in the session.
    assert run("COMMIT AND CHAIN", *show) == ["0", "0", "0"]


def test_the_database_goes_in_the_middle_of_an_answer(
    register: Callable[..., Person], database_url: str, fake_openai: str, proxy: Proxy
) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(database_url)
    through = database_url.replace(f"{parts['host']}:{parts['port']}", f"127.0.0.1:{proxy.port}")
    settings = make_settings(through, openai_base_url=fake_openai, openai_api_key="sk-fake")
    with serve(create_app(settings)) as url:
        person = register(url)
        with person.stream("POST", "/api/chat", json={"message": "fake:slow"}) as answer:
            lines = answer.iter_lines()
            while '"text":"1 ' not in next(lines):
                pass
            proxy.close()
            rest = list(lines)
        proxy.reopen()
        assert "event: error" in rest
        assert '"code":"database_unavailable"' in rest[-2]
        assert person.titles() == []


def test_an_error_of_ours(url: str, alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    """A bug, simulated by a table that is not there: no detail of it leaves the process."""
    sql_connection.execute("ALTER TABLE rate_limits RENAME TO gone")
    try:
        answer = alice.post("/api/auth/login", json={"email": alice.email, "password": PASSWORD})
    finally:
        sql_connection.execute("ALTER TABLE gone RENAME TO rate_limits")
    expect_problem(answer, "internal_error", 500)
    assert "rate_limits" not in answer.text


@contextmanager
def _every_connection_taken(url: str, person: Person) -> Iterator[None]:
    """As many requests wait in the database as there are connections."""
    task = person.add()
    path = f"/api/tasks/{task['id']}"
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with (
        psycopg.connect(url, autocommit=True) as watcher,
        ThreadPoolExecutor(CONNECTIONS) as pool,
        psycopg.connect(url) as holder,
    ):
        holder.execute("SELECT 1 FROM tasks WHERE id = %s FOR UPDATE", [task["id"]])
        for _ in range(CONNECTIONS):
            pool.submit(person.patch, path, json={"title": "Waiting"})
        for _ in range(500):
            if watcher.execute(waiting).fetchone() == (CONNECTIONS,):
                break
            time.sleep(0.02)
        else:
            pytest.fail("they do not wait")
        yield


def test_waiting_for_a_connection_is_overload_and_no_outage(
    register: Callable[..., Person], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "QUEUE_SECONDS", 0.01)
    # Long enough for the others to be there still, whatever else the machine does.
    for limit in ("SESSION_SECONDS", "START_SECONDS", "STATEMENT_SECONDS", "LOCK_SECONDS"):
        monkeypatch.setattr(database_module, limit, 20)
    with serve(create_app(make_settings(database_url))) as url:
        person = register(url)
        with _every_connection_taken(database_url, person):
            answer = person.get("/api/tasks")
            expect_problem(answer, "overloaded", 503)
            assert int(answer.headers["retry-after"]) > 0
            monkeypatch.setattr(database_module, "QUEUE_SECONDS", 20)
            monkeypatch.setattr(database_module, "QUEUE_LENGTH", 0)
            expect_problem(person.get("/api/tasks"), "overloaded", 503)
            # Nobody takes the pod out of service for it, and who has no session needs no connection.
            assert person.get("/health/ready").status_code == 200
            for headers in ({}, {"Authorization": "Bearer nonsense"}):
                for method, path in (
                    ("GET", "/api/tasks"),
                    ("GET", "/api/auth/me"),
                    ("GET", "/api/chat/conversations"),
                ):
                    expect_problem(stranger.request(method, f"{url}{path}", headers=headers), "not_authenticated", 401)
                assert stranger.post(f"{url}/api/auth/logout", headers=headers).status_code == 204
        assert "database_overloads_total 2.0" in person.get("/metrics").text
