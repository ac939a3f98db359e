"""Health and metrics, outside /api: for the cluster, not for browsers."""

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from src.core.dependencies import DatabaseDep
from src.core.errors import ErrorCode, ProblemError, responses
from src.core.schema_version import REQUIRED_REVISION, is_current
from src.core.types import Output

router = APIRouter(tags=["health"])


class Health(Output):
    """The process answers."""

    status: Literal["ok"] = "ok"
    environment: str
    api_version: str
    assistant: Literal["offline", "openai"]


class Readiness(Output):
    """The process can serve requests."""

    status: Literal["ready"] = "ready"
    schema_revision: str


@router.get("/health", operation_id="health")
async def health(request: Request) -> Health:
    """Liveness: the process answers. Asks no database, so that an outage of it restarts no pod."""
    settings = request.app.state.settings
    return Health(
        environment=settings.environment,
        api_version=settings.api_version,
        assistant="openai" if settings.openai_api_key else "offline",
    )


@router.get(
    "/health/ready",
    operation_id="ready",
    responses=responses(ErrorCode.DATABASE_UNAVAILABLE, ErrorCode.SCHEMA_OUTDATED),
)
async def ready(database: DatabaseDep) -> Readiness:
    """Readiness: the database answers, and its schema is the one this code needs or a newer one."""
    async with database.probe() as connection:
        revision = await _read_revision(connection)
    if revision is None or not is_current(revision):
        raise ProblemError(
            ErrorCode.SCHEMA_OUTDATED,
            f"The database schema is at {revision or 'nothing'}, this version needs {REQUIRED_REVISION}.",
            retry_after=5,
        )
    return Readiness(schema_revision=revision)


async def _read_revision(connection: AsyncConnection) -> str | None:
    """The revision of the database's schema, or None before the first migration."""
    try:
        revision: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
    except ProgrammingError:  # the table does not exist
        return None
    return revision


@router.get("/metrics", operation_id="metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Numbers for Prometheus."""
    return Response(request.app.state.metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8")
