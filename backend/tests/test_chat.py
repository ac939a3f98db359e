"""Conversations and confirmations, with the offline assistant."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from pydantic import TypeAdapter

from src.chat import service
from src.chat.schemas import ChatEvent
from tests.support import Person, calls_of, expect_problem, text_of


def test_the_stream_tells_what_happens(alice: Person) -> None:
    events = alice.events("add buy milk")
    assert [name for name, _ in events] == ["conversation", "tool_call", "tool_result", "delta", "done"]
    adapter: TypeAdapter[Any] = TypeAdapter(ChatEvent)
    for name, data in events:
        adapter.validate_python({"event": name, "data": data})
    (_, started), (_, call), (_, result), (_, delta), (_, done) = events
    assert started["assistant"] == "offline"
    assert started["title"] == "add buy milk"
    assert (call["name"], call["arguments"]) == ("add_task", {"title": "buy milk"})
    assert result["id"] == call["id"]
    assert result["result"]["tasks"] == alice.get("/api/tasks").json()["items"]
    assert delta["text"].endswith("Added “buy milk”.")
    assert done["conversation_id"] == started["conversation_id"]
    conversation = alice.get(f"/api/chat/conversations/{started['conversation_id']}").json()
    assert conversation["messages"][0]["content"] == "add buy milk"
    assert conversation["messages"][1:] == done["messages"]


def test_the_assistant_is_known_before_the_first_message(alice: Person) -> None:
    page = alice.get("/api/chat/conversations").json()
    assert page == {"items": [], "next_cursor": None, "assistant": "offline"}


def test_no_proxy_holds_a_stream_back(alice: Person) -> None:
    with alice.stream("POST", "/api/chat", json={"message": "hi"}) as answer:
        assert answer.headers["x-accel-buffering"] == "no"


def test_json_gives_the_answer_whole(alice: Person) -> None:
    reply = alice.say("add buy milk")
    assert reply["assistant"] == "offline"
    assert calls_of(reply) == [("add_task", "ok")]
    assert "I’m the offline assistant" in text_of(reply)
    assert reply["confirmations"] == []


def test_a_conversation_goes_on(alice: Person) -> None:
    first = alice.say("hi")
    second = alice.say("add buy milk", conversation_id=first["conversation_id"])
    assert second["conversation_id"] == first["conversation_id"]
    assert "offline" not in text_of(second)
    conversation = alice.get(f"/api/chat/conversations/{first['conversation_id']}").json()
    assert conversation["title"] == "hi"
    assert [m["role"] for m in conversation["messages"]] == ["user", "assistant", "user", "assistant", "assistant"]


def test_conversations_are_listed_latest_first_page_by_page(alice: Person) -> None:
    ids = [alice.say(f"hi {number}")["conversation_id"] for number in range(5)]
    alice.say("and again", conversation_id=ids[0])
    expected = [ids[0], *ids[:0:-1]]
    found: list[str] = []
    cursor = None
    for _ in range(3):
        page = alice.get("/api/chat/conversations", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == expected
    assert cursor is None


@pytest.mark.parametrize("cursor", ["nonsense", "WyJjb252ZXJzYXRpb25zIiwgImEiLCAiYiJd"])
def test_a_bad_cursor(alice: Person, cursor: str) -> None:
    expect_problem(alice.get("/api/chat/conversations", params={"cursor": cursor}), "invalid_cursor", 422)


def test_deleting_a_conversation_leaves_the_tasks(alice: Person) -> None:
    reply = alice.say("add buy milk")
    path = f"/api/chat/conversations/{reply['conversation_id']}"
    assert alice.delete(path).status_code == 204
    expect_problem(alice.get(path), "conversation_not_found", 404)
    expect_problem(alice.delete(path), "conversation_not_found", 404)
    answer = alice.post("/api/chat", json={"message": "hi", "conversation_id": reply["conversation_id"]})
    expect_problem(answer, "conversation_not_found", 404)
    assert alice.titles() == ["buy milk"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "message"),
        ({"message": ""}, "message"),
        ({"message": "  "}, "message"),
        ({"message": "x" * 4001}, "message"),
        ({"message": "a\u0000b"}, "message"),
        ({"message": "hi", "timezone": "Mars/Olympus"}, "timezone"),
        ({"message": "hi", "timezone": "../../etc/passwd"}, "timezone"),
        ({"message": "hi", "conversation_id": "1"}, "conversation_id"),
        ({"message": "hi", "user_id": str(uuid.uuid4())}, "user_id"),
    ],
)
def test_bad_messages_are_named(alice: Person, body: dict[str, Any], field: str) -> None:
    problem = expect_problem(alice.post("/api/chat", json=body), "validation_failed", 422)
    assert [e["field"] for e in problem["errors"]] == [field]


def test_tomorrow_is_the_users_tomorrow(alice: Person) -> None:
    zone = "Pacific/Kiritimati"  # fourteen hours ahead: another day for most of ours
    alice.say("add buy milk tomorrow", timezone=zone)
    due_at = datetime.fromisoformat(alice.get("/api/tasks").json()["items"][0]["due_at"])
    local = due_at + timedelta(hours=14)
    assert local.date() == (datetime.now(UTC) + timedelta(hours=14)).date() + timedelta(days=1)
    assert (local.hour, local.minute) == (23, 59)


def _propose(person: Person, title: str = "Buy milk") -> tuple[dict[str, Any], dict[str, Any]]:
    task = person.add(title)
    reply = person.say(f"delete {title}")
    assert calls_of(reply)[-1] == ("delete_task", "confirmation_required")
    (confirmation,) = reply["confirmations"]
    assert (confirmation["task_id"], confirmation["task_title"]) == (task["id"], title)
    assert (confirmation["status"], confirmation["action"]) == ("pending", "delete_task")
    return reply, confirmation


def test_a_deletion_waits_for_the_users_word(alice: Person) -> None:
    task = alice.add("Buy milk")
    events = alice.events("delete milk")
    (confirmation,) = [data for name, data in events if name == "confirmation"]
    assert alice.titles() == ["Buy milk"]
    answer = alice.post(f"/api/chat/confirmations/{confirmation['id']}")
    assert answer.status_code == 200
    assert answer.json() == {**confirmation, "status": "confirmed"}
    expect_problem(alice.get(f"/api/tasks/{task['id']}"), "task_not_found", 404)
    conversation = alice.get(f"/api/chat/conversations/{events[0][1]['conversation_id']}").json()
    assert conversation["confirmations"] == [answer.json()]
    assert conversation["messages"][-1]["content"] == "Deleted “Buy milk”."


def test_a_confirmation_works_once(alice: Person) -> None:
    _, confirmation = _propose(alice)
    path = f"/api/chat/confirmations/{confirmation['id']}"
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: alice.post(path).status_code, range(8)))
    assert sorted(statuses) == [200] + [409] * 7
    expect_problem(alice.post(path), "confirmation_resolved", 409)
    expect_problem(alice.delete(path), "confirmation_resolved", 409)


def test_a_cancelled_proposal_is_over(alice: Person) -> None:
    reply, confirmation = _propose(alice)
    path = f"/api/chat/confirmations/{confirmation['id']}"
    assert alice.delete(path).json() == {**confirmation, "status": "cancelled"}
    expect_problem(alice.post(path), "confirmation_resolved", 409)
    assert alice.titles() == ["Buy milk"]
    conversation = alice.get(f"/api/chat/conversations/{reply['conversation_id']}").json()
    assert conversation["messages"][-1]["content"] == "Kept “Buy milk”."


def test_a_confirmation_expires(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    reply, confirmation = _propose(alice)
    lifetime = datetime.fromisoformat(confirmation["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=9) < lifetime <= timedelta(minutes=10)
    sql_connection.execute("UPDATE confirmations SET expires_at = now() WHERE id = %s", [confirmation["id"]])
    path = f"/api/chat/confirmations/{confirmation['id']}"
    expect_problem(alice.post(path), "confirmation_expired", 410)
    expect_problem(alice.delete(path), "confirmation_expired", 410)
    conversation = alice.get(f"/api/chat/conversations/{reply['conversation_id']}").json()
    assert conversation["confirmations"][0]["status"] == "expired"
    assert alice.titles() == ["Buy milk"]


def test_a_task_that_has_gone_in_the_meantime(alice: Person) -> None:
    _, confirmation = _propose(alice)
    alice.delete(f"/api/tasks/{confirmation['task_id']}")
    expect_problem(alice.post(f"/api/chat/confirmations/{confirmation['id']}"), "task_not_found", 404)


def test_a_new_proposal_for_the_same_task_replaces_the_old_one(alice: Person) -> None:
    reply, first = _propose(alice)
    (second,) = alice.say("delete buy milk", conversation_id=reply["conversation_id"])["confirmations"]
    expect_problem(alice.post(f"/api/chat/confirmations/{first['id']}"), "confirmation_not_found", 404)
    assert alice.post(f"/api/chat/confirmations/{second['id']}").status_code == 200


def test_an_unknown_confirmation(alice: Person) -> None:
    expect_problem(alice.post(f"/api/chat/confirmations/{uuid.uuid4()}"), "confirmation_not_found", 404)


def test_only_the_latest_history_is_read(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    conversation = alice.say("hi")["conversation_id"]
    sql_connection.execute(
        "INSERT INTO messages (conversation_id, role, content, tool_calls) "
        "SELECT %s, 'user', 'line ' || n, '[]' FROM generate_series(1, 600) n",
        [conversation],
    )
    messages = alice.get(f"/api/chat/conversations/{conversation}").json()["messages"]
    assert [m["content"] for m in messages] == [f"line {n}" for n in range(101, 601)]
    assert alice.say("add buy milk", conversation_id=conversation)


def test_stored_calls_are_json_as_documented(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    conversation = alice.say("add buy milk")["conversation_id"]
    row = sql_connection.execute(
        "SELECT tool_calls FROM messages WHERE conversation_id = %s AND tool_calls <> '[]'", [conversation]
    ).fetchone()
    assert row is not None
    (call,) = row[0]
    assert set(call) == {"id", "name", "arguments", "result"}
    assert json.dumps(call)


def test_an_error_of_ours_in_a_stream(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(service, "read_object", broken)
    name, problem = alice.events("add buy milk")[-1]
    assert name == "error"
    assert problem["code"] == "internal_error"
    assert "secret detail" not in str(problem)


def test_a_conversation_from_before_tasks_had_versions(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    conversation = alice.say("add buy milk")["conversation_id"]
    sql_connection.execute(
        "UPDATE messages SET tool_calls = jsonb_set(tool_calls, '{0,result,tasks,0}', "
        "(tool_calls #> '{0,result,tasks,0}') - 'version') WHERE conversation_id = %s AND tool_calls <> '[]'",
        [conversation],
    )
    assert alice.get(f"/api/chat/conversations/{conversation}").status_code == 200
    assert calls_of(alice.say("mark it done", conversation_id=conversation)) == [("complete_task", "ok")]
