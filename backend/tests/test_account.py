"""What an owner controls: the password, sessions, API tokens."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import psycopg
import pytest

from src.app import create_app
from src.auth import api_tokens
from tests.support import PASSWORD, Person, expect_problem, make_settings, serve, stranger

NEW = "staple of the horse"


@pytest.fixture
def elsewhere(alice: Person) -> Iterator[httpx.Client]:
    """Alice on another device."""
    with httpx.Client(base_url=alice.base_url, headers={"User-Agent": "Telephone/1"}, timeout=30) as client:
        log_in(client, alice.email).raise_for_status()
        yield client


@pytest.fixture
def strict_url(database_url: str) -> Iterator[str]:
    """The application, with few guesses."""
    with serve(create_app(make_settings(database_url, rate_limit_login_account=3))) as address:
        yield address


def log_in(client: httpx.Client, email: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/api/auth/login", json={"email": email, "password": password})


def change(client: httpx.Client, old: str, new: str) -> httpx.Response:
    return client.put("/api/auth/password", json={"password": old, "new_password": new})


def with_token(person: Person, token: str) -> httpx.Client:
    return httpx.Client(base_url=person.base_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def make_token(person: Person, scope: str) -> dict[str, Any]:
    answer = person.post("/api/tokens", json={"name": "Backup", "scope": scope})
    assert answer.status_code == 201, answer.text
    token: dict[str, Any] = answer.json()
    return token


def test_a_changed_password_counts_at_once_and_ends_other_sessions(alice: Person, elsewhere: httpx.Client) -> None:
    expect_problem(change(alice, "not this one", NEW), "wrong_password", 403)
    assert elsewhere.get("/api/auth/me").status_code == 200
    assert change(alice, PASSWORD, NEW).status_code == 204
    assert alice.get("/api/auth/me").status_code == 200
    expect_problem(elsewhere.get("/api/auth/me"), "not_authenticated", 401)
    expect_problem(log_in(elsewhere, alice.email), "invalid_credentials", 401)
    assert log_in(elsewhere, alice.email, NEW).status_code == 200


@pytest.mark.parametrize("password", ["12345678", "PassWord1", "qwertyuiop"])
def test_common_passwords_are_refused(url: str, alice: Person, password: str) -> None:
    body = {"email": f"{uuid.uuid4().hex}@example.com", "password": password}
    expect_problem(stranger.post(f"{url}/api/auth/register", json=body), "weak_password", 422)
    expect_problem(change(alice, PASSWORD, password), "weak_password", 422)


@pytest.mark.parametrize("make", [lambda e: e, lambda e: e.upper(), lambda e: e.partition("@")[0] + "123"])
def test_the_address_is_no_password(url: str, alice: Person, make: Any) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    body = {"email": email, "password": make(email)}
    expect_problem(stranger.post(f"{url}/api/auth/register", json=body), "weak_password", 422)
    expect_problem(change(alice, PASSWORD, make(alice.email)), "weak_password", 422)


def test_guesses_at_the_old_password_are_limited(strict_url: str) -> None:
    with closing(Person(strict_url, f"{uuid.uuid4().hex}@example.com")) as person:
        for _ in range(3):
            expect_problem(change(person, "not this one", NEW), "wrong_password", 403)
        expect_problem(change(person, PASSWORD, NEW), "rate_limited", 429)


def test_sessions_are_listed_with_device_and_last_use(
    alice: Person, elsewhere: httpx.Client, sql_connection: psycopg.Connection[Any]
) -> None:
    items = alice.get("/api/auth/sessions").json()["items"]
    assert [(i["device"], i["current"]) for i in items] == [("Telephone/1", False), (alice.headers["user-agent"], True)]
    sql_connection.execute(
        "UPDATE sessions SET last_used_at = now() - interval '1 hour' WHERE id = %s", [items[1]["id"]]
    )
    before = items[1]["last_used_at"]
    alice.get("/api/auth/me")
    mine = next(i for i in alice.get("/api/auth/sessions").json()["items"] if i["current"])
    assert mine["last_used_at"] > before
    assert mine["created_at"] == items[1]["created_at"]


def test_sessions_end_one_by_one(alice: Person, elsewhere: httpx.Client) -> None:
    other, mine = (item["id"] for item in alice.get("/api/auth/sessions").json()["items"])
    assert alice.delete(f"/api/auth/sessions/{other}").status_code == 204
    expect_problem(elsewhere.get("/api/auth/me"), "not_authenticated", 401)
    expect_problem(alice.delete(f"/api/auth/sessions/{other}"), "session_not_found", 404)
    assert alice.delete(f"/api/auth/sessions/{mine}").status_code == 204
    assert "session" not in alice.cookies
    expect_problem(alice.get("/api/auth/me"), "not_authenticated", 401)


def test_all_other_sessions_end_at_once(alice: Person, bob: Person, elsewhere: httpx.Client) -> None:
    assert alice.delete("/api/auth/sessions").status_code == 204
    expect_problem(elsewhere.get("/api/auth/me"), "not_authenticated", 401)
    assert len(alice.get("/api/auth/sessions").json()["items"]) == 1
    assert bob.get("/api/auth/me").status_code == 200


def test_a_login_replaces_the_browsers_last_session(alice: Person, bob: Person) -> None:

    def expect_ended(token: str) -> None:
        with with_token(alice, token) as client:
            expect_problem(client.get("/api/auth/me"), "not_authenticated", 401)

    before = alice.token
    assert log_in(alice, bob.email).status_code == 200
    expect_ended(before)
    body = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}
    before = alice.cookies["session"]
    assert alice.post("/api/auth/register", json=body).status_code == 201
    expect_ended(before)
    assert bob.get("/api/auth/me").status_code == 200


def test_a_session_that_is_not_used_ends(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    user_id = alice.get("/api/auth/me").json()["id"]
    idle = "UPDATE sessions SET last_used_at = now() - make_interval(hours => %s) WHERE user_id = %s"
    sql_connection.execute(idle, [71, user_id])
    assert alice.get("/api/auth/me").status_code == 200
    sql_connection.execute(idle, [73, user_id])
    expect_problem(alice.get("/api/auth/me"), "not_authenticated", 401)


def test_an_api_token_is_shown_once_and_kept_as_a_digest(
    alice: Person, sql_connection: psycopg.Connection[Any]
) -> None:
    made = alice.post("/api/tokens", json={"name": "Backup"}, headers={"Idempotency-Key": "once"}).json()
    assert made["token"].startswith("todo_")
    assert made["scope"] == "read"
    (listed,) = alice.get("/api/tokens").json()["items"]
    assert listed == {name: value for name, value in made.items() if name != "token"}
    for table in ("api_tokens", "idempotency_keys"):
        rows = sql_connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
        assert made["token"] not in str(rows)
    again = alice.post("/api/tokens", json={"name": "Backup"}, headers={"Idempotency-Key": "once"}).json()
    assert again["token"] != made["token"]


def test_a_token_that_reads(alice: Person) -> None:
    alice.add("Buy milk")
    made = make_token(alice, "read")
    with with_token(alice, made["token"]) as program:
        assert [task["title"] for task in program.get("/api/tasks").json()["items"]] == ["Buy milk"]
        assert program.get("/api/auth/me").json()["email"] == alice.email
        for method, path, body in (
            ("POST", "/api/tasks", {"title": "Buy milk"}),
            ("POST", "/api/chat", {"message": "delete milk"}),
            ("DELETE", f"/api/tasks/{uuid.uuid4()}", None),
        ):
            expect_problem(program.request(method, path, json=body), "insufficient_scope", 403)
    assert alice.get("/api/tokens").json()["items"][0]["last_used_at"] is not None


def test_a_token_that_writes_is_no_owner(alice: Person) -> None:
    made = make_token(alice, "write")
    session = alice.get("/api/auth/sessions").json()["items"][0]["id"]
    with with_token(alice, made["token"]) as program:
        assert program.post("/api/tasks", json={"title": "Buy milk"}).status_code == 201
        for method, path, body in (
            ("PUT", "/api/auth/password", {"password": PASSWORD, "new_password": NEW}),
            ("GET", "/api/auth/sessions", None),
            ("DELETE", "/api/auth/sessions", None),
            ("DELETE", f"/api/auth/sessions/{session}", None),
            ("DELETE", "/api/auth/me", {"password": PASSWORD}),
            ("GET", "/api/tokens", None),
            ("POST", "/api/tokens", {"name": "More"}),
            ("DELETE", f"/api/tokens/{made['id']}", None),
        ):
            expect_problem(program.request(method, path, json=body), "session_required", 403)
        assert program.post("/api/auth/logout").status_code == 204
        assert program.get("/api/auth/me").status_code == 200


def test_a_revoked_token_is_worthless(alice: Person) -> None:
    made = make_token(alice, "write")
    assert alice.delete(f"/api/tokens/{made['id']}").status_code == 204
    assert alice.get("/api/tokens").json() == {"items": []}
    with with_token(alice, made["token"]) as program:
        expect_problem(program.get("/api/tasks"), "not_authenticated", 401)
        expect_problem(program.post("/api/parse", json={"text": "milk"}), "not_authenticated", 401)
    expect_problem(alice.delete(f"/api/tokens/{made['id']}"), "token_not_found", 404)


def test_tokens_are_limited_in_number(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_tokens, "MAX_TOKENS", 1)
    make_token(alice, "read")
    expect_problem(alice.post("/api/tokens", json={"name": "More"}), "too_many_tokens", 409)
