"""Routes of what an owner controls: the password, sessions, API tokens."""

from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status

from src.auth import api_tokens, service, sessions
from src.auth.cookies import delete_session_cookie
from src.auth.dependencies import READER, DetachedUserDep, SessionDep, UserDep
from src.auth.guard import guess, limit_write, logged
from src.auth.schemas import ApiTokenCreated, ApiTokenList, ApiTokenNew, PasswordChange, SessionList
from src.core.dependencies import ConnectionDep, DatabaseDep, SettingsDep
from src.core.errors import ErrorCode, responses

OWNER = responses(*READER, ErrorCode.SESSION_REQUIRED)

router = APIRouter(prefix="/api/auth", tags=["auth"], responses=OWNER)
tokens_router = APIRouter(prefix="/api/tokens", tags=["auth"], responses=OWNER)


@router.put(
    "/password",
    operation_id="changePassword",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(
        ErrorCode.SESSION_REQUIRED,
        ErrorCode.WRONG_PASSWORD,
        ErrorCode.WEAK_PASSWORD,
        ErrorCode.VALIDATION_FAILED,
        ErrorCode.RATE_LIMITED,
    ),
)
async def change_password(
    request: Request,
    body: PasswordChange,
    mine: SessionDep,
    user: DetachedUserDep,
    database: DatabaseDep,
    settings: SettingsDep,
) -> None:
    """Set another password. Asks for the old one, and ends all other sessions; API tokens stay."""
    old, new = body.password.get_secret_value(), body.new_password.get_secret_value()
    async with logged(request, "change password", user.email), guess(request, database, settings, user.email):
        await service.change_password(database, mine, user.email, old, new)


@router.get("/sessions", operation_id="listSessions")
async def list_sessions(
    mine: SessionDep, user: UserDep, connection: ConnectionDep, settings: SettingsDep
) -> SessionList:
    """Where the user is logged in, what was used last first."""
    return SessionList(items=await sessions.list_sessions(connection, settings, mine))


@router.delete("/sessions", operation_id="endOtherSessions", status_code=status.HTTP_204_NO_CONTENT)
async def end_other_sessions(mine: SessionDep, user: UserDep, connection: ConnectionDep) -> None:
    """Log out everywhere else."""
    await sessions.end_others(connection, mine)


@router.delete(
    "/sessions/{session_id}",
    operation_id="endSession",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(ErrorCode.SESSION_NOT_FOUND),
)
async def end_session(
    request: Request,
    response: Response,
    mine: SessionDep,
    user: UserDep,
    connection: ConnectionDep,
    session_id: UUID,
) -> None:
    """Log out somewhere, or here."""
    await sessions.end_one(connection, user.id, session_id)
    if session_id == mine.session_id:
        delete_session_cookie(request, response)


@tokens_router.get("", operation_id="listTokens")
async def list_tokens(mine: SessionDep, user: DetachedUserDep, database: DatabaseDep) -> ApiTokenList:
    """The API tokens, the newest first, without what they are."""
    return ApiTokenList(items=await api_tokens.list_tokens(database, user.id))


@tokens_router.post(
    "",
    operation_id="createToken",
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(limit_write)],
    responses=responses(ErrorCode.TOO_MANY_TOKENS, ErrorCode.RATE_LIMITED),
)
async def create_token(
    mine: SessionDep, user: DetachedUserDep, database: DatabaseDep, body: ApiTokenNew
) -> ApiTokenCreated:
    """Make an API token.

    This answer alone shows it. It is kept nowhere, so that `Idempotency-Key` counts for nothing here.
    """
    return await api_tokens.create(database, user.id, body)


@tokens_router.delete(
    "/{token_id}",
    operation_id="revokeToken",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=responses(ErrorCode.TOKEN_NOT_FOUND),
)
async def revoke_token(mine: SessionDep, user: DetachedUserDep, database: DatabaseDep, token_id: UUID) -> None:
    """Revoke an API token: it is worthless from now on."""
    await api_tokens.revoke(database, user.id, token_id)
