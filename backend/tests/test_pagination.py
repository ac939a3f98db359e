"""Properties of lists: whatever the tasks, the filters, the order and the page size."""

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from src.tasks import service
from tests.support import Person, expect_problem

BASE = datetime(2026, 1, 1, tzinfo=UTC)
RANKS = {"low": 1, "medium": 2, "high": 3}
SORTS = [sign + name for name in ("created_at", "due_at", "priority", "title") for sign in ("", "-")]
TAGS = ("home", "shop", "work")

# Few different values, so that there are many equals to keep apart.
tasks = st.lists(
    st.fixed_dictionaries(
        {
            "title": st.sampled_from(["Milk", "milk", "Äpfel", "100%", "a_b", "Zebra", "é", "日本"]),
            "description": st.sampled_from(["", "milk", "two words", "%"]),
            "rank": st.integers(1, 3),
            "created": st.integers(0, 3),
            "due": st.none() | st.integers(0, 3),
            "done": st.booleans(),
            "tags": st.lists(st.sampled_from(TAGS), unique=True),
        }
    ),
    max_size=25,
)
queries = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["open", "completed"]),
        "q": st.sampled_from(["milk", "MILK", "%", "_", "words two", "äpfel", "nothing"]),
        "priority": st.sampled_from(list(RANKS)),
        "tag": st.sampled_from(TAGS),
        "due_after": st.integers(0, 4),
        "due_before": st.integers(0, 4),
    },
)


@pytest.fixture(scope="module")
def lister(url: str) -> Iterator[Person]:
    with closing(Person(url, f"{uuid.uuid4().hex}@example.com")) as person:
        yield person


@pytest.fixture(scope="module")
def lister_id(lister: Person) -> str:
    return str(lister.get("/api/auth/me").json()["id"])


def _store(connection: psycopg.Connection[Any], user_id: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    connection.execute("DELETE FROM tasks WHERE user_id = %s", [user_id])
    stored = [{**row, "id": str(uuid.uuid4())} for row in rows]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO tasks (id, user_id, title, description, priority, tags, due_at, completed_at, created_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    row["id"], user_id, row["title"], row["description"], row["rank"], row["tags"],
                    None if row["due"] is None else BASE + timedelta(days=row["due"]),
                    BASE if row["done"] else None, BASE + timedelta(microseconds=row["created"]),
                )
                for row in stored
            ],
        )  # fmt: skip
    return stored


def _matches(row: dict[str, Any], query: dict[str, Any]) -> bool:
    text = [row["title"].lower(), row["description"].lower()]
    return (
        ("status" not in query or row["done"] == (query["status"] == "completed"))
        and ("priority" not in query or row["rank"] == RANKS[query["priority"]])
        and ("tag" not in query or query["tag"] in row["tags"])
        and ("due_after" not in query or (row["due"] is not None and row["due"] >= query["due_after"]))
        and ("due_before" not in query or (row["due"] is not None and row["due"] < query["due_before"]))
        and all(any(word in part for part in text) for word in query.get("q", "").lower().split())
    )


def _key(sort: str, row: dict[str, Any]) -> Any:
    """What the order depends on, apart from the id and from how the database compares letters."""
    name = sort.removeprefix("-")
    if name == "title":
        return 0
    last = -1 if sort.startswith("-") else 99
    due = last if row["due"] is None else row["due"]
    return {"created_at": 0, "priority": row["rank"], "due_at": due}[name], row["created"]


def _walk(person: Person, query: dict[str, Any], limit: int, total: int) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    for _ in range(total + 2):
        params = {**query, "limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = person.get("/api/tasks", params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page["total"] == (None if cursor else total)
        assert len(page["items"]) <= limit
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return
        assert len(page["items"]) == limit
    pytest.fail("the list has no end")


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=tasks, query=queries, sort=st.sampled_from(SORTS), limit=st.integers(1, 10), few=st.integers(0, 5))
def test_pages_hold_each_matching_task_once_and_in_order(
    lister: Person,
    lister_id: str,
    sql_connection: psycopg.Connection[Any],
    rows: list[dict[str, Any]],
    query: dict[str, Any],
    sort: str,
    limit: int,
    few: int,
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "FEW", few)
        _check_pages(lister, _store(sql_connection, lister_id, rows), query, sort, limit)


