"""Deleted tasks: out of sight, and back on demand."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.support import Person, calls_of, expect_problem, text_of


def _trash(person: Person, **query: Any) -> list[str]:
    return [task["title"] for task in person.get("/api/trash", params=query).json()["items"]]


def test_a_deleted_task_is_in_the_trash_and_nowhere_else(alice: Person) -> None:
    task = alice.add("Buy milk", tags=["home"])
    alice.add("Other")
    path = f"/api/tasks/{task['id']}"
    assert alice.delete(path).status_code == 204
    assert alice.titles() == ["Other"]
    assert alice.titles(q="milk") == []
    assert alice.titles(tag="home") == []
    assert alice.get("/api/tasks").json()["total"] == 1
    for gone in (alice.get(path), alice.patch(path, json={"title": "x"}), alice.delete(path)):
        expect_problem(gone, "task_not_found", 404)
    (trashed,) = alice.get("/api/trash").json()["items"]
    assert (trashed["id"], trashed["title"]) == (task["id"], "Buy milk")
    deleted, purged = (datetime.fromisoformat(trashed[name]) for name in ("deleted_at", "purged_at"))
    assert purged - deleted == timedelta(days=30)


def test_the_assistant_sees_no_deleted_task_and_deletes_into_the_trash(alice: Person) -> None:
    alice.add("Buy milk")
    (proposal,) = alice.say("delete milk")["confirmations"]
    assert alice.post(f"/api/chat/confirmations/{proposal['id']}").status_code == 200
    assert "no" in text_of(alice.say("show all"))
    assert calls_of(alice.say("mark milk done")) == [("list_tasks", "ok")]
    assert _trash(alice) == ["Buy milk"]


def test_a_restored_task_is_what_it_was(alice: Person) -> None:
    task = alice.add("Buy milk", tags=["home"], priority="high", completed=True)
    alice.delete(f"/api/tasks/{task['id']}")
    answer = alice.post(f"/api/tasks/{task['id']}/restore")
    assert answer.status_code == 200
    restored = answer.json()
    assert answer.headers["etag"] == f'"{restored["version"]}"'
    assert restored == {**task, "version": 3, "updated_at": restored["updated_at"]}
    assert alice.titles() == ["Buy milk"]
    assert _trash(alice) == []
    again = alice.post(f"/api/tasks/{task['id']}/restore")
    assert (again.status_code, again.json()) == (200, restored)


def test_the_trash_is_its_owners(alice: Person, bob: Person) -> None:
    task = alice.add()
    alice.delete(f"/api/tasks/{task['id']}")
    assert _trash(bob) == []
    expect_problem(bob.post(f"/api/tasks/{task['id']}/restore"), "task_not_found", 404)
    expect_problem(bob.post(f"/api/tasks/{uuid.uuid4()}/restore"), "task_not_found", 404)
    assert _trash(alice) == ["Buy milk"]


def test_pages_of_the_trash(alice: Person) -> None:
    for number in range(5):
        alice.delete(f"/api/tasks/{alice.add(str(number))['id']}")
    seen, cursor = [], None
    while True:
        page = alice.get("/api/trash", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        seen += [task["title"] for task in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize("cursor", ["x", "WyJ0cmFzaCIsICJ4IiwgInkiXQ", "WyJ0cmFzaCIsIDEsIDJd"])
def test_cursors_that_are_none(alice: Person, cursor: str) -> None:
    expect_problem(alice.get("/api/trash", params={"cursor": cursor}), "invalid_cursor", 422)


def test_the_limit_counts_what_is_not_in_the_trash(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    task = alice.add()
    sql_connection.execute(
        "INSERT INTO tasks (id, user_id, title, description, priority, tags) SELECT gen_random_uuid(), user_id, "
        "'x', '', 2, '{}' FROM tasks, generate_series(1, 9999) WHERE id = %s",
        [task["id"]],
    )
    expect_problem(alice.post("/api/tasks", json={"title": "One more"}), "too_many_tasks", 409)
    assert alice.delete(f"/api/tasks/{task['id']}").status_code == 204
    alice.add("In its place")
    expect_problem(alice.post(f"/api/tasks/{task['id']}/restore"), "too_many_tasks", 409)
