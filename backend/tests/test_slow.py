"""Clients that do not finish what they have to say."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest

from src.app import create_app
from src.core import protocol
from tests.support import Person, make_settings, serve, stranger

HEAD = b"POST /api/tasks HTTP/1.1\r\nHost: todo.local\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
UNFINISHED = {
    "says nothing": (b"", b""),
    "a header that goes on": (HEAD, b"X-More: and more\r\n"),
    "a line that does not end": (HEAD + b"X-Long: ", b"x"),
    "a body that goes on": (HEAD + b"Content-Length: 60000\r\n\r\n{", b" "),
    "chunks that do not end": (CHUNKED, b"1\r\n \r\n"),
    "more than it is asked for": (CHUNKED + b"11000\r\n" + b" " * 0x11000 + b"\r\n", b"1\r\n \r\n"),
}


@pytest.fixture
def impatient(url: str) -> Iterator[str]:
    """The application, which waits half a second instead of twenty."""
    assert protocol.REQUEST_SECONDS <= 25
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "REQUEST_SECONDS", 0.5)
        yield url


def _connect(url: str) -> socket.socket:
    return socket.create_connection((urlsplit(url).hostname, urlsplit(url).port or 80), timeout=20)


def _is_open(client: socket.socket, more: bytes) -> bool:
    """Send more of a request that does not end; whether somebody still takes it."""
    try:
        client.sendall(more)
        client.settimeout(0.001)
        while client.recv(65536):
            pass
    except TimeoutError:
        return True
    except OSError:
        return False
    return False


def test_unfinished_requests_are_not_kept_open(impatient: str) -> None:
    with ExitStack() as stack:
        clients = []
        for begin, more in list(UNFINISHED.values()) * 20:
            client = stack.enter_context(_connect(impatient))
            client.sendall(begin)
            clients.append((client, more))
        deadline = time.monotonic() + 20
        while clients and time.monotonic() < deadline:
            clients = [(client, more) for client, more in clients if _is_open(client, more)]
            time.sleep(0.05)
        assert clients == []


@pytest.mark.parametrize("name", ["a header that goes on", "a body that goes on"])
def test_a_connection_in_use_is_no_way_around_it(impatient: str, name: str) -> None:
    begin, more = UNFINISHED[name]
    with _connect(impatient) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: todo.local\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
        client.sendall(begin)
        deadline = time.monotonic() + 20
        while _is_open(client, more):
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize(
    "header", [b"X: " + b"x" * protocol.MAX_HEADER_BYTES, b"X: x\r\n" * 30_000], ids=["one line", "many lines"]
)
def test_a_header_may_be_so_large_and_no_larger(url: str, header: bytes) -> None:
    with _connect(url) as client:
        client.sendall(b"GET /health HTTP/1.1\r\nHost: todo.local\r\n" + header + b"\r\n\r\n")
        assert client.recv(65536).startswith(b"HTTP/1.1 431 ")
    assert stranger.get(f"{url}/health", headers={"X": "x" * (protocol.MAX_HEADER_BYTES - 1000)}).status_code == 200


def test_an_endless_header_is_not_read_on(url: str) -> None:
    sent = 0
    with _connect(url) as client, pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012
        client.sendall(b"GET /health HTTP/1.1\r\nX: ")
        while sent < 96 * 1024 * 1024:
            client.sendall(b"x" * 65536)
            sent += 65536
    # What is under way when the server closes lies in the buffers of both ends.
    assert sent < 16 * 1024 * 1024


def test_what_takes_long_to_be_answered_and_idle_connections_are_left_alone(
    database_url: str, fake_openai: str, register: Callable[..., Person]
) -> None:
    settings = make_settings(database_url, openai_base_url=fake_openai, openai_api_key="sk-fake")
    with pytest.MonkeyPatch.context() as patch, serve(create_app(settings)) as url:
        patch.setattr(protocol, "REQUEST_SECONDS", 1.0)
        person = register(url)
        started = time.monotonic()
        names = [name for name, _ in person.events("fake:slow")]
        assert time.monotonic() - started > 1.0
        assert names[-1] == "done"
        with _connect(url) as client:
            for _ in range(2):
                client.sendall(b"GET /health HTTP/1.1\r\nHost: todo.local\r\n\r\n")
                answer = HTTPResponse(client)
                answer.begin()
                assert answer.status == 200
                assert answer.read()
                threading.Event().wait(1.5)
        # A large body earns the time that it takes.
        patch.setattr(protocol, "BODY_RATE", 100)

        def slowly() -> Iterator[bytes]:
            yield b'{"title": "Task", "description": "' + b"x" * 400
            threading.Event().wait(1.5)
            yield b'"}'

        added = person.post("/api/tasks", content=slowly(), headers={"Content-Type": "application/json"})
        assert added.status_code == 201
