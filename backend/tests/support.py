"""What the tests share: real servers on loopback, a proxy that can fail, and reading answers."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from src.core.protocol import BoundedProtocol
from src.core.settings import Settings

BACKEND = Path(__file__).parent.parent
SECRET = "Zk3v9Qm1Lr8Xw5Tn2Yb7Hc4Jd6Gf0Ps_"
PASSWORD = "correct horse battery"
JSON = {"Accept": "application/json"}
PATIENCE = 25.0
"""Seconds within which an answer comes from a machine with much to do. What would keep it from coming lasts longer."""

PATIENT = {"PYTHONPATH": os.pathsep.join([str(BACKEND), str(BACKEND / "tests" / "patient")])}
"""For the environment of a process: its database may take its time, as that of the tests' own process may."""

PLENTY: dict[str, Any] = {
    "rate_limit_register": 100_000,
    "rate_limit_login": 100_000,
    "rate_limit_login_account": 100_000,
    "rate_limit_chat": 100_000,
    "rate_limit_write": 100_000,
}


def make_settings(database_url: str, **changes: Any) -> Settings:
    """Settings for an application whose tests stand where the ingress does."""
    given = {"database_url": database_url, "jwt_secret": SECRET, "trusted_proxies": "127.0.0.0/8"}
    return Settings.model_validate({**given, **PLENTY, **changes})


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    """Serve an application over real HTTP; yields its URL."""
    server = uvicorn.Server(
        uvicorn.Config(
            app, port=0, http=BoundedProtocol, log_config=None, proxy_headers=False, timeout_graceful_shutdown=5
        )
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


class _Stranger:
    """Someone without an account. Each request is by itself, and waits for its answer as long as it takes."""

    def request(self, method: str, url: str | httpx.URL, **options: Any) -> httpx.Response:
        return httpx.request(method, url, timeout=PATIENCE, **options)

    def get(self, url: str | httpx.URL, **options: Any) -> httpx.Response:
        return self.request("GET", url, **options)

    def post(self, url: str | httpx.URL, **options: Any) -> httpx.Response:
        return self.request("POST", url, **options)

    def options(self, url: str | httpx.URL) -> httpx.Response:
        return self.request("OPTIONS", url)


stranger = _Stranger()


class Person(httpx.Client):
    """A browser with an account: it keeps the session cookie."""

    def __init__(self, url: str, email: str) -> None:
        super().__init__(base_url=url, timeout=30)
        self.email = email
        answer = self.post("/api/auth/register", json={"email": email, "password": PASSWORD})
        if answer.status_code != 201:
            self.close()
        assert answer.status_code == 201, answer.text
        self.token: str = answer.json()["access_token"]

    def add(self, title: str = "Buy milk", **fields: Any) -> dict[str, Any]:
        """Add a task."""
        answer = self.post("/api/tasks", json={"title": title, **fields})
        assert answer.status_code == 201, answer.text
        task: dict[str, Any] = answer.json()
        return task

    def titles(self, **query: Any) -> list[str]:
        """The titles of the tasks that a query finds."""
        answer = self.get("/api/tasks", params=query)
        assert answer.status_code == 200, answer.text
        return [task["title"] for task in answer.json()["items"]]

    def say(self, message: str, **fields: Any) -> dict[str, Any]:
        """Tell the assistant something; the whole answer."""
        answer = self.post("/api/chat", json={"message": message, **fields}, headers=JSON)
        assert answer.status_code == 200, answer.text
        reply: dict[str, Any] = answer.json()
        return reply

    def events(self, message: str, **fields: Any) -> list[tuple[str, Any]]:
        """Tell the assistant something; the events of the answer."""
        with self.stream("POST", "/api/chat", json={"message": message, **fields}) as answer:
            assert answer.status_code == 200, answer.read()
            assert answer.headers["content-type"].startswith("text/event-stream")
            return list(read_events(answer))


def read_events(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def text_of(reply: dict[str, Any]) -> str:
    return "".join(message["content"] for message in reply["messages"])


def calls_of(reply: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and outcome of each tool call of an answer."""
    return [
        (c["name"], c["result"]["code"] or c["result"]["status"]) for m in reply["messages"] for c in m["tool_calls"]
    ]


def expect_problem(answer: httpx.Response, code: str, status: int) -> dict[str, Any]:
    """Assert that an answer is a problem of this kind, whole and telling nothing internal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["type"] == "about:blank"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert set(body) <= {"type", "title", "status", "detail", "code", "errors", "current", "request_id"}
    for leak in ("Traceback", "SELECT", "psycopg", "sqlalchemy", SECRET, PASSWORD):
        assert leak not in answer.text
    return body


class Proxy:
    """A TCP proxy in front of the database, which can refuse, freeze and cut."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._open = threading.Event()
        self._open.set()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            self._sockets += [client, server]
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=pair, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._open.wait()
                target.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, target):
                # close() alone would neither wake the thread that reads nor tell the other side
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def freeze(self) -> None:
        """From now on accept connections and data, and answer nothing."""
        self._open.clear()

    def thaw(self) -> None:
        """Pass everything on again."""
        self._open.set()

    def cut(self) -> None:
        """Break off the connections that are open; new ones work."""
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._sockets.clear()

    def close(self) -> None:
        """Refuse new connections, and cut those that are open."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def reopen(self) -> None:
        """Accept connections again, on the same port."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()


def run_module(module: str, *arguments: str, env: dict[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run `python -m module` in an environment of its own."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-m", module, *arguments],
        cwd=BACKEND,
        env={"PATH": os.environ["PATH"], **env},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
