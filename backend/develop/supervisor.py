"""The process that outlives the changes: it keeps the port, takes changes in and decides who serves.

Messages are JSON objects, one a line. Asked are {"id": 1, "op": "manifest"}, answered with the digests of the "files"
and, where the newest code does not load, with why it "failed", and {"id": 2, "op": "apply", "write": {path: base64},
"delete": [path]}, answered with the number of the "change" once it is on disk. Any answer may be an "error" instead.
What becomes of a change is told unasked: {"event": "serving", "change": 1, "imported": 0.3}, or {"event": "failed",
"change": 1, "traceback": "…"}, and the version before goes on serving.
"""

import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from develop.tree import Tree
from develop.worker import Report, read_report, work

BACKLOG = 2048
START_SECONDS = 30.0
"""How long code may take to load."""
DRAIN_SECONDS = 35.0
"""How long a process may take to finish its requests; its own limit is shorter."""
AGAIN_SECONDS = 1.0
"""How long after the end of a process that served the next one begins."""
SEND_SECONDS = 5.0

Message = dict[str, Any]


@dataclass(eq=False)
class _Worker:
    pid: int
    change: int
    until: float  # by when it has to be ready, or gone
    imported: float = 0.0  # seconds that its code took to load
    successor: "_Worker | None" = None


class Supervisor:
    """Serves what `tree` holds on `listener`, and takes changes of it from connections to `control`."""

    def __init__(self, tree: Tree, listener: socket.socket, control: socket.socket) -> None:
        self._tree, self._listener, self._control = tree, listener, control
        self._selector = selectors.DefaultSelector()
        self._connections: dict[socket.socket, bytes] = {}
        self._change = 0
        self._serving: _Worker | None = None
        self._starting: _Worker | None = None
        self._draining: list[_Worker] = []
        self._failed: str | None = None
        self._again: float | None = None

    def run(self) -> None:
        """Serve until SIGTERM, which the processes get too."""
        signal.signal(signal.SIGTERM, _end)
        self._selector.register(self._control, selectors.EVENT_READ, self._accept)
        _load(self._tree.imports())  # once, and before the first process would, too
        self._start()
        try:
            while True:
                for key, _ in self._selector.select(timeout=0.5):
                    # One event may end what another in the same batch is about.
                    if self._selector.get_map().get(key.fd) is key:
                        key.data()
                self._look_at_the_clock()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            for worker in self._workers():
                os.kill(worker.pid, signal.SIGTERM)
            for worker in self._workers():
                os.waitpid(worker.pid, 0)

    def _workers(self) -> list[_Worker]:
        return [w for w in (self._serving, self._starting, *self._draining) if w]

    # What is asked.

    def _accept(self) -> None:
        connection, _ = self._control.accept()
        connection.settimeout(SEND_SECONDS)
        self._connections[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ, lambda: self._read(connection))

    def _read(self, connection: socket.socket) -> None:
        try:
            data = connection.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        *lines, self._connections[connection] = (self._connections[connection] + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            try:
                answer = self._answer(message)
            except (ValueError, OSError, LookupError) as error:
                answer = {"error": str(error)}
            self._send(connection, {"id": message.get("id"), **answer})
            if "change" in answer:
                self._start()

    def _answer(self, message: Message) -> Message:
        match message["op"]:
            case "manifest":
                return {"files": self._tree.manifest(), "failed": self._failed}
            case "apply":
                self._tree.apply(message.get("write", {}), message.get("delete", []))
                self._change += 1
                return {"change": self._change}
        raise ValueError(f"there is no op {message['op']!r}")

    def _send(self, connection: socket.socket, message: Message) -> None:
        try:
            connection.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        if self._connections.pop(connection, None) is not None:
            self._selector.unregister(connection)
            connection.close()

    def _tell(self, message: Message) -> None:
        for connection in list(self._connections):
            self._send(connection, message)

    # Who serves.

    def _start(self) -> None:
        """Begin a process with the code as it is now, in place of one that is not ready yet."""
        if self._starting:
            os.kill(self._starting.pid, signal.SIGKILL)
            self._draining.append(self._starting)
        self._again = None
        read, write = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            self._be_worker(write)
        os.close(write)
        worker = self._starting = _Worker(pid, self._change, time.monotonic() + START_SECONDS)
        self._selector.register(read, selectors.EVENT_READ, lambda: self._hear(read, worker))
        end = os.pidfd_open(pid)
        self._selector.register(end, selectors.EVENT_READ, lambda: self._ended(end, worker))

    def _be_worker(self, write: int) -> NoReturn:
        for key in list(self._selector.get_map().values()):
            os.close(key.fd)
        self._selector.close()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with suppress(BaseException), Report(write) as report:
            work(self._listener, self._tree.root, report)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

    def _hear(self, pipe: int, worker: _Worker) -> None:
        """A process says what became of it, and closes the pipe when it takes no more requests."""
        if message := read_report(pipe):
            self._reported(worker, message)
            return
        self._selector.unregister(pipe)
        os.close(pipe)
        self._reported(worker, {"failed": "the process ended before it was ready; see its log"})
        self._took_over(worker.successor)

    def _reported(self, worker: _Worker, report: Message) -> None:
        if worker is not self._starting:
            return
        self._starting = None
        if "failed" in report:
            self._failed = report["failed"]
            worker.until = time.monotonic() + DRAIN_SECONDS
            self._draining.append(worker)
            if not self._connections:  # nobody else is told
                print(self._failed, file=sys.stderr, flush=True)
            self._tell({"event": "failed", "change": worker.change, "traceback": self._failed})
            return
        self._failed = None
        worker.imported = report["imported"]
        before, self._serving = self._serving, worker
        if before:
            before.until, before.successor = time.monotonic() + DRAIN_SECONDS, worker
            self._draining.append(before)
            os.kill(before.pid, signal.SIGUSR1)
        else:
            self._took_over(worker)
        _load(report["libraries"])

    def _took_over(self, worker: _Worker | None) -> None:
        if worker:
            self._tell({"event": "serving", "change": worker.change, "imported": worker.imported})

    def _ended(self, end: int, worker: _Worker) -> None:
        self._selector.unregister(end)
        os.close(end)
        os.waitpid(worker.pid, 0)
        if worker in self._draining:
            self._draining.remove(worker)
        elif worker is self._serving:
            self._serving = None
            self._again = time.monotonic() + AGAIN_SECONDS

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        for worker in self._workers():
            if worker is not self._serving and worker.until < now:
                os.kill(worker.pid, signal.SIGKILL)
        if self._again and self._again < now and not self._starting:
            self._start()


def _end(*_: object) -> NoReturn:
    raise SystemExit(0)


def _load(libraries: list[str]) -> None:
    """Load what the next process would have to."""
    missing = [name for name in libraries if name not in sys.modules]
    for name in missing:
        with suppress(Exception):
            importlib.import_module(name)
    if missing:
        gc.collect()
        gc.freeze()
