"""A process that serves one state of the code."""

import asyncio
import importlib
import json
import logging
import os
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Self

import uvicorn

SETTLE_SECONDS = 3.0
"""How long a process that accepts no more connections waits for the requests on those that it has just accepted.

Nobody waits for it; a busy machine takes long to send what belongs to a connection.
"""


class Report:
    """What a process says of itself on a pipe: whether it serves, and by the end that it takes no more requests."""

    def __init__(self, pipe: int) -> None:
        self._pipe = os.fdopen(pipe, "wb")
        self._told = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()

    def tell(self, **message: object) -> None:
        """Say it; what is said after that nobody waits for."""
        if not self._told:
            self._told = True
            self._pipe.write(json.dumps(message).encode() + b"\n")
            self._pipe.flush()

    def close(self) -> None:
        """Say that no more requests are taken."""
        self._pipe.close()


def read_report(pipe: int) -> dict[str, Any]:
    """What was told; empty after the end."""
    raw = b""
    while not raw.endswith(b"\n"):
        data = os.read(pipe, 1 << 16)
        if not data:
            return {}
        raw += data
    told: dict[str, Any] = json.loads(raw)
    return told


def work(listener: socket.socket, root: Path, report: Report) -> None:
    """Load the code below `root` and serve it."""
    began = time.monotonic()
    sys.path[0] = str(root)
    os.chdir(root)
    errors = _Errors()
    try:
        options = importlib.import_module("src.serve").OPTIONS
        config = uvicorn.Config(
            "src.main:app",
            # A connection that is kept could get its next request while this process ends.
            headers=[("Connection", "close")],
            timeout_graceful_shutdown=int(os.environ.get("UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN", "25")),
            **options,
        )
        said = logging.getLogger("uvicorn.error")
        said.addHandler(errors)
        said.setLevel(logging.WARNING)  # that a process starts and ends is no news with every save
        config.load()
        imported = time.monotonic() - began
        server = _Server(config, report, imported)
        server.run(sockets=[listener])
        if not server.started:
            report.tell(failed="\n".join(errors.said) or "the application did not start")
    except BaseException as error:  # a module may do anything, sys.exit() too
        report.tell(failed=_told(error, root))


def _libraries() -> list[str]:
    """What is loaded and is not the code that is worked on."""
    return [name for name in sys.modules if name.partition(".")[0] not in ("src", "__main__", "develop")]


def _told(error: BaseException, root: Path) -> str:
    """The traceback without the frames of libraries that only lead to the code."""
    told = traceback.TracebackException.from_exception(error)
    own = [frame for frame in told.stack if frame.filename.startswith(f"{root}/")]
    if own:
        told.stack[:] = own
    return "".join(told.format()).replace(f"{root}/", "").rstrip()


class _Errors(logging.Handler):
    """Keeps what is said while the application starts: uvicorn logs why it does not, and raises nothing."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, report: Report, imported: float) -> None:
        super().__init__(config)
        self._report, self._imported = report, imported

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._retire)
            self._report.tell(imported=self._imported, libraries=_libraries())

    def _retire(self) -> None:
        """Leave new connections to the process that took over, and end once those that are open have been served."""
        for server in self.servers:
            server.close()
        self._report.close()
        asyncio.get_running_loop().call_later(SETTLE_SECONDS, os.kill, os.getpid(), signal.SIGTERM)
