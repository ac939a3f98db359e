"""Accounts and sessions."""

import asyncio
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from src.auth.tokens import AUDIENCE, ISSUER
from src.core.database import Database
from tests.support import PASSWORD, SECRET, Person, expect_problem, stranger


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_register_logs_in_with_a_cookie_and_with_the_body(url: str) -> None:
    email = f"  {uuid.uuid4().hex}@Example.COM "
    answer = stranger.post(f"{url}/api/auth/register", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 201
    body = answer.json()
    assert body["user"]["email"] == email.strip().lower()
    assert body["token_type"] == "bearer"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"session={body['access_token']};")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    for credentials in ({"cookies": {"session": body["access_token"]}}, {"headers": bearer(body["access_token"])}):
        assert stranger.get(f"{url}/api/auth/me", **credentials).json() == body["user"]


def test_cookie_is_secure_behind_tls(url: str) -> None:
    answer = stranger.post(
        f"{url}/api/auth/register",
        json={"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD},
        headers={"X-Forwarded-Proto": "https"},
    )
    cookies = answer.headers.get_list("set-cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["__Host-session", "__Host-device"]
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} < {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie
    token = answer.json()["access_token"]
    for name, status in (("__Host-session", 200), ("session", 401)):
        headers = {"X-Forwarded-Proto": "https", "Cookie": f"{name}={token}"}
        assert stranger.get(f"{url}/api/auth/me", headers=headers).status_code == status
    headers = {"X-Forwarded-Proto": "https", "Cookie": f"__Host-session={token}"}
    gone = stranger.post(f"{url}/api/auth/logout", headers=headers)
    assert gone.headers["set-cookie"].startswith('__Host-session=""; ')
    assert "Secure" in gone.headers["set-cookie"]
    expect_problem(stranger.get(f"{url}/api/auth/me", headers=headers), "not_authenticated", 401)


def test_a_device_token_is_no_session(alice: Person) -> None:
    token = alice.cookies["device"]
    alice.cookies.clear()
    expect_problem(alice.get("/api/auth/me", headers=bearer(token)), "not_authenticated", 401)


def test_addresses_of_private_networks_are_accepted(url: str) -> None:
    for domain in ("home.local", "localhost", "todo.test"):
        email = f"{uuid.uuid4().hex}@{domain}"
        assert stranger.post(f"{url}/api/auth/register", json={"email": email, "password": PASSWORD}).status_code == 201


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"email": "a@example.com"}, "password", "missing"),
        ({"email": "a@example.com", "password": "1234567"}, "password", "too_short"),
        ({"email": "a@example.com", "password": "x" * 129}, "password", "too_long"),
        ({"email": "no address", "password": PASSWORD}, "email", "value_error"),
        ({"email": "a@example.com", "password": PASSWORD, "admin": True}, "admin", "extra_forbidden"),
        ([], "", "model_attributes_type"),
    ],
)
def test_register_names_the_bad_field(url: str, body: Any, field: str, code: str) -> None:
    answer = stranger.post(f"{url}/api/auth/register", json=body)
    problem = expect_problem(answer, "validation_failed", 422)
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [(field, code)]


def test_an_address_registers_once_whatever_its_case(alice: Person) -> None:
    answer = alice.post("/api/auth/register", json={"email": alice.email.upper(), "password": PASSWORD})
    expect_problem(answer, "email_taken", 409)


def test_login(alice: Person) -> None:
    alice.cookies.clear()
    expect_problem(alice.get("/api/auth/me"), "not_authenticated", 401)
    answer = alice.post("/api/auth/login", json={"email": alice.email, "password": PASSWORD})
    assert answer.status_code == 200
    assert alice.get("/api/auth/me").json() == answer.json()["user"]


