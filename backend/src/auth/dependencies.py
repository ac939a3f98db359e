"""Who is asking: the user behind a request's token."""

from typing import Annotated

from fastapi import Depends, Request
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

WRITER = (ErrorCode.NOT_AUTHENTICATED, ErrorCode.INSUFFICIENT_SCOPE)
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


async def require_session(claims: RequiredClaimsDep) -> TokenClaims:
    """The session's claims, for what only its owner may do. Raises ProblemError(SESSION_REQUIRED)."""
    if isinstance(claims, ApiTokenClaims):
        raise ProblemError(ErrorCode.SESSION_REQUIRED, "An API token cannot do this. Log in.")
    return claims


async def _find(request: Request, settings: SettingsDep, claims: Claims, database: Executor) -> UserOut:
    if isinstance(claims, TokenClaims):
        user = await sessions.find_user(database, settings, claims)
        if user is None:
            raise _log_in_first()
        return user
    found = await api_tokens.find_user(database, claims)
    if found is None:
        raise _log_in_first()
    user, scope = found
    if scope is Scope.READ and request.method != "GET":
        raise ProblemError(ErrorCode.INSUFFICIENT_SCOPE, "This API token may read only.")
    return user


async def get_user(
    request: Request, settings: SettingsDep, claims: RequiredClaimsDep, connection: ConnectionDep
) -> UserOut:
    """The user, looked up in the route's own connection. Raises ProblemError: NOT_AUTHENTICATED, INSUFFICIENT_SCOPE.

    The claims come first: who has none takes no connection from those who have.
    """
    return await _find(request, settings, claims, connection)


async def get_user_detached(
    request: Request, settings: SettingsDep, database: DatabaseDep, claims: RequiredClaimsDep
) -> UserOut:
    """The user, for routes without a connection: those that do slow things, or open a transaction of their own."""
    async with database.connection() as connection:
        return await _find(request, settings, claims, connection)


SessionDep = Annotated[TokenClaims, Depends(require_session)]
UserDep = Annotated[UserOut, Depends(get_user)]
DetachedUserDep = Annotated[UserOut, Depends(get_user_detached)]
