"""Rate limits, across two replicas on one database."""

import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from unittest.mock import AsyncMock

import httpx
import psycopg
import pytest

from src.app import create_app
from src.core.database import unavailable
from tests.support import JSON, PASSWORD, Person, expect_problem, make_settings, serve, stranger

LIMITS = {
    "rate_limit_register": 6,
    "rate_limit_login": 8,
    "rate_limit_login_account": 4,
    "rate_limit_chat": 3,
    "rate_limit_write": 5,
}


@pytest.fixture
def replicas(database_url: str, sql_connection: psycopg.Connection[Any]) -> Iterator[list[str]]:
    sql_connection.execute("TRUNCATE rate_limits")
    settings = make_settings(database_url, **LIMITS)
    with ExitStack() as stack:
        yield [stack.enter_context(serve(create_app(settings))) for _ in range(2)]


def _alternate(replicas: list[str], count: int, request: Callable[[str], httpx.Response]) -> list[int]:
    return [request(replicas[number % 2]).status_code for number in range(count)]


def _register(url: str, address: str = "192.0.2.1") -> httpx.Response:
    body = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}
    return stranger.post(f"{url}/api/auth/register", json=body, headers={"X-Forwarded-For": address})


def _login(url: str, email: str, address: str = "192.0.2.1", password: str = "wrong password") -> httpx.Response:
    body = {"email": email, "password": password}
    return stranger.post(f"{url}/api/auth/login", json=body, headers={"X-Forwarded-For": address})


def test_registrations_of_one_address(replicas: list[str]) -> None:
    assert _alternate(replicas, 6, _register) == [201] * 6
    answer = _register(replicas[0])
    expect_problem(answer, "rate_limited", 429)
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert _register(replicas[1], "192.0.2.2").status_code == 201


def test_logins_to_one_account_from_one_network(replicas: list[str]) -> None:
    def attempt(url: str) -> httpx.Response:
        return _login(url, "victim@example.com", f"192.0.2.{uuid.uuid4().int % 250}")

    assert _alternate(replicas, 6, attempt) == [401] * 4 + [429] * 2
    assert _login(replicas[0], "other@example.com").status_code == 401


def test_nobody_is_locked_out_from_another_network(replicas: list[str], register: Callable[..., Person]) -> None:
    person = register(replicas[0])
    for address in ("192.0.2.7", "2001:db8::7"):
        assert _alternate(replicas, 5, lambda url: _login(url, person.email, address)) == [401] * 4 + [429]  # noqa: B023
    assert _login(replicas[0], person.email, "198.51.100.1", PASSWORD).status_code == 200


def test_a_known_device_comes_through_and_may_not_guess_either(
    replicas: list[str], register: Callable[..., Person]
) -> None:
    person = register(replicas[0])
    for url in replicas * 2:
        _login(url, person.email, "127.0.0.7")
    assert _login(replicas[0], person.email, "127.0.0.7", PASSWORD).status_code == 429
    body = {"email": person.email, "password": PASSWORD}
    assert person.post("/api/auth/login", json=body).status_code == 200
    wrong = [person.post("/api/auth/login", json={**body, "password": "wrong pass"}).status_code for _ in range(5)]
    assert wrong == [401] * 4 + [429]
    # It is known to this account alone.
    other = register(replicas[1])
    for url in replicas * 2:
        _login(url, other.email, "127.0.0.8")
    expect_problem(person.post("/api/auth/login", json={**body, "email": other.email}), "rate_limited", 429)


def test_right_passwords_cost_nothing(replicas: list[str], register: Callable[..., Person]) -> None:
    person = register(replicas[0])
    right = _alternate(replicas, 6, lambda url: _login(url, person.email, password=PASSWORD))
    assert right == [200] * 6


def test_what_fails_for_another_reason_costs_nothing(
    database_url: str, sql_connection: psycopg.Connection[Any], register: Callable[..., Person]
) -> None:
    sql_connection.execute("TRUNCATE rate_limits")
    app = create_app(make_settings(database_url, **LIMITS))
    with serve(app) as url:
        person = register(url)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("src.auth.service.log_in", AsyncMock(side_effect=unavailable(OSError("away"))))
            assert [_login(url, person.email).status_code for _ in range(6)] == [503] * 6
        assert _login(url, person.email, password=PASSWORD).status_code == 200


def test_addresses_of_one_ipv6_network_are_one(replicas: list[str]) -> None:
    def attempt(url: str) -> httpx.Response:
        return _login(url, f"{uuid.uuid4().hex}@example.com", f"2001:db8::{uuid.uuid4().int % 9999}")

    assert _alternate(replicas, 10, attempt) == [401] * 8 + [429] * 2