@pytest.mark.usefixtures("real_passwords")
def test_wrong_password_and_unknown_address_answer_alike_and_in_the_same_time(alice: Person) -> None:
    def attempt(email: str) -> tuple[dict[str, Any], float]:
        started = time.perf_counter()
        answer = alice.post("/api/auth/login", json={"email": email, "password": "wrong password"})
        seconds = time.perf_counter() - started
        body = expect_problem(answer, "invalid_credentials", 401)
        del body["request_id"]
        return body, seconds

    known = [attempt(alice.email) for _ in range(7)]
    unknown = [attempt("nobody@example.com") for _ in range(7)]
    assert {str(body) for body, _ in known} == {str(body) for body, _ in unknown}
    # Without a hash to verify, an unknown address would take a small fraction of the time.
    ratio = statistics.median(s for _, s in unknown) / statistics.median(s for _, s in known)
    assert 0.4 < ratio < 2.5


def test_logout_ends_the_session_everywhere(alice: Person) -> None:
    assert alice.post("/api/auth/logout").status_code == 204
    assert "session" not in alice.cookies
    expect_problem(alice.get("/api/auth/me", headers=bearer(alice.token)), "not_authenticated", 401)
    assert alice.post("/api/auth/logout").status_code == 204


def _log_in_elsewhere(person: Person) -> str:
    """The token of a second session: in the same browser it would replace the first."""
    body = {"email": person.email, "password": PASSWORD}
    token: str = stranger.post(f"{person.base_url}/api/auth/login", json=body).json()["access_token"]
    return token


def test_logout_ends_only_this_session(alice: Person) -> None:
    other = _log_in_elsewhere(alice)
    alice.cookies.clear()
    assert alice.post("/api/auth/logout", headers=bearer(other)).status_code == 204
    expect_problem(alice.get("/api/auth/me", headers=bearer(other)), "not_authenticated", 401)
    assert alice.get("/api/auth/me", headers=bearer(alice.token)).status_code == 200


