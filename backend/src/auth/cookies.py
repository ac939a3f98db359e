"""The cookies of a login: the session, and the device on which it was made."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request, Response
from fastapi.security import APIKeyCookie

from src.auth.schemas import SessionOut

COOKIE = "session"
DEVICE_COOKIE = "device"
DEVICE_DAYS = 365

_SECURE_PREFIX = "__Host-"
"""Under TLS. Browsers take such a cookie from this very host alone, over TLS alone: no neighbour can plant one."""

_plain = APIKeyCookie(name=COOKIE, auto_error=False, scheme_name="cookie", description="Set by a login over HTTP.")
_secure = APIKeyCookie(
    name=_SECURE_PREFIX + COOKIE, auto_error=False, scheme_name="secureCookie", description="Set by a login over TLS."
)


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


async def get_session_cookie(
    request: Request, plain: Annotated[str | None, Depends(_plain)], secure: Annotated[str | None, Depends(_secure)]
) -> str | None:
    """The session's token. Under TLS the cookie that does not need it counts for nothing."""
    return secure if _is_secure(request) else plain


SessionCookieDep = Annotated[str | None, Depends(get_session_cookie)]


def read_cookie(request: Request, name: str) -> str | None:
    """A cookie for routes that need none: the session's, or the device's."""
    return request.cookies.get((_SECURE_PREFIX if _is_secure(request) else "") + name)


def set_cookies(request: Request, response: Response, session: SessionOut, device_token: str) -> None:
    """Let the browser keep a session, and that this device is known to the account."""
    _set(request, response, COOKIE, session.access_token, int((session.expires_at - datetime.now(UTC)).total_seconds()))
    _set(request, response, DEVICE_COOKIE, device_token, DEVICE_DAYS * 24 * 3600)


def delete_session_cookie(request: Request, response: Response) -> None:
    """Let the browser forget the session."""
    _set(request, response, COOKIE, "", 0)


def _set(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    secure = _is_secure(request)
    response.set_cookie(
        (_SECURE_PREFIX if secure else "") + name,
        value,
        max_age=seconds,
        httponly=True,
        samesite="lax",
        secure=secure,
    )
