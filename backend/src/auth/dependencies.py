"""Who is asking: the user behind a request's token."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from src.auth.cookies import SessionCookieDep
from src.auth.schemas import UserOut
from src.auth.service import find_user
from src.auth.tokens import TokenClaims, read_token
from src.core.dependencies import ConnectionDep, DatabaseDep, SettingsDep
from src.core.errors import ErrorCode, ProblemError

_bearer = HTTPBearer(auto_error=False, scheme_name="bearer", description="The `access_token` of a login.")


async def get_claims(
    settings: SettingsDep,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: SessionCookieDep,
) -> TokenClaims | None:
    """The claims of the request's token; a bearer token counts before a cookie."""
    token = bearer.credentials if bearer else cookie
    return read_token(token, settings.jwt_secret.get_secret_value()) if token else None


async def get_all_claims(
    settings: SettingsDep,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    cookie: SessionCookieDep,
) -> list[TokenClaims]:
    """The claims of every token that the request has."""
    tokens = (bearer.credentials if bearer else None, cookie)
    read = [read_token(token, settings.jwt_secret.get_secret_value()) for token in tokens if token]
    return [claims for claims in read if claims]


AllClaimsDep = Annotated[list[TokenClaims], Depends(get_all_claims)]
ClaimsDep = Annotated[TokenClaims | None, Depends(get_claims)]


async def require_claims(claims: ClaimsDep) -> TokenClaims:
    """The claims of the request's token. Raises ProblemError(NOT_AUTHENTICATED)."""
    if claims is None:
        raise ProblemError(ErrorCode.NOT_AUTHENTICATED, "Log in first.")
    return claims


RequiredClaimsDep = Annotated[TokenClaims, Depends(require_claims)]


async def get_user(claims: RequiredClaimsDep, connection: ConnectionDep) -> UserOut:
    """The user, looked up in the route's own connection. Raises ProblemError(NOT_AUTHENTICATED).

    The claims come first: who has none takes no connection from those who have.
    """
    user = await find_user(connection, claims)
    if user is None:
        raise ProblemError(ErrorCode.NOT_AUTHENTICATED, "Log in first.")
    return user


async def get_user_detached(database: DatabaseDep, claims: RequiredClaimsDep) -> UserOut:
    """The user, for routes without a connection: those that do slow things, or open a transaction of their own."""
    async with database.connection() as connection:
        return await get_user(claims, connection)


UserDep = Annotated[UserOut, Depends(get_user)]
DetachedUserDep = Annotated[UserOut, Depends(get_user_detached)]
