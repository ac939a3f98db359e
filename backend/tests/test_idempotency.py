"""Requests that are sent again."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from tests.support import JSON, Person, Proxy, expect_problem, stranger, text_of


def _add(person: Person, key: str, title: str = "Buy milk", **fields: Any) -> httpx.Response:
    return person.post("/api/tasks", json={"title": title, **fields}, headers={"Idempotency-Key": key})


def test_the_same_request_gets_the_same_answer(alice: Person) -> None:
    first, second = _add(alice, "k1"), _add(alice, "k1")
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    for name in ("location", "etag", "content-type"):
        assert first.headers[name] == second.headers[name]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert alice.titles() == ["Buy milk"]
    assert _add(alice, "k2").json()["id"] != first.json()["id"]
    assert alice.titles() == ["Buy milk", "Buy milk"]


def test_another_request_under_the_same_key_is_refused(alice: Person) -> None:
    _add(alice, "key")
    expect_problem(_add(alice, "key", title="Buy bread"), "idempotency_key_reused", 422)
    assert alice.titles() == ["Buy milk"]


def test_keys_are_their_users(alice: Person, bob: Person) -> None:
    assert _add(alice, "key").json()["id"] != _add(bob, "key", title="Bob’s").json()["id"]
    assert bob.titles() == ["Bob’s"]


@pytest.mark.parametrize("key", ["", "x" * 201, "a b"])
def test_keys_that_are_none(alice: Person, key: str) -> None:
    problem = expect_problem(_add(alice, key), "validation_failed", 422)
    assert [error["field"] for error in problem["errors"]] == ["idempotency-key"]
    assert alice.titles() == []


def test_what_was_refused_may_be_tried_again(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    expect_problem(_add(alice, "key", title=""), "validation_failed", 422)
    assert _add(alice, "key").status_code == 201
    assert sql_connection.execute(
        "SELECT count(*) FROM idempotency_keys WHERE key = 'key' AND status IS NULL"
    ).fetchone()


def test_all_at_once_make_one_task(alice: Person) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: _add(alice, "key"), range(8)))
    made = [answer for answer in answers if answer.status_code == 201]
    assert made
    assert len({answer.json()["id"] for answer in made}) == 1
    for answer in answers:
        if answer.status_code != 201:
            expect_problem(answer, "idempotency_in_progress", 409)
    assert alice.titles() == ["Buy milk"]


def test_one_that_is_still_being_answered(
    alice: Person, database_url: str, sql_connection: psycopg.Connection[Any]
) -> None:
    user = alice.get("/api/auth/me").json()["id"]
    with psycopg.connect(database_url) as other:
        other.execute(
            "INSERT INTO idempotency_keys (user_id, key, request, expires_at) VALUES (%s, 'key', '', now() + '1 day')",
            [user],
        )
        refused = _add(alice, "key")
        expect_problem(refused, "idempotency_in_progress", 409)
        assert refused.headers["retry-after"] == "1"
        other.rollback()
    assert _add(alice, "key").status_code == 201


def test_a_key_is_new_after_a_day(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    first = _add(alice, "key").json()
    sql_connection.execute("UPDATE idempotency_keys SET expires_at = now() - interval '1 second' WHERE key = 'key'")
    again = _add(alice, "key", title="Buy bread")
    assert again.status_code == 201
    assert again.json()["id"] != first["id"]


def test_what_was_answered_503_is_made_once(
    register: Any, proxied_url: str, proxy: Proxy, sql_connection: psycopg.Connection[Any]
) -> None:
    """The answer is lost, not the request: the client cannot know, and sends it again."""
    person = register(proxied_url)
    proxy.freeze()
    expect_problem(_add(person, "key"), "database_unavailable", 503)
    proxy.thaw()
    deadline = time.monotonic() + 10
    while (answer := _add(person, "key")).status_code != 201:
        assert answer.status_code in (409, 503), answer.text
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert person.titles() == ["Buy milk"]


def test_a_message_to_the_assistant_is_answered_once(alice: Person) -> None:
    headers = {"Idempotency-Key": "chat", **JSON}
    answers = [alice.post("/api/chat", json={"message": "add buy milk"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert alice.titles() == ["buy milk"]
    with alice.stream(
        "POST", "/api/chat", json={"message": "add buy milk"}, headers={"Idempotency-Key": "chat"}
    ) as stream:
        text = stream.read().decode()
    assert [line for line in text.splitlines() if line.startswith("event:")] == ["event: conversation", "event: done"]
    assert json.loads(text.rsplit("data: ", 1)[1]) == answers[0].json()
    reused = alice.post("/api/chat", json={"message": "other"}, headers=headers)
    expect_problem(reused, "idempotency_key_reused", 422)


def test_an_answer_that_failed_is_told_again(modeller: Person) -> None:
    headers = {"Idempotency-Key": "chat", **JSON}
    for _ in range(2):
        answer = modeller.post("/api/chat", json={"message": "fake:unauthorized"}, headers=headers)
        expect_problem(answer, "assistant_unavailable", 502)
    assert len(modeller.get("/api/chat/conversations").json()["items"]) == 1


def test_an_answer_that_is_still_going_on(modeller: Person) -> None:
    body, key = {"message": "fake:slow"}, {"Idempotency-Key": "chat"}
    with modeller.stream("POST", "/api/chat", json=body, headers=key) as stream:
        lines = stream.iter_lines()
        next(lines)
        again = stranger.post(
            modeller.base_url.join("/api/chat"),
            json=body,
            headers={**key, **JSON, "Authorization": f"Bearer {modeller.token}"},
        )
        expect_problem(again, "idempotency_in_progress", 409)
    # The client went away. What was said is in the conversation; nothing is done anew.
    deadline = time.monotonic() + 10
    while (answer := modeller.post("/api/chat", json=body, headers={**key, **JSON})).status_code == 409:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    expect_problem(answer, "assistant_interrupted", 502)
    assert "0" in text_of({"messages": _only_conversation(modeller)["messages"]})


def _only_conversation(person: Person) -> dict[str, Any]:
    (summary,) = person.get("/api/chat/conversations").json()["items"]
    conversation: dict[str, Any] = person.get(f"/api/chat/conversations/{summary['id']}").json()
    return conversation
