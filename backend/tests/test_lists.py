"""Lists: what is found, in which order, and with how much work."""

import asyncio
import re
import uuid
from typing import Any, cast

import psycopg
import pytest
from sqlalchemy import Select, create_engine

from src.tasks import service
from src.tasks.schemas import Sort, TaskQuery
from tests.support import Person


class _ExplainedError(Exception):
    pass


class _Explain:
    """Stands for a connection, and says what the database would do."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    async def execute(self, statement: Select[Any]) -> None:
        compiled = statement.compile(dialect=create_engine("postgresql+psycopg://").dialect)
        plan = self._connection.execute(f"EXPLAIN {compiled}", compiled.params)
        raise _ExplainedError("\n".join(line for (line,) in plan))


def _explain(person: Person, connection: psycopg.Connection[Any], **query: Any) -> str:
    user_id = uuid.UUID(person.get("/api/auth/me").json()["id"])
    listing = service.list_tasks(cast(Any, _Explain(connection)), user_id, TaskQuery(**query))
    with pytest.raises(_ExplainedError) as explained:
        asyncio.run(listing)
    return str(explained.value)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"q": "milk skimmed"}, "ix_tasks_words"),
        ({"q": "nowhere", "sort": "title"}, "ix_tasks_words"),
        ({"tag": "rare"}, "ix_tasks_user_id_tags"),
    ],
    ids=str,
)
def test_searching_reads_no_more_than_it_finds(
    collector: Person, sql_connection: psycopg.Connection[Any], query: dict[str, Any], index: str
) -> None:
    plan = _explain(collector, sql_connection, **query)
    # Both what is found and, where that is much, its total.
    assert plan.count(f"Index Scan on {index}") >= 2
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("sort", list(Sort))
def test_a_page_is_read_in_its_order(collector: Person, sql_connection: psycopg.Connection[Any], sort: Sort) -> None:
    cursor = collector.get("/api/tasks", params={"sort": sort, "limit": 1}).json()["next_cursor"]
    for query in ({"status": "open"}, {"cursor": cursor}):
        plan = _explain(collector, sql_connection, sort=sort, **query)
        # How its total is counted is the database's choice, as all that there is may be this user's.
        assert "Sort" not in plan
        assert re.search(r"Index (Only )?Scan (Backward )?using ix_tasks_\w+ on tasks ", plan)


def test_words_are_found_in_tags_too(alice: Person) -> None:
    alice.add("Milk", tags=["shop", "errand"])
    alice.add("Shopping list", description="Notes")
    assert alice.titles(q="shop") == ["Shopping list", "Milk"]
    assert alice.titles(q="#shop") == ["Milk"]
    assert alice.titles(q="rran mil") == ["Milk"]
    assert alice.titles(q="shoperrand") == []
    task = alice.get("/api/tasks", params={"q": "errand"}).json()["items"][0]
    alice.patch(f"/api/tasks/{task['id']}", json={"tags": ["shop"]}, headers={"If-Match": "*"})
    assert alice.titles(q="errand") == []


@pytest.mark.parametrize("sort", [sort for sort in Sort if not sort.startswith("-")])
def test_equals_come_in_the_order_in_which_they_were_made(alice: Person, sort: Sort) -> None:
    made = [alice.add("Same", due_on="2026-12-01")["id"] for _ in range(8)]

    def listed(order: str) -> list[str]:
        ids: list[str] = []
        cursor = None
        while cursor or not ids:
            page = alice.get("/api/tasks", params={"sort": order, "limit": 3, "cursor": cursor or []}).json()
            ids += [task["id"] for task in page["items"]]
            cursor = page["next_cursor"]
        return ids

    assert listed(sort) == made
    assert listed(f"-{sort}") == made[::-1]
