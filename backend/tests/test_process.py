"""The process as the container runs it: logs, metrics, signals."""

import asyncio
import contextlib
import json
import logging
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from pydantic import TypeAdapter

from src.app import create_app
from src.core.database import Database
from src.core.logging import JsonFormatter
from src.sweep import sweep_again_and_again
from tests.support import BACKEND, PATIENCE, PATIENT, SECRET, Person, make_settings, read_events, serve, stranger


def image_command(stage: str, **options: str) -> list[str]:
    """The CMD of a stage of the Dockerfile, with other values for some of its options."""
    text = (BACKEND / "Dockerfile").read_text().split(f" AS {stage}\n")[1]
    command = re.search(r"^CMD (\[.*?\])", text, re.M | re.S)
    assert command is not None
    arguments: list[str] = json.loads(command[1].replace("\\\n", ""))
    for name, value in options.items():
        arguments[arguments.index(f"--{name.replace('_', '-')}") + 1] = value
    return arguments


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return str(free.getsockname()[1])


class Process:
    """The application as the Dockerfile's CMD starts it."""

    def __init__(self, database_url: str, env: dict[str, str]) -> None:
        port = free_port()
        command = image_command("runtime", host="127.0.0.1", port=port)
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, *command[1:]],
            cwd=BACKEND,
            env={"PATH": os.environ["PATH"], "DATABASE_URL": database_url, "JWT_SECRET": SECRET, **PATIENT, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = f"http://127.0.0.1:{port}"

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.communicate()
            try:
                if stranger.get(f"{self.url}/health/ready").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        pytest.fail("the process did not become ready")

    def end(self) -> tuple[int, str, str]:
        """Send SIGTERM: exit code, stdout and stderr."""
        self.process.send_signal(signal.SIGTERM)
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err


@contextmanager
def running(database_url: str, **env: str) -> Iterator[Process]:
    process = Process(database_url, env)
    try:
        process.wait_until_ready()
        yield process
    finally:
        if process.process.poll() is None:
            process.process.kill()
            process.process.communicate()


def test_every_line_is_json_with_what_is_promised(database_url: str) -> None:
    with running(database_url, LOG_LEVEL="debug") as process:
        stranger.get(f"{process.url}/api/tasks?q=private", headers={"X-Request-ID": "my-request-1"})
        stranger.post(f"{process.url}/api/auth/login", json={"email": "a@b.c", "password": "hunter2hunter2"})
        code, out, err = process.end()
    assert (code, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert all({"timestamp", "level", "message"} <= set(line) for line in lines)
    assert {"Application startup complete.", "Shutting down"} <= {line["message"] for line in lines}
    (line,) = [line for line in lines if line.get("request_id") == "my-request-1" and line["message"] == "request"]
    assert (line["path"], line["method"], line["status"]) == ("/api/tasks", "GET", 401)
    assert 0 < line["duration_ms"] < 1000 * PATIENCE
    assert "+00:00" in line["timestamp"]
    for secret in ("hunter2", "q=private", SECRET):
        assert secret not in out


def test_probes_are_not_logged_at_the_usual_level(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for path in ("/health", "/health/ready", "/metrics", "/api/openapi.json"):
        assert stranger.get(f"{url}{path}").status_code == 200

    def paths() -> list[str]:
        return [vars(record)["path"] for record in caplog.records if record.getMessage() == "request"]

    deadline = time.monotonic() + 10
    while not paths() and time.monotonic() < deadline:
        time.sleep(0.01)  # a request is logged once its answer is on the way
    assert paths() == ["/api/openapi.json"]


def test_exceptions_are_one_line_too() -> None:
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("name", logging.ERROR, "file", 1, "it %s", ("broke",), sys.exc_info())
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert json.loads(line)["message"] == "it broke"
    assert "ValueError: two\nlines" in json.loads(line)["exception"]


def test_metrics(database_url: str) -> None:
    with serve(create_app(make_settings(database_url))) as url:
        stranger.get(f"{url}/health/ready")
        stranger.get(f"{url}/api/tasks/0b1f6a52-6f0e-4f9b-9a53-1d6b7a3d8c11")
        stranger.get(f"{url}/no/such/path")
        stranger.request("PROPFIND", f"{url}/api/tasks")
        text = stranger.get(f"{url}/metrics").text
    assert 'http_requests_total{method="GET",route="/api/tasks/{task_id}",status="401"} 1.0' in text
    assert 'http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in text
    assert 'method="other"' in text
    assert "0b1f6a52" not in text
    assert "process_resident_memory_bytes" in text
    assert 'http_request_duration_seconds_bucket{le="0.005",method="GET",route="/health/ready"}' in text


def test_running_requests_and_streams_finish_on_sigterm(database_url: str, fake_openai: str) -> None:
    env = {"OPENAI_API_KEY": "sk-fake", "OPENAI_BASE_URL": fake_openai}
    with running(database_url, **env) as process:
        person = Person(process.url, f"{time.time_ns()}@example.com")
        ended: list[tuple[int, str, str]] = []
        with person.stream("POST", "/api/chat", json={"message": "fake:slow"}) as answer:
            events = read_events(answer)
            assert next(events)[0] == "conversation"
            assert next(events)[0] == "delta"
            thread = threading.Thread(target=lambda: ended.append(process.end()))
            thread.start()
            time.sleep(0.5)
            with pytest.raises(httpx.ConnectError):
                stranger.get(f"{process.url}/health")
            rest = [name for name, _ in events]
        thread.join()
        person.close()
    assert rest == ["delta"] * 9 + ["done"]
    code, _, err = ended[0]
    assert (code, err) == (0, "")


def test_a_stream_that_does_not_end_does_not_hold_up_the_end(
    database_url: str, fake_openai: str, sql_connection: psycopg.Connection[Any]
) -> None:
    env = {"OPENAI_API_KEY": "sk-fake", "OPENAI_BASE_URL": fake_openai, "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN": "1"}
    with running(database_url, **env) as process:
        person = Person(process.url, f"{time.time_ns()}@example.com")
        with person.stream("POST", "/api/chat", json={"message": "fake:stall"}) as answer:
            events = read_events(answer)
            conversation = next(events)[1]["conversation_id"]
            assert next(events) == ("delta", {"text": "Well"})
            started = time.monotonic()
            code, _, err = process.end()
            assert time.monotonic() - started < PATIENCE  # the fake model goes on for two minutes
            with pytest.raises(httpx.RemoteProtocolError):
                next(events)
        person.close()
    assert (code, err) == (0, "")
    # What was said until then is kept.
    said = "SELECT content FROM messages WHERE conversation_id = %s AND role = 'assistant'"
    assert sql_connection.execute(said, [conversation]).fetchall() == [("Well",)]


def test_the_fake_model_as_its_image_runs_it() -> None:
    port = free_port()
    command = image_command("fake-openai", host="127.0.0.1", port=port)
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *command[1:]], cwd=BACKEND, env={}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process, httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(retries=8)) as client:
        try:
            assert client.get("/health").json() == {"status": "ok"}
            body = {"stream": True, "messages": [{"role": "system"}, {"role": "user", "content": "fake:hello"}]}
            answer = client.post("/v1/chat/completions", json=body, headers={"Authorization": "Bearer any"})
            assert answer.text.endswith("data: [DONE]\n\n")
            assert "a fake model." in answer.text
        finally:
            process.terminate()


def test_idle_connections_do_not_delay_the_end(database_url: str) -> None:
    with running(database_url) as process, httpx.Client(base_url=process.url) as client:
        client.get("/health")
        started = time.monotonic()
        assert process.end()[0] == 0
        assert time.monotonic() - started < PATIENCE


def test_a_first_request_waits_for_nothing_that_could_be_done_before(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(make_settings(database_url))

    def build(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a validator is built while a request waits")

    monkeypatch.setattr(TypeAdapter, "__init__", build)
    with serve(app) as url:
        assert stranger.get(f"{url}/health").status_code == 200


def test_the_random_numbers_of_a_program_that_imports_this_one_are_left_alone(database_url: str, alice: Person) -> None:
    async def begin_to_sweep() -> None:
        database = Database(database_url)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(sweep_again_and_again(database), 0.01)
        await database.close()

    before = random.getstate()
    asyncio.run(begin_to_sweep())
    with alice.stream("GET", "/api/events") as answer:
        assert "retry: " in next(answer.iter_text())
    assert random.getstate() == before


def test_health(url: str, openai_url: str) -> None:
    expected: dict[str, Any] = {"status": "ok", "environment": "development", "api_version": "v1"}
    assert stranger.get(f"{url}/health").json() == {**expected, "assistant": "offline"}
    assert stranger.get(f"{openai_url}/health").json() == {**expected, "assistant": "openai"}
    assert stranger.get(f"{url}/health/ready").json()["status"] == "ready"


def test_the_lock_files_name_no_host_and_pin_what_the_project_asks_for() -> None:
    project = tomllib.loads((BACKEND / "pyproject.toml").read_text())
    for name, wanted in (
        ("requirements.txt", project["project"]["dependencies"]),
        ("requirements-dev.txt", project["dependency-groups"]["dev"]),
    ):
        text = (BACKEND / name).read_text()
        assert "://" not in text
        pinned = set(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==\S+ \\\n    --hash=sha256:", text, re.M))
        assert {re.split(r"[\[<>=]", requirement)[0] for requirement in wanted} <= pinned
