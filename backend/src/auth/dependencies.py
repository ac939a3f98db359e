"""Who is asking: the user behind a request's token."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from src.auth import api_tokens, sessions
from src.auth.api_tokens import ApiTokenClaims, read_api_token
from src.auth.cookies import SessionCookieDep
from src.auth.schemas import Scope, UserOut
from src.auth.tokens import TokenClaims, read_token
from src.core.database import Executor
from src.core.dependencies import ConnectionDep, DatabaseDep, SettingsDep
from src.core.errors import ErrorCode, ProblemError

_bearer = HTTPBearer(
    auto_error=False, scheme_name="bearer", description="The `access_token` of a login, or an API token."
)

READER = (ErrorCode.NOT_AUTHENTICATED, ErrorCode.OTHER_USER)
"""What a request may be refused with that is not for the user who is meant."""

WRITER = (*READER, ErrorCode.INSUFFICIENT_SCOPE)
"""What a request may be refused with whose token may not do it."""

Claims = TokenClaims | ApiTokenClaims
BearerDep = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def get_claims(settings: SettingsDep, bearer: BearerDep, cookie: SessionCookieDep) -> Claims | None:
    """The claims of the request's token; a bearer token counts before a cookie."""
    if bearer and (claims := read_api_token(bearer.credentials)):
        return claims
    token = bearer.credentials if bearer else cookie
    return read_token(token, settings.jwt_secret.get_secret_value()) if token else None


async def get_all_claims(settings: SettingsDep, bearer: BearerDep, cookie: SessionCookieDep) -> list[TokenClaims]:
    """The claims of every session that the request has."""
    tokens = (bearer.credentials if bearer else None, cookie)
    read = [read_token(token, settings.jwt_secret.get_secret_value()) for token in tokens if token]
    return [claims for claims in read if claims]


AllClaimsDep = Annotated[list[TokenClaims], Depends(get_all_claims)]
ClaimsDep = Annotated[Claims | None, Depends(get_claims)]


def _log_in_first() -> ProblemError:
    return ProblemError(ErrorCode.NOT_AUTHENTICATED, "Log in first.")


async def require_claims(claims: ClaimsDep) -> Claims:
    """The claims of the request's token. Raises ProblemError(NOT_AUTHENTICATED)."""
    if claims is None:
        raise _log_in_first()
    return claims


RequiredClaimsDep = Annotated[Claims, Depends(require_claims)]
MeantDep = Annotated[
    UUID | None,
    Header(
        alias="X-User-Id",
        description="Who is meant. Windows of a browser share one session: after another login, one that still shows "
        "the user before is refused instead of reading from, or writing into, the wrong account.",
    ),
]


def _check_meant(meant: UUID | None, user_id: UUID) -> None:
    if meant is not None and meant != user_id:
        raise ProblemError(ErrorCode.OTHER_USER, "Somebody else is logged in by now. Load the page anew.")


async def require_session(claims: RequiredClaimsDep, meant: MeantDep = None) -> TokenClaims:
    """The session's claims, for what only its owner may do. Raises ProblemError: SESSION_REQUIRED, OTHER_USER."""
    if isinstance(claims, ApiTokenClaims):
        raise ProblemError(ErrorCode.SESSION_REQUIRED, "An API token cannot do this. Log in.")
    _check_meant(meant, claims.user_id)
    return claims


async def _find(
    request: Request, settings: SettingsDep, claims: Claims, database: Executor, meant: UUID | None
) -> UserOut:
    if isinstance(claims, TokenClaims):
        user = await sessions.find_user(database, settings, claims)
        if user is None:
            raise _log_in_first()
        _check_meant(meant, user.id)
        return user
    found = await api_tokens.find_user(database, claims)
    if found is None:
        raise _log_in_first()
    user, scope = found
    _check_meant(meant, user.id)
    if scope is Scope.READ and request.method != "GET":
        raise ProblemError(ErrorCode.INSUFFICIENT_SCOPE, "This API token may read only.")
    return user


async def get_user(
    request: Request,
    settings: SettingsDep,
    claims: RequiredClaimsDep,
    connection: ConnectionDep,
    meant: MeantDep = None,
) -> UserOut:
    """The user, looked up in the route's own connection. Raises ProblemError as those of WRITER.

    The claims come first: who has none takes no connection from those who have.
    """
    return await _find(request, settings, claims, connection, meant)


async def get_user_detached(
    request: Request, settings: SettingsDep, database: DatabaseDep, claims: RequiredClaimsDep, meant: MeantDep = None
) -> UserOut:
    """The user, for routes without a connection: those that do slow things, or open a transaction of their own."""
    async with database.connection() as connection:
        return await _find(request, settings, claims, connection, meant)


SessionDep = Annotated[TokenClaims, Depends(require_session)]
UserDep = Annotated[UserOut, Depends(get_user)]
DetachedUserDep = Annotated[UserOut, Depends(get_user_detached)]
