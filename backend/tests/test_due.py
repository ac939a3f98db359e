"""Due dates: a day is no instant."""

from datetime import datetime
from typing import Any

import psycopg
import pytest

from tests.support import Person, expect_problem

TOKYO = {"due_on": "2026-12-01", "due_zone": "Asia/Tokyo"}


def _due(task: dict[str, Any]) -> tuple[Any, Any, Any]:
    return task["due_on"], task["due_at"], task["due_zone"]


def test_a_day_stays_that_day(alice: Person) -> None:
    task = alice.add(**TOKYO)
    # Its end, for clients that know times only, and for sorting it among them.
    assert _due(task) == ("2026-12-01", "2026-12-01T14:59:00Z", "Asia/Tokyo")
    assert alice.get(f"/api/tasks/{task['id']}").json() == task
    assert _due(alice.add(due_on="2026-12-01")) == ("2026-12-01", "2026-12-01T23:59:00Z", None)


def test_a_time_remembers_where_it_was_meant(alice: Person) -> None:
    task = alice.add(due_at="2026-12-01T09:00:00+09:00", due_zone="Asia/Tokyo")
    assert _due(task) == (None, "2026-12-01T00:00:00Z", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("change", "due"),
    [
        ({"due_on": "2026-12-02"}, ("2026-12-02", "2026-12-02T23:59:00Z", None)),
        ({"due_at": "2026-12-02T10:00:00Z"}, (None, "2026-12-02T10:00:00Z", None)),
        ({"due_at": "2026-12-02T10:00:00Z", "due_on": None}, (None, "2026-12-02T10:00:00Z", None)),
        ({**TOKYO, "due_at": None}, ("2026-12-01", "2026-12-01T14:59:00Z", "Asia/Tokyo")),
        ({"due_at": None}, (None, None, None)),
        ({"due_on": None}, (None, None, None)),
        ({"title": "Other"}, ("2026-12-01", "2026-12-01T14:59:00Z", "Asia/Tokyo")),
    ],
    ids=str,
)  # fmt: skip
def test_changes(alice: Person, change: dict[str, Any], due: tuple[Any, Any, Any]) -> None:
    task = alice.add(**TOKYO)
    assert _due(alice.patch(f"/api/tasks/{task['id']}", json=change).json()) == due


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"due_on": "2026-12-01", "due_at": "2026-12-01T10:00:00Z"}, ""),
        ({"due_zone": "Asia/Tokyo"}, ""),
        ({"due_on": "2026-12-01", "due_zone": "Moon/Base"}, "due_zone"),
        ({"due_on": "2026-02-30"}, "due_on"),
        ({"due_on": "1969-12-31"}, "due_on"),
        ({"due_on": "2026-12-01T00:00:00"}, "due_on"),
        ({"due_on": 1764547200}, "due_on"),
        ({"due_on": "tomorrow"}, "due_on"),
    ],
    ids=str,
)
def test_what_is_refused(alice: Person, fields: dict[str, Any], field: str) -> None:
    task = alice.add()
    for answer in (
        alice.post("/api/tasks", json={"title": "Task", **fields}),
        alice.patch(f"/api/tasks/{task['id']}", json=fields),
    ):
        problem = expect_problem(answer, "validation_failed", 422)
        assert [error["field"] for error in problem["errors"]] == [field]


@pytest.mark.parametrize("offset", ["+09:00", "-08:00", "+00:00"])
def test_a_day_is_listed_under_that_day_everywhere(alice: Person, offset: str) -> None:
    """Tokyo’s first of December is not Los Angeles’ thirtieth of November."""
    alice.add("Day", **TOKYO)
    alice.add("Time", due_at=f"2026-12-01T12:00:00{offset}")
    first, second = f"2026-12-01T00:00:00{offset}", f"2026-12-02T00:00:00{offset}"
    assert sorted(alice.titles(due_after=first, due_before=second)) == ["Day", "Time"]
    assert alice.titles(due_before=first) == []
    assert alice.titles(due_after=second) == []


def test_a_day_is_overdue_once_it_is_over(alice: Person) -> None:
    alice.add("Day", **TOKYO)
    assert alice.titles(due_before="2026-12-01T23:59:59-08:00") == []
    assert alice.titles(due_before="2026-12-02T00:00:01+09:00") == ["Day"]


def test_days_are_sorted_among_times(alice: Person) -> None:
    alice.add("Day", due_on="2026-12-01", due_zone="Europe/Berlin")
    alice.add("Evening", due_at="2026-12-01T22:00:00+01:00")
    alice.add("Next morning", due_at="2026-12-02T08:00:00+01:00")
    assert alice.titles(sort="due_at") == ["Evening", "Day", "Next morning"]


def test_what_was_due_before_there_were_days_stays_an_instant(
    alice: Person, sql_connection: psycopg.Connection[Any]
) -> None:
    task = alice.add(due_at="2026-12-01T22:59:00Z")
    (stored,) = sql_connection.execute("SELECT due_at FROM tasks WHERE id = %s", [task["id"]]).fetchone() or (None,)
    assert stored == datetime.fromisoformat("2026-12-01T22:59:00Z")
    assert _due(task) == (None, "2026-12-01T22:59:00Z", None)