def _forge(token: str, secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience=AUDIENCE, issuer=ISSUER) | changes
    return jwt.encode({key: value for key, value in claims.items() if value is not None}, secret, algorithm)


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "another secret of thirty-two bytes"},
        {"algorithm": "none", "secret": ""},
        {"algorithm": "HS512", "secret": SECRET * 2},
        {"exp": datetime.now(UTC) - timedelta(seconds=1)},
        {"exp": None},
        {"iss": "someone"},
        {"iss": None},
        {"aud": "others"},
        {"aud": None},
        {"sub": str(uuid.uuid4())},
        {"sub": "me"},
        {"jti": str(uuid.uuid4())},
        {"jti": None},
    ],
    ids="-".join,
)
def test_tokens_that_are_not_ours_do_not_count(alice: Person, changes: dict[str, Any]) -> None:
    token = _forge(alice.token, **changes)
    alice.cookies.clear()
    answer = alice.get("/api/auth/me", headers=bearer(token))
    expect_problem(answer, "not_authenticated", 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_of_a_replica_whose_clock_is_ahead_counts(alice: Person) -> None:
    token = _forge(alice.token, iat=datetime.now(UTC) + timedelta(seconds=5))
    alice.cookies.clear()
    assert alice.get("/api/auth/me", headers=bearer(token)).status_code == 200


def test_a_bearer_token_counts_before_a_cookie(alice: Person, bob: Person) -> None:
    assert alice.get("/api/auth/me", headers=bearer(bob.token)).json()["email"] == bob.email


def test_a_session_ends_in_the_database_too(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    user_id = alice.get("/api/auth/me").json()["id"]
    sql_connection.execute("UPDATE sessions SET expires_at = now() WHERE user_id = %s", [user_id])
    expect_problem(alice.get("/api/auth/me"), "not_authenticated", 401)
    # The next login removes what has expired.
    alice.post("/api/auth/login", json={"email": alice.email, "password": PASSWORD})
    row = sql_connection.execute("SELECT count(*) FROM sessions WHERE user_id = %s", [user_id]).fetchone()
    assert row == (1,)


def test_deleting_the_account_takes_everything_along(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    user_id = alice.get("/api/auth/me").json()["id"]
    task = alice.add()
    alice.say(f"delete {task['title']}")
    expect_problem(alice.request("DELETE", "/api/auth/me", json={"password": "wrong password"}), "wrong_password", 403)
    assert alice.titles() == ["Buy milk"]
    assert alice.request("DELETE", "/api/auth/me", json={"password": PASSWORD}).status_code == 204
    expect_problem(alice.get("/api/auth/me", headers=bearer(alice.token)), "not_authenticated", 401)
    for table in ("tasks", "sessions", "conversations", "confirmations"):
        row = sql_connection.execute(f"SELECT count(*) FROM {table} WHERE user_id = %s", [user_id]).fetchone()  # noqa: S608
        assert row == (0,), table
    answer = alice.post("/api/auth/login", json={"email": alice.email, "password": PASSWORD})
    expect_problem(answer, "invalid_credentials", 401)
    again = alice.post("/api/auth/register", json={"email": alice.email, "password": PASSWORD})
    assert again.status_code == 201


@pytest.mark.usefixtures("real_passwords")
def test_passwords_are_stored_as_argon2id_only(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    row = sql_connection.execute("SELECT password_hash FROM users WHERE email = %s", [alice.email]).fetchone()
    assert row is not None
    assert row[0].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_blanks_belong_to_a_password(url: str) -> None:
    email = f"{uuid.uuid4().hex}@example.com"
    stranger.post(f"{url}/api/auth/register", json={"email": email, "password": "  pass word  "}).raise_for_status()
    answer = stranger.post(f"{url}/api/auth/login", json={"email": email, "password": "pass word"})
    expect_problem(answer, "invalid_credentials", 401)
    assert stranger.post(f"{url}/api/auth/login", json={"email": email, "password": "  pass word  "}).status_code == 200


def test_half_a_character_is_no_password(url: str, alice: Person) -> None:
    body = b'{"email": "half@example.com", "password": "\\ud800 horse battery"}'
    headers = {"Content-Type": "application/json"}
    for path in ("register", "login"):
        answer = stranger.post(f"{url}/api/auth/{path}", content=body, headers=headers)
        assert expect_problem(answer, "validation_failed", 422)["errors"][0]["field"] == "password"
    answer = alice.request("DELETE", "/api/auth/me", content=b'{"password": "\\ud800 horse battery"}', headers=headers)
    expect_problem(answer, "validation_failed", 422)


def test_logging_out_ends_every_session_of_the_request(alice: Person) -> None:
    cookie = alice.cookies["session"]
    other = _log_in_elsewhere(alice)
    headers = {"Authorization": f"Bearer {other}", "Cookie": f"session={cookie}"}
    assert stranger.post(f"{alice.base_url}/api/auth/logout", headers=headers).status_code == 204
    for token in (cookie, other):
        answer = stranger.get(f"{alice.base_url}/api/auth/me", headers={"Authorization": f"Bearer {token}"})
        expect_problem(answer, "not_authenticated", 401)


def test_a_failing_statement_shows_no_values(database_url: str) -> None:
    async def run() -> None:
        database = Database(database_url)
        try:
            async with database.connection() as connection:
                await connection.execute(text("SELECT 1 / CAST(:value AS int)"), {"value": 0})
        finally:
            await database.close()

    with pytest.raises(DBAPIError) as raised:
        asyncio.run(run())
    assert "hidden" in str(raised.value)


def test_who_tried_to_get_in_is_written_down_without_secrets(
    url: str, register: Callable[..., Person], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "src.auth")
    person = register()
    wrong = {"email": person.email, "password": "not this one"}
    expect_problem(stranger.post(f"{url}/api/auth/login", json=wrong), "invalid_credentials", 401)
    person.post("/api/auth/login", json={"email": person.email, "password": PASSWORD})
    person.request("DELETE", "/api/auth/me", json={"password": "not this one"})
    person.post("/api/auth/logout")
    events = [vars(record) for record in caplog.records if record.name == "src.auth"]
    assert [(event["event"], event["outcome"]) for event in events] == [
        ("register", "ok"),
        ("login", "invalid_credentials"),
        ("login", "ok"),
        ("delete account", "wrong_password"),
        ("logout", "ok"),
    ]
    assert {event["address"] for event in events} == {"127.0.0.1"}
    assert len({event["account"] for event in events[:-1]}) == 1
    for secret in (person.email, PASSWORD, "not this one", person.token):
        assert secret not in str(events)
