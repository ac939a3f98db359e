"""The application while it is worked on: another process takes over with every change."""

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from develop.tree import Tree
from tests.support import BACKEND, PATIENCE
from tests.test_process import free_port, image_command

SERVE = "OPTIONS = {'access_log': False}"
MAIN = """
import asyncio, json
from src import word
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/slow":
        await send({"type": "http.response.body", "body": b"slowly ", "more_body": True})
        await asyncio.sleep(0.5)
    await send({"type": "http.response.body", "body": word.WORD.encode()})
"""


def word(text: str) -> dict[str, str]:
    return {"src/word.py": f"WORD = {text!r}"}


class Developed:
    """A supervisor with a small application, and the connection that the target `dev` would have."""

    def __init__(self, folder: Path) -> None:
        image = folder / "image"
        (image / "src").mkdir(parents=True)
        (folder / "code").mkdir()
        for name, text in {"src/__init__.py": "", "src/serve.py": SERVE, "src/main.py": MAIN, **word("one")}.items():
            (image / name).write_text(text)
        port, control = free_port(), folder / "control"
        self.url = f"http://127.0.0.1:{port}"
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(BACKEND)}
        command = image_command("dev", host="127.0.0.1", port=port, code=str(folder / "code"), control=str(control))
        self.log = folder / "log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, *command[1:]], cwd=image, env=env, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while not control.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.relay = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "develop.connect", str(control)],
            cwd=BACKEND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, **message: Any) -> dict[str, Any]:
        assert self.relay.stdin is not None
        self.relay.stdin.write(json.dumps({"id": 7, **message}).encode() + b"\n")
        self.relay.stdin.flush()
        while "id" not in (answer := self.hear()):
            pass
        assert answer["id"] == 7
        return answer

    def hear(self) -> dict[str, Any]:
        assert self.relay.stdout is not None
        heard: dict[str, Any] = json.loads(self.relay.stdout.readline())
        return heard

    def change(self, files: dict[str, str], *deleted: str) -> dict[str, Any]:
        write = {name: base64.b64encode(text.encode()).decode() for name, text in files.items()}
        change = self.ask(op="apply", write=write, delete=deleted)["change"]
        while (event := self.hear()).get("change") != change:
            pass
        return event

    def get(self, path: str = "/") -> str:
        return httpx.get(self.url + path, timeout=PATIENCE).text


@pytest.fixture
def developed(tmp_path: Path) -> Iterator[Developed]:
    d = Developed(tmp_path)
    with d.relay:
        yield d
        d.process.terminate()
        assert d.process.wait(timeout=PATIENCE) == 0
        assert d.relay.wait(timeout=PATIENCE) == 0


def test_changes_are_served_a_mistake_is_not_and_no_request_fails(developed: Developed) -> None:
    assert developed.get() == "one"
    answers, done = [], threading.Event()

    def use() -> None:
        while not done.is_set():
            answers.append(developed.get())
        answers.append(developed.get())

    user = threading.Thread(target=use)
    user.start()
    with httpx.stream("GET", developed.url + "/slow", timeout=PATIENCE) as slow:
        assert developed.change(word("two"))["event"] == "serving"
        assert slow.read() == b"slowly one", "what has begun is finished by who began it"
    event = developed.change({"src/word.py": "import json\nWORD = 1 / 0"})
    assert event["event"] == "failed"
    assert 'File "src/word.py", line 2' in event["traceback"]
    assert "ZeroDivisionError" in event["traceback"]
    assert "importlib" not in event["traceback"]
    assert "ZeroDivisionError" in developed.ask(op="manifest")["failed"], "who connects later is told as well"
    assert developed.get() == "two"
    assert "SyntaxError" in developed.change({"src/word.py": "WORD ="})["traceback"]
    assert "SystemExit: 3" in developed.change({"src/word.py": "import sys\nsys.exit(3)"})["traceback"]
    assert "before it was ready" in developed.change({"src/word.py": "import os\nos._exit(3)"})["traceback"]
    # Within the same second and of the same length, too.
    for text in ("two", "six", "ten"):
        assert developed.change(word(text))["event"] == "serving"
        assert developed.get() == text
    assert developed.ask(op="manifest")["failed"] is None
    done.set()
    user.join()
    assert developed.log.read_text() == "", "what is told is not logged as well, nor that processes come and go"
    assert answers[-1] == "ten"
    assert set(answers) <= {"one", "two", "six", "ten"}


def test_what_the_code_asks_for_is_known_before_it_is_loaded(tmp_path: Path) -> None:
    code = {
        "a.py": "import json, os.path\nfrom . import b\nfrom src import b\ndef f():\n    from email import message",
        "b.py": "import (",
    }
    (tmp_path / "src").mkdir()
    for name, text in code.items():
        (tmp_path / "src" / name).write_text(text)
    assert Tree(tmp_path).imports() == ["email", "json", "os.path"]


def test_a_process_that_dies_is_replaced(developed: Developed) -> None:
    dies = '    scope["path"] == "/die" and __import__("os")._exit(1)\n'
    killing = MAIN.replace("    await send", f"{dies}    await send", 1)
    assert developed.change({"src/main.py": killing})["event"] == "serving"
    with pytest.raises(httpx.TransportError):
        developed.get("/die")
    assert developed.get() == "one"


def test_a_newer_change_does_not_wait_for_one_that_hangs(developed: Developed) -> None:
    write = {"src/word.py": base64.b64encode(b"import time\ntime.sleep(60)").decode()}
    developed.ask(op="apply", write=write, delete=[])
    assert developed.change(word("two"))["event"] == "serving"
    assert developed.get() == "two"


def test_what_it_cannot_do_it_says(developed: Developed) -> None:
    assert "no op" in developed.ask(op="dance")["error"]
    assert "no path below" in developed.ask(op="apply", write={"../out": ""}, delete=[])["error"]
    assert developed.get() == "one"


def test_files_come_whole_and_leave_nothing_behind(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    content = base64.b64encode(b"X = 1\n").decode()
    tree.apply({"src/a/b.py": content, "src/c.py": content}, [])
    assert set(tree.manifest()) == {"src/a/b.py", "src/c.py"}
    assert len(set(tree.manifest().values())) == 1
    tree.apply({}, ["src/a/b.py", "src/never.py"])
    assert set(tree.manifest()) == {"src/c.py"}
    assert not (tmp_path / "src" / "a").exists()
    with socket.socket(socket.AF_UNIX) as other:  # what is no file is none of its business
        other.bind(str(tmp_path / "src" / "s"))
        assert set(tree.manifest()) == {"src/c.py"}


def test_the_image_s_code_is_taken_once(tmp_path: Path) -> None:
    image, code = tmp_path / "image" / "src", tmp_path / "code"
    image.mkdir(parents=True)
    (image / "a.py").write_text("1")
    Tree(code).begin(image)
    (code / "src" / "a.py").write_text("2")
    Tree(code).begin(image)
    assert (code / "src" / "a.py").read_text() == "2", "a container that began again goes on with what there was"
