"""Changes as they happen, in every window and every process."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from src.app import create_app
from src.core import database
from src.events import hub, router
from tests.support import PATIENCE, Person, Proxy, expect_problem, make_settings, serve
from tests.test_process import running


class Window:
    """A window that listens."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()
        self.last_id = ""

    def next(self) -> tuple[str, dict[str, Any]]:
        """The next event."""
        name = data = ""
        for line in self._lines:
            key, _, value = line.partition(": ")
            name = value if key == "event" else name
            data = value if key == "data" else data
            if key == "id":
                self.last_id = value
            if not line and data:
                return name, httpx.Response(200, content=data).json()
        raise EOFError

    def change(self) -> tuple[str, str, int]:
        """What is told of the next change."""
        name, data = self.next()
        assert name == "task", (name, data)
        return data["change"], data["task_id"], data["version"]

    def is_at_its_end(self) -> bool:
        """Whether the server ends the stream, with nothing in it."""
        return "".join(self._lines).replace(": ping", "") == ""


@contextmanager
def window(person: Person, url: str = "", after: str = "", resumed: bool | None = None) -> Iterator[Window]:
    headers = {"Authorization": f"Bearer {person.token}", **({"Last-Event-ID": after} if after else {})}
    base = url or str(person.base_url)
    with (
        httpx.Client(base_url=base, timeout=PATIENCE) as client,
        client.stream("GET", "/api/events", headers=headers) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        opened = Window(answer)
        assert opened.next() == ("ready", {"resumed": bool(after) if resumed is None else resumed})
        yield opened


@pytest.fixture(scope="module")
def replica(database_url: str) -> Iterator[str]:
    """A second process of the application."""
    with serve(create_app(make_settings(database_url))) as address:
        yield address


def test_every_window_is_told_of_every_change(alice: Person, bob: Person, replica: str) -> None:
    with window(alice) as here, window(alice, replica) as there, window(bob) as others:
        task = alice.add()
        path = f"/api/tasks/{task['id']}"
        alice.patch(path, json={"completed": True})
        alice.delete(path)
        alice.post(f"{path}/restore")
        for seen in (here, there):
            assert [seen.change() for _ in range(4)] == [
                ("created", task["id"], 1),
                ("updated", task["id"], 2),
                ("deleted", task["id"], 3),
                ("restored", task["id"], 4),
            ]
        assert others.last_id == here.last_id or int(others.last_id) < int(here.last_id)
        mine = bob.add()
        assert others.change() == ("created", mine["id"], 1)


def test_what_the_assistant_does_is_told_too(alice: Person) -> None:
    with window(alice) as seen:
        reply = alice.say("add buy milk")
        (proposal,) = alice.say("delete milk", conversation_id=reply["conversation_id"])["confirmations"]
        alice.post(f"/api/chat/confirmations/{proposal['id']}")
        assert [seen.change()[0] for _ in range(2)] == ["created", "deleted"]


def test_it_goes_on_where_it_was_left(alice: Person, replica: str) -> None:
    with window(alice) as seen:
        first = alice.add("First")
        assert seen.change()[1] == first["id"]
    missed = alice.add("Second")
    with window(alice, replica, after=seen.last_id) as again:
        assert again.change() == ("created", missed["id"], 1)
        third = alice.add("Third")
        assert again.change() == ("created", third["id"], 1)


def test_more_changes_than_are_read_at_once(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.events.log.BATCH", 2)
    with window(alice) as seen:
        pass
    ids = [alice.add(str(number))["id"] for number in range(5)]
    with window(alice, after=seen.last_id) as again:
        assert [again.change()[1] for _ in range(5)] == ids


def test_who_was_away_for_too_long_is_told_so(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    with window(alice) as seen:
        pass
    alice.add("First")
    with window(alice, after=seen.last_id) as second:
        second.change()
    alice.add("Second")
    sql_connection.execute("DELETE FROM changes WHERE id <= %s", [int(second.last_id)])
    with window(alice, after=seen.last_id, resumed=False):
        pass
    with window(alice, after=second.last_id, resumed=True) as again:
        assert again.change()[0] == "created"
    sql_connection.execute("DELETE FROM changes")
    with window(alice, after=again.last_id, resumed=True):
        pass
    with window(alice, after=str(int(again.last_id) + 1000), resumed=False):
        pass


def test_ids_that_are_none(alice: Person) -> None:
    for value in ("x", "-1", "9" * 19):
        problem = expect_problem(alice.get("/api/events", headers={"Last-Event-ID": value}), "validation_failed", 422)
        assert [error["field"] for error in problem["errors"]] == ["last-event-id"]


def test_changes_of_one_user_are_told_in_the_order_in_which_they_commit(alice: Person, database_url: str) -> None:
    """The one that began first and commits last must not be passed over."""
    task, other = alice.add("Slow"), alice.add("Fast")
    with window(alice) as seen, psycopg.connect(database_url) as slow:
        slow.execute("UPDATE tasks SET title = 'Slower' WHERE id = %s", [task["id"]])
        refused = alice.patch(f"/api/tasks/{other['id']}", json={"title": "Faster"})
        expect_problem(refused, "database_unavailable", 503)
        slow.commit()
        alice.patch(f"/api/tasks/{other['id']}", json={"title": "Faster"})
        assert [seen.change()[1] for _ in range(2)] == [task["id"], other["id"]]


def test_after_an_outage_it_goes_on(register: Callable[..., Person], proxied_url: str, proxy: Proxy, url: str) -> None:
    person = register(proxied_url)
    with window(person) as seen:
        proxy.close()
        elsewhere = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {person.token}"})
        missed = elsewhere.post("/api/tasks", json={"title": "During the outage"}).json()
        proxy.reopen()
        assert seen.change() == ("created", missed["id"], 1)
        after = elsewhere.post("/api/tasks", json={"title": "After it"}).json()
        assert seen.change() == ("created", after["id"], 1)
        elsewhere.close()


def test_a_connection_that_hangs_is_found_out(
    register: Callable[..., Person], proxied_url: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "CHECK_SECONDS", 0.2)
    monkeypatch.setattr(hub, "CHECK_TIMEOUT", 0.2)
    person = register(proxied_url)
    with window(person) as seen:
        proxy.freeze()
        time.sleep(0.6)
        proxy.cut()
        proxy.thaw()
        task = _add_once_it_works(person)
        assert seen.change() == ("created", task["id"], 1)


def _add_once_it_works(person: Person) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while (
        answer := person.post("/api/tasks", json={"title": "x"}, headers={"Idempotency-Key": "k"})
    ).status_code != 201:
        assert time.monotonic() < deadline
    task: dict[str, Any] = answer.json()
    return task


def test_behind_a_pooler_the_log_is_asked(
    database_url: str,
    register: Callable[..., Person],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # A pooler makes up the process that it names to its clients.
    monkeypatch.setattr(database, "_backend_pid", lambda _: 0)
    with serve(create_app(make_settings(database_url))) as address:
        person = register(address)
        with window(person) as seen:
            for number in range(2):
                task = person.add(str(number))
                assert seen.change() == ("created", task["id"], 1)
    assert "behind a pooler" in caplog.text


def test_one_connection_listens_for_all_windows(
    database_url: str, register: Callable[..., Person], sql_connection: psycopg.Connection[Any]
) -> None:
    listening = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    before = sql_connection.execute(listening).fetchone()
    with serve(create_app(make_settings(database_url))) as address:
        person = register(address)
        with window(person), window(person), window(person) as seen:
            person.add()
            seen.change()
            after = sql_connection.execute(listening).fetchone()
            assert (before, after) != (None, None)
            assert after is not None
            assert before is not None
            assert after[0] == before[0] + 1


def test_windows_are_bounded(alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "MAX_STREAMS_OF_USER", 1)
    with window(alice):
        expect_problem(alice.get("/api/events"), "too_many_streams", 429)
        with window(bob):
            pass
    monkeypatch.setattr(hub, "MAX_STREAMS", 0)
    expect_problem(bob.get("/api/events"), "overloaded", 503)


def test_a_silent_stream_has_pings_and_an_end(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router, "PING_SECONDS", 0.1)
    monkeypatch.setattr(router, "LIFETIME_SECONDS", 1.0)
    with alice.stream("GET", "/api/events") as answer:
        text = answer.read().decode()
    assert text.startswith("retry: ")
    assert text.count(": ping\n\n") > 3


def test_when_the_process_ends_streams_do(database_url: str, register: Callable[..., Person]) -> None:
    with running(database_url, UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN="300") as process:
        person = register(process.url)
        with window(person) as seen:
            process.process.send_signal(signal.SIGTERM)
            assert seen.is_at_its_end()
            process.process.communicate(timeout=120)  # the grace period is not waited for
        assert process.process.returncode == 0