def test_only_what_the_proxy_wrote_counts(replicas: list[str]) -> None:
    def attempt(url: str) -> httpx.Response:
        made_up = f"198.51.100.{uuid.uuid4().int % 250}"
        return _login(url, f"{uuid.uuid4().hex}@example.com", f"{made_up}, 10.0.0.9, 192.0.2.1")

    assert _alternate(replicas, 10, attempt) == [401] * 8 + [429] * 2
    assert _login(replicas[0], "other@example.com", "192.0.2.1, 192.0.2.2").status_code == 401


def test_without_a_trusted_proxy_nothing_that_a_client_says_counts(
    database_url: str, sql_connection: psycopg.Connection[Any]
) -> None:
    sql_connection.execute("TRUNCATE rate_limits")
    with serve(create_app(make_settings(database_url, **LIMITS, trusted_proxies=()))) as url:
        statuses = [_login(url, f"{n}@example.com", f"198.51.100.{n}").status_code for n in range(10)]
        assert statuses == [401] * 8 + [429] * 2
        answer = stranger.post(
            f"{url}/api/auth/register",
            json={"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD},
            headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"},
        )
        assert "Secure" not in answer.headers["set-cookie"]


@pytest.mark.parametrize("address", ["x" * 200, "192.0.2.1" * 30, "::ffff:192.0.2.9"], ids=["long", "list", "mapped"])
def test_whatever_a_client_says_of_its_address_is_no_fault_of_ours(replicas: list[str], address: str) -> None:
    assert _register(replicas[0], address).status_code == 201
    assert _login(replicas[0], "other@example.com", address).status_code == 401


def test_logins_from_one_address_to_all_accounts(replicas: list[str]) -> None:
    statuses = _alternate(replicas, 10, lambda url: _login(url, f"{uuid.uuid4().hex}@example.com"))
    assert statuses == [401] * 8 + [429] * 2


def test_the_password_of_a_deletion_cannot_be_guessed_either(
    replicas: list[str], register: Callable[..., Person]
) -> None:
    person = register(replicas[0])
    statuses = [person.request("DELETE", "/api/auth/me", json={"password": "wrong pass"}).status_code for _ in range(6)]
    assert statuses == [403] * 4 + [429] * 2


def test_chat_messages_of_one_user(replicas: list[str], register: Callable[..., Person]) -> None:
    person = register(replicas[0])
    headers = {**JSON, "Authorization": f"Bearer {person.token}"}
    statuses = _alternate(
        replicas, 4, lambda url: stranger.post(f"{url}/api/chat", json={"message": "hi"}, headers=headers)
    )
    assert statuses == [200, 200, 200, 429]
    assert register(replicas[1]).say("hi")


def test_writes_of_one_user(replicas: list[str], register: Callable[..., Person]) -> None:
    person = register(replicas[0])
    headers = {"Authorization": f"Bearer {person.token}"}
    task = person.add()

    def change(url: str) -> httpx.Response:
        return httpx.patch(f"{url}/api/tasks/{task['id']}", json={"title": "Changed"}, headers=headers)

    assert _alternate(replicas, 5, change) == [200] * 4 + [429]
    expect_problem(person.post("/api/tasks", json={"title": "One more"}), "rate_limited", 429)
    expect_problem(person.delete(f"/api/tasks/{task['id']}"), "rate_limited", 429)
    assert person.titles() == ["Changed"]


def test_parallel_requests_cannot_spend_the_same_credit(replicas: list[str]) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(lambda n: _register(replicas[n % 2]).status_code, range(12)))
    earned_back = (time.monotonic() - started) // 10  # one every ten seconds, if the machine is that slow
    # A machine that is busy with other things may answer 503 after two seconds: a registration that was not made.
    assert set(statuses) <= {201, 429, 503}
    assert statuses.count(201) <= 6 + earned_back
    assert statuses.count(201) + statuses.count(503) >= 6


def test_credit_comes_back(replicas: list[str], sql_connection: psycopg.Connection[Any]) -> None:
    assert _alternate(replicas, 6, _register) == [201] * 6
    wait = int(_register(replicas[0]).headers["retry-after"])
    # As if as much time had passed as Retry-After said.
    sql_connection.execute("UPDATE rate_limits SET full_at = full_at - make_interval(secs => %s)", [wait])
    assert _register(replicas[1]).status_code == 201
    assert _register(replicas[1]).status_code == 429


def test_old_counters_are_removed(replicas: list[str], sql_connection: psycopg.Connection[Any]) -> None:
    with sql_connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO rate_limits VALUES (%s, now() - interval '1 minute')", [[f"old:{n}"] for n in range(15)]
        )
    for address in ("192.0.2.3", "192.0.2.4"):
        _register(replicas[0], address)
    row = sql_connection.execute("SELECT count(*) FROM rate_limits WHERE key LIKE 'old:%'").fetchone()
    assert row == (0,)
