"""Routes of /api/auth."""

import logging
import uuid
from datetime import timedelta

from fastapi import APIRouter, Depends, Request, Response, status

from src.auth import service, sessions
from src.auth.cookies import DEVICE_DAYS, delete_session_cookie, set_cookies
from src.auth.dependencies import READER, AllClaimsDep, DetachedUserDep, SessionDep, UserDep
from src.auth.guard import (
    account_digest,
    address_of,
    guess,
    known_device,
    limit_login,
    limit_register,
    logged,
)
from src.auth.schemas import AccountDeletion, Credentials, SessionOut, UserOut
from src.auth.sessions import LoginDep
from src.auth.tokens import issue_device_token
from src.core.dependencies import DatabaseDep, SettingsDep
from src.core.errors import ErrorCode, responses
from src.core.settings import Settings

router = APIRouter(prefix="/api/auth", tags=["auth"])

logger = logging.getLogger("src.auth")


def _remember(request: Request, response: Response, settings: Settings, session: SessionOut) -> None:
    email = session.user.email
    device = known_device(request, settings, email) or uuid.uuid4()
    secret = settings.jwt_secret.get_secret_value()
    token = issue_device_token(account_digest(email), device, timedelta(days=DEVICE_DAYS), secret)
    set_cookies(request, response, session, token)


@router.post(
    "/register",
    operation_id="register",
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(limit_register)],
    responses=responses(
        ErrorCode.EMAIL_TAKEN, ErrorCode.WEAK_PASSWORD, ErrorCode.VALIDATION_FAILED, ErrorCode.RATE_LIMITED
    ),
)
async def register(
    request: Request,
    response: Response,
    body: Credentials,
    database: DatabaseDep,
    settings: SettingsDep,
    login: LoginDep,
) -> SessionOut:
    """Create an account and log in. A common password is refused, and one made of the address."""
    async with logged(request, "register", body.email):
        session = await service.register(database, settings, body.email, body.password.get_secret_value(), login)
    _remember(request, response, settings, session)
    return session


@router.post(
    "/login",
    operation_id="login",
    dependencies=[Depends(limit_login)],
    responses=responses(ErrorCode.INVALID_CREDENTIALS, ErrorCode.RATE_LIMITED),
)
async def log_in(
    request: Request,
    response: Response,
    body: Credentials,
    database: DatabaseDep,
    settings: SettingsDep,
    login: LoginDep,
) -> SessionOut:
    """Log in: the token is in an HttpOnly cookie, and in the answer for clients without cookies.

    The session whose cookie the request has ends.
    """
    async with logged(request, "login", body.email), guess(request, database, settings, body.email):
        session = await service.log_in(database, settings, body.email, body.password.get_secret_value(), login)
    _remember(request, response, settings, session)
    return session


@router.post(
    "/logout",
    operation_id="logout",
    status_code=status.HTTP_204_NO_CONTENT,
    openapi_extra={"security": [{}]},  # none is needed
)
async def logout(request: Request, response: Response, database: DatabaseDep, claims: AllClaimsDep) -> None:
    """End the session: its token is worthless from now on. Without a session nothing happens."""
    if claims:
        async with database.connection() as connection:
            await sessions.end(connection, claims)
        extra = {"event": "logout", "outcome": "ok", "users": sorted({str(c.user_id) for c in claims})}
        logger.info("authentication", extra={**extra, "address": address_of(request)})
    delete_session_cookie(request, response)


@router.get("/me", operation_id="me", responses=responses(*READER))
async def me(user: UserDep) -> UserOut:
    """Who is logged in."""
    return user


@router.delete(
    "/me",
    operation_id="deleteAccount",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(*READER, ErrorCode.SESSION_REQUIRED, ErrorCode.WRONG_PASSWORD, ErrorCode.RATE_LIMITED),
)
async def delete_me(
    request: Request,
    response: Response,
    body: AccountDeletion,
    mine: SessionDep,
    user: DetachedUserDep,
    database: DatabaseDep,
    settings: SettingsDep,
) -> None:
    """Delete the account with all its tasks and conversations, for good. Asks for the password again."""
    async with logged(request, "delete account", user.email), guess(request, database, settings, user.email):
        await service.delete_account(database, user.id, body.password.get_secret_value())
    delete_session_cookie(request, response)
