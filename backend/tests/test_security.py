"""What protects the sessions and the process: origins, sizes, headers."""

import uuid
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from src.app import create_app
from src.core.errors import MAX_BODY_BYTES
from tests.support import PASSWORD, Person, expect_problem, make_settings, serve, stranger

OTHER = "https://evil.example"
TRUSTED = "https://app.example"


def _host(person: Person) -> str:
    return person.base_url.netloc.decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": OTHER},
        {"Origin": OTHER},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": OTHER, "X-Forwarded-Host": "another.example"},
        {"Origin": OTHER, "Authorization": "Basic abc"},
        {"Origin": TRUSTED},
    ],
    ids=str,
)
def test_unsafe_requests_of_other_origins_are_refused(alice: Person, headers: dict[str, str]) -> None:
    task = alice.add()
    requests: list[tuple[str, str, Any]] = [
        ("POST", "/api/tasks", {"title": "Planted"}),
        ("PATCH", f"/api/tasks/{task['id']}", {"title": "Planted"}),
        ("DELETE", f"/api/tasks/{task['id']}", None),
        ("POST", "/api/auth/login", {"email": alice.email, "password": PASSWORD}),
        ("POST", "/api/auth/logout", None),
        ("POST", "/api/chat", {"message": "add planted"}),
    ]
    for method, path, body in requests:
        answer = alice.request(method, path, json=body, headers=headers)
        expect_problem(answer, "cross_origin_refused", 403)
        assert "access-control-allow-origin" not in answer.headers
    assert alice.get("/api/tasks", headers=headers).json()["items"] == [task]


@pytest.mark.parametrize("authorization", ["Bearer", "Bearer ", "bearer  "])
def test_a_bearer_without_a_token_is_none(alice: Person, authorization: str) -> None:
    connection = HTTPConnection(_host(alice))  # httpx sends no such header
    headers = {
        "Cookie": f"session={alice.token}",
        "Origin": OTHER,
        "Authorization": authorization,
        "Content-Type": "application/json",
    }
    with closing(connection):
        connection.request("POST", "/api/tasks", b'{"title": "Planted"}', headers)
        assert connection.getresponse().status == 403
    assert alice.titles() == []


def test_ones_own_pages_and_programs_are_served(alice: Person) -> None:
    for headers in (
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": f"http://{_host(alice)}"},
        {"Origin": "http://todo.local", "Host": "todo.local"},
        {"Origin": "http://todo.local:8080", "X-Forwarded-Host": "todo.local:8080"},
        {"Origin": OTHER, "Sec-Fetch-Site": "cross-site", "Authorization": f"Bearer {alice.token}"},
    ):
        assert alice.post("/api/tasks", json={"title": "Mine"}, headers=headers).status_code == 201, headers


@pytest.fixture(scope="module")
def trusting_url(database_url: str) -> Iterator[str]:
    with serve(create_app(make_settings(database_url, trusted_origins=(TRUSTED,)))) as address:
        yield address


def test_trusted_origins_may_use_the_api(trusting_url: str) -> None:
    with closing(Person(trusting_url, f"{uuid.uuid4().hex}@example.com")) as person:
        preflight = {"Origin": TRUSTED, "Access-Control-Request-Method": "POST"}
        answer = person.options("/api/tasks", headers={**preflight, "Access-Control-Request-Headers": "content-type"})
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == TRUSTED
        assert answer.headers["access-control-allow-credentials"] == "true"
        headers = {"Origin": TRUSTED, "Sec-Fetch-Site": "same-site"}
        answer = person.post("/api/tasks", json={"title": "Task"}, headers=headers)
        assert answer.status_code == 201
        assert answer.headers["access-control-allow-origin"] == TRUSTED
        refused = person.post("/api/tasks", json={"title": "Task"}, headers={"Origin": OTHER})
        expect_problem(refused, "cross_origin_refused", 403)
        preflight["Origin"] = OTHER
        assert "access-control-allow-origin" not in person.options("/api/tasks", headers=preflight).headers


def test_a_body_may_be_as_large_as_the_limit_and_no_larger(alice: Person) -> None:
    def padded(size: int) -> bytes:
        return b'{"title": "Task"}'.ljust(size)

    headers = {"Content-Type": "application/json"}
    assert alice.post("/api/tasks", content=padded(MAX_BODY_BYTES), headers=headers).status_code == 201
    answer = alice.post("/api/tasks", content=padded(MAX_BODY_BYTES + 1), headers=headers)
    expect_problem(answer, "payload_too_large", 413)

    def chunks() -> Iterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1024 + 1):
            yield b" " * 1024

    expect_problem(alice.post("/api/tasks", content=chunks(), headers=headers), "payload_too_large", 413)


def test_answers_are_kept_by_nobody_and_read_as_what_they_are(alice: Person, url: str) -> None:
    for path in ("/api/tasks", "/api/auth/me", "/health", "/api/nothing", "/api/openapi.json"):
        headers = alice.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-request-id"]


def test_a_request_id_is_taken_over_if_it_is_one(url: str) -> None:
    given = "0123456789abcdef-A_b.c"
    assert stranger.get(f"{url}/health", headers={"X-Request-ID": given}).headers["x-request-id"] == given
    for bad in ("short", "x" * 65, "with blank in it", 'quote"quote'):
        assert stranger.get(f"{url}/health", headers={"X-Request-ID": bad}).headers["x-request-id"] != bad


def test_unknown_addresses_and_methods(url: str) -> None:
    expect_problem(stranger.get(f"{url}/api/nothing"), "not_found", 404)
    expect_problem(stranger.get(f"{url}/"), "not_found", 404)
    expect_problem(stranger.get(f"{url}/api/tasks/"), "not_found", 404)
    answer = httpx.put(f"{url}/api/tasks", json={})
    expect_problem(answer, "method_not_allowed", 405)
    assert "GET" in answer.headers["allow"]
