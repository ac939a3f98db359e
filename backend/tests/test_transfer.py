"""Everything of a user's, out and in again."""

import csv
import io
import json
import uuid
from typing import Any

import pytest

from src.tasks import service
from src.transfer import incoming, outgoing
from tests.support import Person, expect_problem

_NOW = "2026-11-22T09:30:00Z"


def export(person: Person) -> dict[str, Any]:
    answer = person.get("/api/export")
    assert answer.status_code == 200, answer.text
    file: dict[str, Any] = answer.json()
    return file


def take(person: Person, file: Any) -> dict[str, Any]:
    answer = person.post("/api/import", json=file)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def added(result: dict[str, Any]) -> list[tuple[int, int]]:
    return [(result[kind]["added"], result[kind]["skipped"]) for kind in ("tasks", "conversations")]


def _fill(person: Person) -> None:
    person.add("Rent", due_on="2026-12-01", due_zone="Europe/Berlin", tags=["home"], priority="high")
    person.add("Call", due_at="2026-12-01T17:00:00Z", description="two\nlines", completed=True)
    person.delete(f"/api/tasks/{person.add('Gone')['id']}")
    person.say("add buy milk tomorrow #shop")


def _compared(file: dict[str, Any]) -> Any:
    tasks = [
        {name: value for name, value in task.items() if name not in ("id", "updated_at", "version")}
        for task in file["tasks"]
    ]
    talks = [[(m["role"], m["content"], m["tool_calls"]) for m in talk["messages"]] for talk in file["conversations"]]
    return sorted(tasks, key=lambda task: task["title"]), talks


def test_what_was_exported_comes_in_whole_elsewhere_and_once(
    alice: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (outgoing, incoming):
        monkeypatch.setattr(module, "BATCH", 2)
    _fill(alice)
    file = export(alice)
    assert (file["format"], file["version"], file["account"]["email"]) == ("todo", 1, alice.email)
    assert len(file["sessions"]) == 1
    assert sorted(task["title"] for task in file["tasks"]) == ["Call", "Gone", "Rent", "buy milk"]
    assert added(take(alice, file)) == [(0, 4), (0, 1)]
    assert added(take(bob, file)) == [(4, 0), (1, 0)]
    assert added(take(bob, file)) == [(0, 4), (0, 1)]
    assert _compared(export(bob)) == _compared(file)
    assert sorted(bob.titles()) == ["Call", "Rent", "buy milk"]
    assert _compared(export(alice)) == _compared(file)


def test_a_larger_file_than_other_bodies_is_taken_and_a_huge_one_is_not(alice: Person) -> None:
    task = {**alice.add("Buy milk"), "description": "x" * 2000}
    file = {"format": "todo", "version": 1, "tasks": [{**task, "id": str(uuid.uuid4())} for _ in range(100)]}
    assert added(take(alice, file))[0] == (100, 0)
    answer = alice.post("/api/import", content=b" " * (11 * 1024 * 1024))
    expect_problem(answer, "payload_too_large", 413)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"version": 2}, "version"),
        ({"tasks": [{"title": "Buy milk"}]}, "tasks.0.id"),
        (
            {"tasks": [{"title": "\x00", "id": str(uuid.UUID(int=1)), "created_at": "2026-11-22T09:30:00Z"}]},
            "tasks.0.title",
        ),
    ],
)
def test_what_is_no_export_is_refused_whole(alice: Person, change: dict[str, Any], field: str) -> None:
    answer = alice.post("/api/import", json={"format": "todo", "version": 1, **change})
    problem = expect_problem(answer, "validation_failed", 422)
    assert problem["errors"][0]["field"] == field
    assert alice.titles() == []
    expect_problem(alice.post("/api/import", content=b"id,title"), "validation_failed", 422)


