"""Nobody reaches what belongs to another, on any route."""

import re
import uuid
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from src.app import create_app
from tests.support import Person, expect_problem, make_settings

# Every route under /api: what it answers to someone else, or why there is nothing of another's to reach.
OWN = "works on the caller's own account only"
ROUTES: dict[tuple[str, str], str] = {
    ("POST", "/api/auth/register"): OWN,
    ("POST", "/api/auth/login"): OWN,
    ("POST", "/api/auth/logout"): OWN,
    ("GET", "/api/auth/me"): OWN,
    ("DELETE", "/api/auth/me"): OWN,
    ("PUT", "/api/auth/password"): OWN,
    ("GET", "/api/auth/reset"): "public",
    ("POST", "/api/auth/reset"): "public",
    ("POST", "/api/auth/reset/mail"): "public",
    ("GET", "/api/auth/sessions"): OWN,
    ("DELETE", "/api/auth/sessions"): OWN,
    ("DELETE", "/api/auth/sessions/{session_id}"): "session_not_found",
    ("GET", "/api/tokens"): OWN,
    ("POST", "/api/tokens"): OWN,
    ("DELETE", "/api/tokens/{token_id}"): "token_not_found",
    ("GET", "/api/tasks"): OWN,
    ("POST", "/api/tasks"): OWN,
    ("GET", "/api/tasks/{task_id}"): "task_not_found",
    ("PATCH", "/api/tasks/{task_id}"): "task_not_found",
    ("DELETE", "/api/tasks/{task_id}"): "task_not_found",
    ("POST", "/api/tasks/{task_id}/restore"): "task_not_found",
    ("GET", "/api/trash"): OWN,
    ("GET", "/api/events"): OWN,
    ("GET", "/api/export"): OWN,
    ("POST", "/api/import"): OWN,
    ("POST", "/api/parse"): OWN,
    ("POST", "/api/chat"): "conversation_not_found",
    ("GET", "/api/chat/conversations"): OWN,
    ("GET", "/api/chat/conversations/{conversation_id}"): "conversation_not_found",
    ("DELETE", "/api/chat/conversations/{conversation_id}"): "conversation_not_found",
    ("POST", "/api/chat/confirmations/{confirmation_id}"): "confirmation_not_found",
    ("DELETE", "/api/chat/confirmations/{confirmation_id}"): "confirmation_not_found",
    ("GET", "/api/openapi.json"): "public",
    ("GET", "/api/docs"): "public",
}
FOREIGN = [(*route, code) for route, code in ROUTES.items() if code.endswith("_not_found")]
PRIVATE = [
    route
    for route, kind in ROUTES.items()
    if kind != "public" and route[1].rsplit("/", 1)[1] not in ("register", "login", "logout")
]


def _routes(app: Any) -> set[tuple[str, str]]:
    document = app.openapi()
    listed = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    plain = {(m, r.path) for r in app.routes if isinstance(r, APIRoute) for m in r.methods or ()}
    return {route for route in listed | plain if route[1].startswith("/api/")}


def test_the_list_of_routes_is_complete(database_url: str) -> None:
    assert _routes(create_app(make_settings(database_url))) == set(ROUTES)


def _everything_of(person: Person) -> dict[str, str]:
    task = person.add("Private")
    reply = person.say("delete private")
    return {
        "session_id": person.get("/api/auth/sessions").json()["items"][0]["id"],
        "token_id": person.post("/api/tokens", json={"name": "Backup"}).json()["id"],
        "task_id": task["id"],
        "conversation_id": reply["conversation_id"],
        "confirmation_id": reply["confirmations"][0]["id"],
    }


def _request(person: httpx.Client, method: str, path: str, ids: dict[str, str]) -> httpx.Response:
    body: dict[str, Any] = {
        "PATCH": {"title": "Mine now"},
        "POST": {"message": "hello", "conversation_id": ids["conversation_id"]} if path == "/api/chat" else {},
    }.get(method, {})
    return person.request(method, path.format(**ids), json=body or None)


@pytest.mark.parametrize(("method", "path", "code"), FOREIGN)
def test_another_users_things_do_not_exist(alice: Person, bob: Person, method: str, path: str, code: str) -> None:
    ids = _everything_of(alice)
    before = [alice.get(f"/api/tasks/{ids['task_id']}").json(), _conversation(alice, ids)]
    foreign = expect_problem(_request(bob, method, path, ids), code, 404)
    unknown = expect_problem(_request(bob, method, path, {key: str(uuid.uuid4()) for key in ids}), code, 404)
    assert {**foreign, "request_id": ""} == {**unknown, "request_id": ""}, "one can tell that it exists"
    assert [alice.get(f"/api/tasks/{ids['task_id']}").json(), _conversation(alice, ids)] == before


def _conversation(person: Person, ids: dict[str, str]) -> Any:
    answer = person.get(f"/api/chat/conversations/{ids['conversation_id']}")
    assert answer.status_code == 200
    return answer.json()


def test_lists_hold_only_ones_own(alice: Person, bob: Person) -> None:
    _everything_of(alice)
    assert bob.get("/api/tasks").json() == {"items": [], "next_cursor": None, "total": 0}
    assert bob.titles(q="private") == []
    assert bob.get("/api/chat/conversations").json() == {"items": [], "next_cursor": None, "assistant": "offline"}
    assert "Private" not in str(bob.say("show all"))


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_without_a_session_there_is_nothing(url: str, alice: Person, method: str, path: str) -> None:
    ids = _everything_of(alice)
    with httpx.Client(base_url=url) as nobody:
        body = {"message": "hi", "title": "Task", "password": "12345678"}
        allowed = {
            "/api/chat": {"message": "hi"},
            "/api/tasks": {"title": "Task"},
            "/api/parse": {"text": "Task"},
            "/api/tokens": {"name": "Token"},
            "/api/auth/me": {"password": body["password"]},
            "/api/auth/password": {"password": body["password"], "new_password": body["password"]},
        }
        given = (
            {"title": "Task"}
            if method == "PATCH"
            else allowed.get(path)
            if method in ("POST", "PUT", "DELETE")
            else None
        )
        expect_problem(nobody.request(method, path.format(**ids), json=given), "not_authenticated", 401)


def _fill(path: str) -> str:
    return re.sub(r"{\w+}", str(uuid.uuid4()), path)


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_who_is_meant_is_checked(alice: Person, bob: Person, method: str, path: str) -> None:
    """Two windows of a browser, and in one of them another has logged in since."""
    meant = {"X-User-Id": bob.get("/api/auth/me").json()["id"]}
    refused = alice.request(method, _fill(path), headers=meant, json={} if method in ("POST", "PATCH") else None)
    expect_problem(refused, "other_user", 409)


def test_nothing_is_written_for_another_than_is_meant(alice: Person, bob: Person) -> None:
    mine, theirs = (person.get("/api/auth/me").json()["id"] for person in (alice, bob))
    body = {"title": "Bob's"}
    expect_problem(alice.post("/api/tasks", json=body, headers={"X-User-Id": theirs}), "other_user", 409)
    assert alice.titles() == []
    assert alice.post("/api/tasks", json={"title": "Mine"}, headers={"X-User-Id": mine}).status_code == 201
    assert alice.titles() == ["Mine"]