def _check_pages(lister: Person, rows: list[dict[str, Any]], query: dict[str, Any], sort: str, limit: int) -> None:
    stored = {row["id"]: row for row in rows}
    expected = {task_id for task_id, row in stored.items() if _matches(row, query)}
    params = {k: (BASE + timedelta(days=v)).isoformat() if k.startswith("due") else v for k, v in query.items()}

    found = [task["id"] for task in _walk(lister, {**params, "sort": sort}, limit, len(expected))]

    assert len(found) == len(set(found)), "a task came twice"
    assert set(found) == expected
    keys = [_key(sort, stored[task_id]) for task_id in found]
    assert keys == sorted(keys, reverse=sort.startswith("-"))
    # Equals keep one order whatever the page size, and the opposite order is the exact reverse of it.
    whole = [task["id"] for task in _walk(lister, {**params, "sort": sort}, 100, len(expected))]
    assert found == whole
    if not sort.endswith("due_at"):
        opposite = sort.removeprefix("-") if sort.startswith("-") else f"-{sort}"
        assert [t["id"] for t in _walk(lister, {**params, "sort": opposite}, 100, len(expected))] == whole[::-1]


def test_titles_are_sorted_without_regard_to_case(alice: Person) -> None:
    for title in ("b", "A", "C", "a"):
        alice.add(title)
    assert [title.lower() for title in alice.titles(sort="title")] == ["a", "a", "b", "c"]


def test_a_page_goes_on_where_the_last_ended_though_tasks_come_and_go(alice: Person) -> None:
    for number in range(6):
        alice.add(f"Task {number}")
    first = alice.get("/api/tasks", params={"limit": 2}).json()
    alice.delete(f"/api/tasks/{first['items'][-1]['id']}")
    alice.add("New")
    rest = alice.titles(limit=100, cursor=first["next_cursor"])
    assert rest == ["Task 3", "Task 2", "Task 1", "Task 0"]


def _cursor(*values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


ID = str(uuid.UUID(int=0))


@pytest.mark.parametrize(
    ("sort", "cursor"),
    [
        ("-created_at", "nonsense"),
        ("-created_at", "ÄÖÜ"),
        ("-created_at", base64.urlsafe_b64encode(b"[" * 1000).decode()),
        ("-created_at", _cursor("created_at", BASE.isoformat(), ID)),
        ("-created_at", _cursor("-created_at", "yesterday", ID)),
        ("-created_at", _cursor("-created_at", BASE.isoformat(), "no id")),
        ("-created_at", _cursor("-created_at", None, ID)),
        ("-created_at", _cursor("-created_at", BASE.isoformat())),
        ("-created_at", _cursor("-created_at", "0001-01-01T00:00:00+23:59", ID)),
        ("priority", _cursor("priority", "high", BASE.isoformat(), ID)),
        ("priority", _cursor("priority", True, BASE.isoformat(), ID)),
        ("priority", _cursor("priority", 1, None, ID)),
        ("priority", _cursor("priority", 1, ID)),
        ("title", _cursor("title", 5, BASE.isoformat(), ID)),
        ("title", _cursor("title", "\ud800", BASE.isoformat(), ID)),
        ("title", base64.urlsafe_b64encode(b'{"a": 1}').decode()),
    ],
)
def test_cursors_that_are_not_ours_are_refused(alice: Person, sort: str, cursor: str) -> None:
    expect_problem(alice.get("/api/tasks", params={"sort": sort, "cursor": cursor}), "invalid_cursor", 422)


@pytest.mark.parametrize(
    ("sort", "cursor"),
    [
        ("priority", _cursor("priority", 10**30, BASE.isoformat(), ID)),
        ("title", _cursor("title", "a\0b", BASE.isoformat(), ID)),
        ("due_at", _cursor("due_at", None, BASE.isoformat(), ID)),
    ],
)
def test_odd_cursors_do_no_harm(alice: Person, sort: str, cursor: str) -> None:
    assert alice.get("/api/tasks", params={"sort": sort, "cursor": cursor}).status_code == 200


def test_a_cursor_tells_nothing_of_others(alice: Person, register: Callable[..., Person]) -> None:
    for number in range(3):
        alice.add(f"Task {number}")
    cursor = alice.get("/api/tasks", params={"limit": 1}).json()["next_cursor"]
    assert register().titles(cursor=cursor) == []
