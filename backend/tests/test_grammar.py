"""One grammar for quick-add and the assistant: the table of cases that the frontend runs too."""

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from src.grammar.router import understood
from src.grammar.task import read_line
from tests.support import BACKEND, Person, expect_problem

TABLE: dict[str, Any] = json.loads((BACKEND / "tests" / "grammar.json").read_text())
NOW = datetime.fromisoformat(TABLE["now"]).astimezone(ZoneInfo(TABLE["zone"]))


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["text"])
def test_the_table(case: dict[str, Any]) -> None:
    line = read_line(case["text"], NOW)
    assert {
        "title": line.title,
        "due_on": line.due_on and line.due_on.isoformat(),
        "due_at": line.due_at and line.due_at.isoformat(),
        "priority": line.priority,
        "tags": line.tags,
        "spans": [[span.kind, case["text"][span.start : span.end]] for span in line.spans],
    } == {
        "title": case["title"],
        "due_on": case.get("due_on"),
        "due_at": case.get("due_at"),
        "priority": case.get("priority"),
        "tags": case.get("tags", []),
        "spans": case.get("spans", []),
    }


def test_the_table_is_a_table() -> None:
    texts = [case["text"] for case in TABLE["cases"]]
    assert len(texts) == len(set(texts)) >= 150


def test_hours_are_hours_also_when_the_clocks_are_changed() -> None:
    saturday = datetime(2026, 10, 24, 23, 30, tzinfo=NOW.tzinfo)
    due_at = read_line("call mum in 4 hours", saturday).due_at
    assert due_at is not None
    assert due_at.isoformat() == "2026-10-25T02:30:00+01:00"


def test_spans_count_as_javascript_does() -> None:
    parsed = understood("🥛 tomorrow #küche", NOW)
    assert [(span.kind, span.start, span.end, span.text) for span in parsed.spans] == [
        ("due", 3, 11, "tomorrow"),
        ("tag", 12, 18, "#küche"),
    ]


def test_the_route(alice: Person) -> None:
    parsed = alice.post("/api/parse", json={"text": "Pay rent tomorrow !high #home", "timezone": "Asia/Tokyo"}).json()
    assert (parsed["title"], parsed["priority"], parsed["tags"]) == ("Pay rent", "high", ["home"])
    assert (parsed["due_at"], parsed["due_zone"]) == (None, "Asia/Tokyo")
    assert [span["kind"] for span in parsed["spans"]] == ["due", "priority", "tag"]
    made = alice.add(**{key: parsed[key] for key in ("title", "due_on", "due_zone", "priority", "tags")})
    assert made["due_on"] == parsed["due_on"]
    expect_problem(alice.post("/api/parse", json={"text": ""}), "validation_failed", 422)


def test_the_assistant_reads_the_same(alice: Person) -> None:
    alice.say("add Read Genesis 3:16 tomorrow morning #1 #work", timezone="Europe/Berlin")
    (task,) = alice.get("/api/tasks").json()["items"]
    assert (task["title"], task["tags"], task["due_on"]) == ("Read Genesis 3:16 #1", ["work"], None)
    assert task["due_at"].endswith(("07:00:00Z", "08:00:00Z"))
