"""Tasks over REST."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support import Person, calls_of, expect_problem


def test_create_with_defaults(alice: Person) -> None:
    answer = alice.post("/api/tasks", json={"title": "  Buy milk  "})
    assert answer.status_code == 201
    task = answer.json()
    assert answer.headers["location"] == f"/api/tasks/{task['id']}"
    assert datetime.fromisoformat(task.pop("created_at")) == datetime.fromisoformat(task.pop("updated_at"))
    assert uuid.UUID(task.pop("id")).version == 4
    assert task == {
        "title": "Buy milk",
        "description": "",
        "completed": False,
        "completed_at": None,
        "priority": "medium",
        "due_at": None,
        "due_on": None,
        "due_zone": None,
        "tags": [],
        "version": 1,
    }


def test_create_with_everything(alice: Person) -> None:
    task = alice.add(
        "Größe prüfen 🥛",
        description="Two\nlines",
        priority="high",
        due_at="2026-12-01T18:00:00+01:00",
        tags=["#Home", "home", " Shop "],
        completed=True,
    )
    assert task["title"] == "Größe prüfen 🥛"
    assert task["description"] == "Two\nlines"
    assert task["priority"] == "high"
    assert task["due_at"] == "2026-12-01T17:00:00Z"
    assert task["tags"] == ["home", "shop"]
    assert task["completed"] is True
    assert task["completed_at"] is not None
    assert alice.get(f"/api/tasks/{task['id']}").json() == task


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"title": None}, "title", "string_type"),
        ({"title": "   "}, "title", "string_too_short"),
        ({"title": "x" * 201}, "title", "string_too_long"),
        ({"title": "a\nb"}, "title", "value_error"),
        ({"title": "a\u0000b"}, "title", "value_error"),
        ({"description": "x" * 2001}, "description", "string_too_long"),
        ({"description": "a\u0000b"}, "description", "value_error"),
        ({"priority": "urgent"}, "priority", "enum"),
        ({"completed": "maybe"}, "completed", "bool_type"),
        ({"due_at": "tomorrow"}, "due_at", "datetime_from_date_parsing"),
        ({"due_at": "2026-12-01T10:00:00"}, "due_at", "timezone_aware"),
        ({"due_at": "9999-12-31T23:59:59-23:59"}, "due_at", "value_error"),
        ({"due_at": "0001-01-01T00:00:00+23:59"}, "due_at", "value_error"),
        ({"tags": ["x" * 51]}, "tags.0", "string_too_long"),
        ({"tags": ["ok", "#"]}, "tags.1", "value_error"),
        ({"tags": [str(i) for i in range(21)]}, "tags", "too_long"),
        ({"tags": "home"}, "tags", "list_type"),
        ({"id": "mine"}, "id", "extra_forbidden"),
        ({"user_id": "mine"}, "user_id", "extra_forbidden"),
    ],
)
def test_bad_fields_are_named(alice: Person, fields: dict[str, Any], field: str, code: str) -> None:
    task = alice.add()
    for answer in (
        alice.post("/api/tasks", json={"title": "Task", **fields}),
        alice.patch(f"/api/tasks/{task['id']}", json=fields),
    ):
        problem = expect_problem(answer, "validation_failed", 422)
        if fields == {"title": None} and answer.request.method == "PATCH":
            assert "must not be null" in answer.text
            continue
        assert [(e["field"], e["code"]) for e in problem["errors"]] == [(field, code)]
        assert field.split(".")[0] in problem["detail"]


def test_the_limits_themselves_are_accepted(alice: Person) -> None:
    tags = [f"{i:02}" + "x" * 48 for i in range(20)]
    task = alice.add("x" * 200, description="y" * 2000, tags=tags)
    assert (len(task["title"]), len(task["description"]), task["tags"]) == (200, 2000, tags)


@pytest.mark.parametrize("body", ["{", '"text"', "[1]", "null", '{"title": "\\ud800"}', "\xff"])
def test_bodies_that_are_no_task(alice: Person, body: str) -> None:
    answer = alice.post("/api/tasks", content=body.encode("latin-1"), headers={"Content-Type": "application/json"})
    if body == "\xff":
        expect_problem(answer, "bad_request", 400)
    else:
        expect_problem(answer, "validation_failed", 422)


def test_patch_changes_what_is_given_and_nothing_else(alice: Person) -> None:
    before = alice.add(priority="low", tags=["home"], due_at="2026-12-01T10:00:00Z", description="Two litres")
    path = f"/api/tasks/{before['id']}"
    changes: list[dict[str, Any]] = [
        {"title": "Buy oat milk"},
        {"description": ""},
        {"priority": "high"},
        {"due_at": "2027-01-01T00:00:00Z"},
        {"due_at": None},
        {"tags": []},
    ]
    for change in changes:
        answer = alice.patch(path, json=change, headers={"If-Match": f'"{before["version"]}"'})
        assert answer.status_code == 200
        after = answer.json()
        assert after["updated_at"] > before["updated_at"]
        assert after == {**before, **change, "updated_at": after["updated_at"], "version": before["version"] + 1}
        assert alice.get(path).json() == after
        before = after


def test_completing_and_reopening(alice: Person) -> None:
    task = alice.add()
    path = f"/api/tasks/{task['id']}"
    done = alice.patch(path, json={"completed": True}).json()
    assert done["completed"] is True
    assert done["completed_at"] is not None
    again = alice.patch(path, json={"completed": True, "title": "Bought"}).json()
    assert again["completed_at"] == done["completed_at"]
    reopened = alice.patch(path, json={"completed": False}).json()
    assert reopened["completed"] is False
    assert reopened["completed_at"] is None


def test_an_empty_patch_is_refused(alice: Person) -> None:
    task = alice.add()
    expect_problem(alice.patch(f"/api/tasks/{task['id']}", json={}), "validation_failed", 422)


def test_delete(alice: Person) -> None:
    task = alice.add()
    path = f"/api/tasks/{task['id']}"
    assert alice.delete(path).status_code == 204
    for method in ("GET", "DELETE"):
        expect_problem(alice.request(method, path), "task_not_found", 404)
    expect_problem(alice.patch(path, json={"title": "Back"}), "task_not_found", 404)


def test_an_id_that_is_none(alice: Person) -> None:
    problem = expect_problem(alice.get("/api/tasks/42"), "validation_failed", 422)
    assert problem["errors"][0]["field"] == "task_id"


def test_filters(alice: Person) -> None:
    alice.add("Buy milk", tags=["home"], priority="high", due_at="2026-12-01T10:00:00Z")
    alice.add("Buy bread", tags=["home", "shop"], completed=True)
    alice.add("Call 100%_sure", description="about the milk", due_at="2026-12-02T10:00:00Z")
    assert alice.titles(status="open") == ["Call 100%_sure", "Buy milk"]
    assert alice.titles(status="completed") == ["Buy bread"]
    assert alice.titles(q="MILK") == ["Call 100%_sure", "Buy milk"]
    assert alice.titles(q="milk buy") == ["Buy milk"]
    assert alice.titles(q="%_") == ["Call 100%_sure"]
    assert alice.titles(q="_") == ["Call 100%_sure"]
    assert alice.titles(q="\\") == []
    assert alice.titles(q="  ") == ["Call 100%_sure", "Buy bread", "Buy milk"]
    assert alice.titles(priority="high") == ["Buy milk"]
    assert alice.titles(tag="#Home") == ["Buy bread", "Buy milk"]
    assert alice.titles(tag="hom") == []
    assert alice.titles(due_after="2026-12-01T10:00:00Z") == ["Call 100%_sure", "Buy milk"]
    assert alice.titles(due_before="2026-12-02T10:00:00Z") == ["Buy milk"]
    assert alice.titles(tag="home", status="open", q="milk", priority="high") == ["Buy milk"]


def test_when_tasks_were_completed(alice: Person) -> None:
    alice.add("Open")
    done = alice.add("Done", completed=True)["completed_at"]
    later = (datetime.fromisoformat(done) + timedelta(milliseconds=1)).isoformat()
    assert alice.titles(completed_after=done) == ["Done"]
    assert alice.titles(completed_after=later) == []
    assert alice.titles(completed_before=later) == ["Done"]
    assert alice.titles(completed_before=done) == []
    assert alice.titles(completed_after=done, completed_before=later, status="open") == []


def test_the_total_counts_all_pages(alice: Person) -> None:
    for number in range(5):
        alice.add(f"Task {number}")
    first = alice.get("/api/tasks", params={"limit": 2}).json()
    assert (len(first["items"]), first["total"]) == (2, 5)
    last = alice.get("/api/tasks", params={"limit": 100}).json()
    assert (len(last["items"]), last["total"], last["next_cursor"]) == (5, 5, None)
    none = alice.get("/api/tasks", params={"q": "nothing like it"}).json()
    assert none == {"items": [], "next_cursor": None, "total": 0}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "done"}, "status"),
        ({"sort": "colour"}, "sort"),
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"q": "x" * 201}, "q"),
        ({"q": "a\u0000b"}, "q"),
        ({"tag": ""}, "tag"),
        ({"priority": "1"}, "priority"),
        ({"due_after": "2026-12-01"}, "due_after"),
        ({"page": "2"}, "page"),
    ],
)
def test_bad_queries_are_named(alice: Person, query: dict[str, str], field: str) -> None:
    problem = expect_problem(alice.get("/api/tasks", params=query), "validation_failed", 422)
    assert [e["field"] for e in problem["errors"]] == [field]


def test_no_more_tasks_than_are_allowed(collector: Person) -> None:
    last = collector.add("The last one")
    expect_problem(collector.post("/api/tasks", json={"title": "One more"}), "too_many_tasks", 409)
    assert calls_of(collector.say("add one more")) == [("add_task", "too_many_tasks")]
    assert collector.patch(f"/api/tasks/{last['id']}", json={"title": "Changed"}).status_code == 200
    assert collector.delete(f"/api/tasks/{last['id']}").status_code == 204
    collector.add("Room again")


def test_a_search_has_eight_words_at_most(alice: Person) -> None:
    alice.add("a b c d e f g h")
    assert alice.titles(q="a b c d e f g x") == []
    assert alice.titles(q="a b c d e f g h x y") == ["a b c d e f g h"]
    assert alice.titles(q="a a a a a a a a x") == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"completed": 0}, "completed"),
        ({"completed": "true"}, "completed"),
        ({"due_at": 0.5}, "due_at"),
        ({"due_at": "1764608400"}, "due_at"),
        ({"title": "\u200b\u200d"}, "title"),
        ({"title": "\u3164"}, "title"),
        ({"title": "\u202ekcart"}, "title"),
        ({"tags": ["\u200b"]}, "tags.0"),
        ({"tags": ["İ" * 49 + "a", "İ" * 49 + "b"]}, "tags.0"),
    ],
    ids=str,
)
def test_what_only_seems_to_be_a_value(alice: Person, fields: dict[str, Any], field: str) -> None:
    task = alice.add()
    for answer in (
        alice.post("/api/tasks", json={"title": "Task", **fields}),
        alice.patch(f"/api/tasks/{task['id']}", json=fields),
    ):
        problem = expect_problem(answer, "validation_failed", 422)
        assert problem["errors"][0]["field"] == field
    assert alice.get("/api/tasks").json()["items"] == [task]


def test_what_must_not_be_null_is_named(alice: Person) -> None:
    task = alice.add()
    for name in ("title", "description", "priority", "tags", "completed"):
        answer = alice.patch(f"/api/tasks/{task['id']}", json={name: None})
        assert expect_problem(answer, "validation_failed", 422)["errors"][0]["field"] == name
    answer = alice.get("/api/tasks", params={"due_before": "0.5"})
    assert expect_problem(answer, "validation_failed", 422)["errors"][0]["field"] == "due_before"


def test_tags_are_the_same_however_they_are_composed(alice: Person) -> None:
    assert alice.add(tags=["caf\u00e9", "cafe\u0301"])["tags"] == ["caf\u00e9"]
    assert alice.titles(tag="CAFE\u0301") == ["Buy milk"]


@pytest.mark.parametrize("title", ["🥛" * 200, '"\\' * 100], ids=["emoji", "escapes"])
def test_a_cursor_of_ours_is_never_too_long(alice: Person, title: str) -> None:
    for _ in range(2):
        alice.add(title)
    cursor = alice.get("/api/tasks", params={"sort": "title", "limit": 1}).json()["next_cursor"]
    assert alice.titles(sort="title", cursor=cursor) == [title]