def test_an_import_goes_by_the_limit_of_tasks(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    file = export(alice) | {"tasks": [{**alice.add("One"), "id": str(uuid.uuid4())}]}
    monkeypatch.setattr(incoming, "MAX_TASKS", 1)
    expect_problem(alice.post("/api/import", json=file), "too_many_tasks", 409)
    assert service.MAX_TASKS == 10_000


def test_tasks_for_a_spreadsheet(alice: Person) -> None:
    alice.add("=1+1", tags=["home", "shop"])
    answer = alice.get("/api/export", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="todo.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["title"], row["tags"], row["completed"]) == ("'=1+1", "home,shop", "False")


def _take_table(person: Person, text: str | bytes) -> Any:
    content = text.encode() if isinstance(text, str) else text
    return person.post("/api/import", content=content, headers={"Content-Type": "text/csv; charset=utf-8"})


def test_a_table_comes_in_whole_elsewhere_and_once(alice: Person, bob: Person) -> None:
    _fill(alice)
    for title in ("=1+1", "'=1+1", "''quoted", "-1", 'a,b;"c"'):
        alice.add(title, description="line one\nline two", tags=["home", "shop"])
    text = alice.get("/api/export", params={"format": "csv"}).text
    result = _take_table(bob, text)
    assert result.status_code == 200, result.text
    assert added(result.json()) == [(9, 0), (0, 0)]
    assert added(_take_table(bob, text).json()) == [(0, 9), (0, 0)]
    assert _compared(export(bob))[0] == _compared(export(alice))[0]


def test_a_table_of_ones_own(alice: Person) -> None:
    text = (
        "\ufeffNo;title;completed;tags;priority;due_on\r\n1;Buy milk;TRUE;home,shop;HIGH;2026-12-01\r\n2;Rent;;;;\r\n"
    )
    assert added(_take_table(alice, text).json()) == [(2, 0), (0, 0)]
    assert added(_take_table(alice, text).json()) == [(0, 2), (0, 0)]
    milk, rent = alice.get("/api/tasks", params={"sort": "title"}).json()["items"]
    assert (milk["title"], milk["completed"], milk["tags"], milk["priority"]) == (
        "Buy milk",
        True,
        ["home", "shop"],
        "high",
    )
    assert (rent["completed"], rent["priority"], rent["due_on"]) == (False, "medium", None)


@pytest.mark.parametrize(
    ("text", "field", "code"),
    [
        ("name\r\nBuy milk\r\n", "", "csv_invalid"),
        ("", "", "csv_invalid"),
        (b"title\r\n\xff\r\n", "", "csv_invalid"),
        ("title\r\n" + "x" * 200_000, "", "csv_invalid"),
        ("title,priority\r\nOne,\r\nTwo,urgent\r\n", "tasks.1.priority", "enum"),
        ("title,completed\r\nOne,maybe\r\n", "tasks.0.completed", "bool_type"),
        ("title,tags\r\n,home\r\n", "tasks.0.title", "string_too_short"),
    ],
    ids=["no title", "nothing", "no text", "a long field", "a word", "no truth", "no name"],
)
def test_what_is_no_table_is_refused_whole(alice: Person, text: str | bytes, field: str, code: str) -> None:
    problem = expect_problem(_take_table(alice, text), "validation_failed", 422)
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [(field, code)]
    assert alice.titles() == []


def test_a_token_exports_nothing(alice: Person) -> None:
    token = alice.post("/api/tokens", json={"name": "Backup", "scope": "write"}).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    expect_problem(alice.get("/api/export", headers=headers), "session_required", 403)
    file = json.dumps({"format": "todo", "version": 1})
    assert alice.post("/api/import", content=file, headers=headers).status_code == 200


@pytest.mark.parametrize(("value", "status"), [("a\x00b", 200), ([[[]]], 200), (None, 200), ("deep", 422)])
def test_what_a_tool_was_given_is_stored_as_a_models_is(alice: Person, value: Any, status: int) -> None:
    for _ in range(40 if value == "deep" else 0):
        value = [value]
    call = {"id": "1", "name": "add_task", "arguments": {"x": value}, "result": {"status": "ok", "detail": "\x00"}}
    message = {"role": "assistant", "content": "", "tool_calls": [call], "created_at": _NOW}
    talk = {"id": str(uuid.uuid4()), "title": "", "created_at": _NOW, "updated_at": _NOW, "messages": [message]}
    answer = alice.post("/api/import", json={"format": "todo", "version": 1, "conversations": [talk]})
    assert answer.status_code == status, answer.text
