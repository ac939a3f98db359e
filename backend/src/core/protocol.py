"""uvicorn's HTTP protocol, with bounds on how large and how slow a request may be.

Nothing of a request reaches the application, and so no bound of the application's, before its header is whole.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_SECONDS = 20.0
"""How long a request may take to arrive, from its first byte (of a new connection: from its beginning) to its last."""

BODY_RATE = 64 * 1024
"""Bytes of a body that earn another second."""

MAX_HEADER_BYTES = 64 * 1024

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Between requests uvicorn's own limit on idle connections holds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._in_header = True
        self._header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first request its time."""
        super().connection_made(transport)
        self._begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, which keeps a line of any length until it ends."""
        begun_before = self._in_header
        super().data_received(data)
        if begun_before and self._in_header:
            self._header_bytes += len(data)
            self._check_header()

    def on_message_begin(self) -> None:
        """Give a further request of the connection its time."""
        self._begin()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request on, unless it is larger than what arrives in pieces may be."""
        self._in_header = False
        self._header_bytes = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if self._check_header():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand a piece of the body on. Once the answer is there, nobody reads it, and it earns no time."""
        if self._refused():
            return
        if not self.cycle.response_complete:
            self._due += len(body) / BODY_RATE
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop the clock: an answer may take its time."""
        self._end()
        if not self._refused():
            super().on_message_complete()

    def _begin(self) -> None:
        self._in_header = True
        self._header_bytes = 0
        if self._timer is None:
            self._due = self.loop.time() + REQUEST_SECONDS
            self._timer = self.loop.call_at(self._due, self._check_time)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_time(self) -> None:
        if self.loop.time() < self._due:
            self._timer = self.loop.call_at(self._due, self._check_time)
            return
        self._timer = None
        # An answer that has begun is no place for another.
        self._refuse(_TOO_SLOW if self._in_header else b"")

    def _check_header(self) -> bool:
        if self._header_bytes > MAX_HEADER_BYTES:
            self._refuse(_TOO_LARGE)
        return not self._refused()

    def _refuse(self, answer: bytes) -> None:
        if not self._refused():
            self.transport.write(answer)
            self.transport.close()

    def _refused(self) -> bool:
        return self.transport.is_closing()
