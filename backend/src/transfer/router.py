"""Routes of /api/export and /api/import."""

import asyncio
from collections.abc import AsyncGenerator
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from src.auth import api_tokens, sessions
from src.auth.dependencies import READER, WRITER, DetachedUserDep, SessionDep
from src.core.dependencies import DatabaseDep, SettingsDep
from src.core.errors import ErrorCode, responses
from src.core.ratelimit import spend
from src.transfer import incoming, outgoing, table
from src.transfer.schemas import ImportFile, ImportResult

A_MINUTE = 10

router = APIRouter(prefix="/api", tags=["transfer"])


class Format(StrEnum):
    """`json` is everything, `csv` the tasks for a spreadsheet."""

    JSON = "json"
    CSV = "csv"


@router.get(
    "/export",
    operation_id="exportAll",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file.",
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/ExportFile"}},
                "text/csv": {"schema": {"type": "string"}, "examples": {"example": {"value": "id,title\r\n"}}},
            },
        },
        **responses(
            *READER,
            ErrorCode.SESSION_REQUIRED,
            ErrorCode.VALIDATION_FAILED,
            ErrorCode.RATE_LIMITED,
        ),
    },
)
async def export_all(
    mine: SessionDep,
    user: DetachedUserDep,
    database: DatabaseDep,
    settings: SettingsDep,
    file_format: Annotated[Format, Query(alias="format")] = Format.JSON,
) -> StreamingResponse:
    """Everything that the user has, as a file. A file that breaks off is not complete."""
    await spend(database, f"export:{user.id}", A_MINUTE)
    pieces: AsyncGenerator[str] = outgoing.as_csv(database, user)
    media_type = "text/csv"
    if file_format is Format.JSON:
        async with database.connection() as connection:
            logins = await sessions.list_sessions(connection, settings, mine)
        tokens = await api_tokens.list_tokens(database, user.id)
        pieces, media_type = outgoing.as_json(database, user, logins, tokens), "application/json"
    headers = {"Content-Disposition": f'attachment; filename="todo.{file_format}"'}
    return StreamingResponse(pieces, media_type=media_type, headers=headers)


@router.post(
    "/import",
    operation_id="importAll",
    responses=responses(
        *WRITER,
        ErrorCode.TOO_MANY_TASKS,
        ErrorCode.PAYLOAD_TOO_LARGE,
        ErrorCode.VALIDATION_FAILED,
        ErrorCode.RATE_LIMITED,
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/ImportFile"}},
                "text/csv": {
                    "schema": {"type": "string"},
                    "examples": {"example": {"value": 'title,due_on,tags\r\nBuy milk,2026-12-01,"home,shop"\r\n'}},
                },
            },
        }
    },
)
async def import_all(request: Request, user: DetachedUserDep, database: DatabaseDep) -> ImportResult:
    """Add the tasks and conversations of an export of JSON, or the tasks of a table of CSV, up to 10 MiB.

    What is there already is left alone: the same file again adds nothing, and goes on with what broke off. Of a table's
    columns only `title` is needed; the first row names them as an export does.
    """
    await spend(database, f"import:{user.id}", A_MINUTE)
    # Read only now: the file of a stranger is none.
    body = await request.body()
    is_table = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/csv"
    try:
        file = await asyncio.to_thread(table.read if is_table else ImportFile.model_validate_json, body)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False)) from None
    except ValueError as error:
        raise RequestValidationError([{"type": "csv_invalid", "loc": ("body",), "msg": str(error)}]) from None
    return await incoming.take(database, user.id, file)
