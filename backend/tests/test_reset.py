"""A forgotten password: codes, and who makes them."""

import uuid
from contextlib import closing
from typing import Any

import httpx
import psycopg
import pytest

from src.app import create_app
from tests.support import PASSWORD, PATIENT, Person, expect_problem, make_settings, run_module, serve, stranger

NEW = "staple of the horse"


def make_code(database_url: str, email: str) -> str:
    """As who runs the application does it."""
    made = run_module("src.reset", env={**PATIENT, "DATABASE_URL": database_url}, stdin=f"{email}\n")
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def reset(url: str, email: str, code: str, password: str = NEW) -> httpx.Response:
    body = {"email": email, "code": code, "password": password}
    return stranger.post(f"{url}/api/auth/reset", json=body)


def test_a_code_sets_a_new_password_once_and_ends_everything(url: str, alice: Person, database_url: str) -> None:
    token = alice.post("/api/tokens", json={"name": "Backup"}).json()["token"]
    code, spare = make_code(database_url, alice.email.upper()), make_code(database_url, alice.email)
    expect_problem(reset(url, alice.email, code, "12345678"), "weak_password", 422)
    # As people copy it.
    assert (
        reset(url, alice.email, code.lower().replace("-", " ").replace("0", "o").replace("1", "l")).status_code == 204
    )
    for headers in ({}, {"Authorization": f"Bearer {token}"}):
        expect_problem(alice.get("/api/auth/me", headers=headers), "not_authenticated", 401)
    for used in (code, spare):
        expect_problem(reset(url, alice.email, used), "invalid_reset_code", 403)
    for password, status in ((PASSWORD, 401), (NEW, 200)):
        answer = stranger.post(f"{url}/api/auth/login", json={"email": alice.email, "password": password})
        assert answer.status_code == status


def test_a_code_is_for_one_account_and_one_hour(
    url: str, alice: Person, bob: Person, database_url: str, sql_connection: psycopg.Connection[Any]
) -> None:
    code = make_code(database_url, alice.email)
    foreign = expect_problem(reset(url, bob.email, code), "invalid_reset_code", 403)
    unknown = expect_problem(reset(url, "nobody@example.com", code), "invalid_reset_code", 403)
    assert {**foreign, "request_id": ""} == {**unknown, "request_id": ""}, "one can tell that the account exists"
    assert code not in str(sql_connection.execute("SELECT * FROM password_resets").fetchall())
    user_id = alice.get("/api/auth/me").json()["id"]
    sql_connection.execute(
        "UPDATE password_resets SET expires_at = expires_at - interval '1 hour' WHERE user_id = %s", [user_id]
    )
    expect_problem(reset(url, alice.email, code), "invalid_reset_code", 403)


def test_codes_cannot_be_tried_out(database_url: str) -> None:
    settings = make_settings(database_url, rate_limit_login_account=3)
    with serve(create_app(settings)) as url, closing(Person(url, f"{uuid.uuid4().hex}@example.com")) as person:
        for _ in range(3):
            expect_problem(reset(url, person.email, "0000-0000-0000-0000"), "invalid_reset_code", 403)
        code = make_code(database_url, person.email)
        expect_problem(reset(url, person.email, code), "rate_limited", 429)


def test_a_changed_password_makes_codes_worthless(url: str, alice: Person, database_url: str) -> None:
    code = make_code(database_url, alice.email)
    assert alice.put("/api/auth/password", json={"password": PASSWORD, "new_password": NEW}).status_code == 204
    expect_problem(reset(url, alice.email, code), "invalid_reset_code", 403)


@pytest.mark.parametrize(
    ("given", "env", "line"),
    [
        ("nobody@example.com", {}, "there is no account with this e-mail address"),
        ("nobody", {}, "that is no e-mail address"),
        (
            "nobody@example.com",
            {"DATABASE_URL": "postgresql://u:p@127.0.0.1:1/none"},
            "The database does not answer at the moment. Try again shortly.",
        ),
    ],
)
def test_what_goes_wrong_is_one_line(given: str, env: dict[str, str], line: str, database_url: str) -> None:
    ended = run_module("src.reset", env={**PATIENT, "DATABASE_URL": database_url, **env}, stdin=f"{given}\n")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.splitlines()[-1] == line
