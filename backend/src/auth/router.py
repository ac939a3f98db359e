"""Routes of /api/auth."""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter, Depends, Request, Response, status

from src.auth import service
from src.auth.dependencies import COOKIE, AllClaimsDep, DetachedUserDep, UserDep
from src.auth.schemas import AccountDeletion, Credentials, SessionOut, UserOut
from src.core.database import Database
from src.core.dependencies import DatabaseDep, SettingsDep
from src.core.errors import ErrorCode, ProblemError, responses
from src.core.ratelimit import spend
from src.core.settings import Settings

router = APIRouter(prefix="/api/auth", tags=["auth"])

logger = logging.getLogger("src.auth")


def _address(request: Request) -> str:
    # The client's own address: uvicorn takes it from X-Forwarded-For when the peer is a trusted proxy.
    return request.client.host if request.client else "unknown"


@contextmanager
def _logged(request: Request, event: str, email: str) -> Iterator[None]:
    """Write down who tried what, from where, and with which outcome.

    The account is told by its digest: people type passwords into the field of the address.
    """
    outcome: str = "ok"
    try:
        yield
    except ProblemError as error:
        outcome = error.code
        raise
    finally:
        extra = {"event": event, "outcome": outcome, "account": _digest(email)[:16], "address": _address(request)}
        logger.log(logging.INFO if outcome == "ok" else logging.WARNING, "authentication", extra=extra)


def _digest(email: str) -> str:
    return hashlib.sha256(email.encode()).hexdigest()


async def _limit_account(database: Database, settings: Settings, email: str) -> None:
    await spend(database, f"account:{_digest(email)}", settings.rate_limit_login_account)


async def _limit_register(request: Request, database: DatabaseDep, settings: SettingsDep) -> None:
    await spend(database, f"register:{_address(request)}", settings.rate_limit_register)


async def _limit_login(request: Request, database: DatabaseDep, settings: SettingsDep) -> None:
    await spend(database, f"login:{_address(request)}", settings.rate_limit_login)


def _set_cookie(request: Request, response: Response, session: SessionOut, settings: Settings) -> None:
    response.set_cookie(
        COOKIE,
        session.access_token,
        max_age=settings.session_hours * 3600,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


@router.post(
    "/register",
    operation_id="register",
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(_limit_register)],
    responses=responses(ErrorCode.EMAIL_TAKEN, ErrorCode.RATE_LIMITED),
)
async def register(
    request: Request, response: Response, body: Credentials, database: DatabaseDep, settings: SettingsDep
) -> SessionOut:
    """Create an account and log in."""
    with _logged(request, "register", body.email):
        session = await service.register(database, settings, body.email, body.password.get_secret_value())
    _set_cookie(request, response, session, settings)
    return session


@router.post(
    "/login",
    operation_id="login",
    dependencies=[Depends(_limit_login)],
    responses=responses(ErrorCode.INVALID_CREDENTIALS, ErrorCode.RATE_LIMITED),
)
async def login(
    request: Request, response: Response, body: Credentials, database: DatabaseDep, settings: SettingsDep
) -> SessionOut:
    """Log in: the token is in an HttpOnly cookie, and in the answer for clients without cookies."""
    with _logged(request, "login", body.email):
        await _limit_account(database, settings, body.email)
        session = await service.login(database, settings, body.email, body.password.get_secret_value())
    _set_cookie(request, response, session, settings)
    return session


@router.post("/logout", operation_id="logout", status_code=status.HTTP_204_NO_CONTENT)
async def logout(request: Request, response: Response, database: DatabaseDep, claims: AllClaimsDep) -> None:
    """End the session: its token is worthless from now on. Without a session nothing happens."""
    if claims:
        async with database.connection() as connection:
            await service.logout(connection, claims)
        extra = {"event": "logout", "outcome": "ok", "users": sorted({str(c.user_id) for c in claims})}
        logger.info("authentication", extra={**extra, "address": _address(request)})
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")


@router.get("/me", operation_id="me", responses=responses(ErrorCode.NOT_AUTHENTICATED))
async def me(user: UserDep) -> UserOut:
    """Who is logged in."""
    return user


@router.delete(
    "/me",
    operation_id="deleteAccount",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(ErrorCode.NOT_AUTHENTICATED, ErrorCode.WRONG_PASSWORD, ErrorCode.RATE_LIMITED),
)
async def delete_me(
    request: Request,
    response: Response,
    body: AccountDeletion,
    user: DetachedUserDep,
    database: DatabaseDep,
    settings: SettingsDep,
) -> None:
    """Delete the account with all its tasks and conversations, for good. Asks for the password again."""
    with _logged(request, "delete account", user.email):
        await _limit_account(database, settings, user.email)
        await service.delete_account(database, user.id, body.password.get_secret_value())
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
