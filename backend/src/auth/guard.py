"""What stands before every password: limits on guessing, and a line in the log."""

import hashlib
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Request

from src.auth.cookies import DEVICE_COOKIE, read_cookie
from src.auth.dependencies import DetachedUserDep
from src.auth.tokens import read_device_token
from src.core.client import network
from src.core.database import Database
from src.core.dependencies import DatabaseDep, SettingsDep
from src.core.errors import ErrorCode, ProblemError
from src.core.ratelimit import refund, spend
from src.core.settings import Settings

logger = logging.getLogger("src.auth")

_WRONG = (ErrorCode.INVALID_CREDENTIALS, ErrorCode.WRONG_PASSWORD, ErrorCode.INVALID_RESET_CODE)


def address_of(request: Request) -> str:
    """The client's address, as far as it is known (see `ClientAddress`)."""
    return request.client.host if request.client else "unknown"


def account_digest(email: str) -> str:
    """Stands for an account in logs and keys: people type passwords into the field of the address."""
    return hashlib.sha256(email.encode()).hexdigest()


@asynccontextmanager
async def logged(request: Request, event: str, email: str) -> AsyncIterator[None]:
    """Write down who tried what, from where, and with which outcome."""
    outcome: str = "ok"
    try:
        yield
    except ProblemError as error:
        outcome = error.code
        raise
    finally:
        extra = {"event": event, "outcome": outcome, "account": account_digest(email)[:16]}
        level = logging.INFO if outcome == "ok" else logging.WARNING
        logger.log(level, "authentication", extra={**extra, "address": address_of(request)})


@asynccontextmanager
async def guess(request: Request, database: Database, settings: Settings, email: str) -> AsyncIterator[None]:
    """Limit wrong passwords for an account: from one network, so that nobody locks its owner out from another.

    A device that has logged in to the account before has a count of its own, and so comes through where its network is
    locked out. What turns out not to be wrong is given back afterwards: counted only then, parallel guesses would
    not be counted at all.
    """
    key = _guess_key(request, settings, email)
    await spend(database, key, settings.rate_limit_login_account)
    try:
        yield
    except ProblemError as error:
        if error.code not in _WRONG:
            await refund(database, key, settings.rate_limit_login_account)
        raise
    await refund(database, key, settings.rate_limit_login_account)


def _guess_key(request: Request, settings: Settings, email: str) -> str:
    if device := known_device(request, settings, email):
        return f"device:{device}"
    return f"account:{account_digest(email)}:{network(address_of(request), 24)}"


def known_device(request: Request, settings: Settings, email: str) -> uuid.UUID | None:
    """The device that asks, if somebody has logged in to this account on it before."""
    token = read_cookie(request, DEVICE_COOKIE)
    return read_device_token(token, account_digest(email), settings.jwt_secret.get_secret_value()) if token else None


async def limit_register(request: Request, database: DatabaseDep, settings: SettingsDep) -> None:
    """Limit the registrations from one address."""
    await spend(database, f"register:{network(address_of(request))}", settings.rate_limit_register)


async def limit_login(request: Request, database: DatabaseDep, settings: SettingsDep) -> None:
    """Limit the attempts from one address, whichever accounts they are for: each costs a good deal of computing."""
    await spend(database, f"login:{network(address_of(request))}", settings.rate_limit_login)


async def limit_write(user: DetachedUserDep, database: DatabaseDep, settings: SettingsDep) -> None:
    """Limit what one user adds and changes."""
    await spend(database, f"write:{user.id}", settings.rate_limit_write)
