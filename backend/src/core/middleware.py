"""Middleware, as plain ASGI: request id, log line and metrics; cross-origin protection; body limit."""

import logging
import re
import time
import uuid
from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from src.core.errors import INTERNAL_ERROR, MAX_BODY_BYTES, ErrorCode, problem_response
from src.core.logging import request_id
from src.core.metrics import Metrics

logger = logging.getLogger("src.request")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_PROBES = frozenset(("/health", "/health/ready", "/metrics"))
_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))


class RequestContext:
    """Gives each request an id, a log line, its numbers in the metrics, and an answer if it fails."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wrap `app`."""
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        given = Headers(scope=scope).get("x-request-id", "")
        current = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(current)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = current
                headers["X-Content-Type-Options"] = "nosniff"
                # Answers belong to one user and change: nothing between may keep them.
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            logger.exception("unhandled error", extra={"path": scope["path"], "method": scope["method"]})
            if status:
                raise  # the answer has begun: only breaking it off tells the client
            answer = problem_response(ErrorCode.INTERNAL_ERROR, INTERNAL_ERROR)
            await answer(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - started
            self._record(scope, status, seconds)
            request_id.reset(token)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        # 499, as nginx has it: the client went away before the answer began.
        status = status or 499
        route = scope.get("route")
        template = getattr(route, "path_format", None) or "unmatched"
        self.metrics.observe(scope["method"], template, status, seconds)
        level = logging.DEBUG if scope["path"] in _PROBES and status < 500 else logging.INFO
        if logger.isEnabledFor(level):
            logger.log(
                level,
                "request",
                extra={
                    "path": scope["path"],
                    "method": scope["method"],
                    "status": status,
                    "duration_ms": round(seconds * 1000, 2),
                },
            )


class CrossOriginProtection:
    """Refuses unsafe requests that a browser sends for a page of another origin.

    A browser attaches the session cookie by itself, but it also says where a request comes from, in headers that
    a page cannot forge: Sec-Fetch-Site (only on HTTPS and localhost) and Origin. Requests with neither come from
    no browser, and requests with a bearer token carry no cookie's authority.
    """

    def __init__(self, app: ASGIApp, trusted_origins: tuple[str, ...]) -> None:
        """`trusted_origins` may send unsafe requests although they are not this host."""
        self.app = app
        self.trusted = frozenset(trusted_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] == "http" and scope["method"] not in _SAFE_METHODS and not self._allowed(Headers(scope=scope)):
            answer = problem_response(
                ErrorCode.CROSS_ORIGIN_REFUSED, "Requests from pages of another origin are refused."
            )
            await answer(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _allowed(self, headers: Headers) -> bool:
        # As FastAPI reads it: without a token it is none, and the cookie counts.
        scheme, token = get_authorization_scheme_param(headers.get("authorization"))
        if scheme.lower() == "bearer" and token:
            return True
        origin = headers.get("origin")
        if origin in self.trusted:
            return True
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        if origin is None:
            return True
        # X-Forwarded-Host is how a proxy in front tells the host that the browser asked for. A page of another
        # origin cannot add it: that would take a CORS preflight, which only trusted origins pass.
        host = urlsplit(origin).netloc
        return bool(host) and host in (headers.get("host"), headers.get("x-forwarded-host"))


class BodyLimit:
    """Stops reading a request body at MAX_BODY_BYTES, or at another number of bytes for some paths."""

    def __init__(self, app: ASGIApp, larger: Mapping[str, int]) -> None:
        """`larger` has the paths with a limit of their own."""
        self.app = app
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        read = 0
        limit = self.larger.get(scope.get("path", ""), MAX_BODY_BYTES)

        async def limited_receive() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise HTTPException(413)
            return message

        await self.app(scope, limited_receive if scope["type"] == "http" else receive, send)
