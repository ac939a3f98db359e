"""Routes of /api/tasks and /api/trash."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, status
from sqlalchemy.ext.asyncio import AsyncSession

from src.auth.dependencies import READER, WRITER, DetachedUserDep, UserDep
from src.auth.guard import limit_write
from src.core.answers import ETAG, NOT_MODIFIED, IfMatchDep, KnownDep, answer, etag
from src.core.dependencies import ConnectionDep, DatabaseDep, SettingsDep
from src.core.errors import ErrorCode, ProblemError, responses
from src.core.idempotency import NOT_REPEATED, IdempotencyDep
from src.core.ratelimit import spend_on
from src.tasks import service, trash
from src.tasks.schemas import Task, TaskCreate, TaskPage, TaskQuery, TaskUpdate, TrashPage

router = APIRouter(prefix="/api/tasks", tags=["tasks"], responses=responses(*WRITER))
trash_router = APIRouter(prefix="/api/trash", tags=["tasks"], responses=responses(*READER))


async def _limit(user: UserDep, connection: ConnectionDep, settings: SettingsDep) -> None:
    await spend_on(connection, f"write:{user.id}", settings.rate_limit_write)


WRITE = [Depends(_limit)]
NOT_FOUND = responses(ErrorCode.TASK_NOT_FOUND)
NOT_WRITTEN = responses(ErrorCode.TASK_NOT_FOUND, ErrorCode.TASK_CHANGED, ErrorCode.RATE_LIMITED)
NOT_ADDED = responses(ErrorCode.TOO_MANY_TASKS, ErrorCode.RATE_LIMITED)
TAGGED: dict[int | str, dict[str, Any]] = {200: {"headers": ETAG}}


def _answer(task: Task, known: frozenset[str] = frozenset()) -> Response:
    return answer(task, tag=etag(task.version), known=known)


@router.get(
    "",
    operation_id="listTasks",
    response_model=TaskPage,
    responses={**TAGGED, **NOT_MODIFIED, **responses(ErrorCode.VALIDATION_FAILED, ErrorCode.INVALID_CURSOR)},
)
async def list_tasks(
    user: UserDep, connection: ConnectionDep, query: Annotated[TaskQuery, Query()], known: KnownDep
) -> Response:
    """The user's tasks, filtered and sorted, page by page."""
    return answer(await service.list_tasks(connection, user.id, query), known=known)


@router.post(
    "",
    operation_id="createTask",
    response_model=Task,
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(limit_write)],
    responses={
        201: {"headers": ETAG},
        **responses(ErrorCode.TOO_MANY_TASKS, ErrorCode.RATE_LIMITED, ErrorCode.VALIDATION_FAILED, *NOT_REPEATED),
    },
)
async def create_task(
    user: DetachedUserDep, database: DatabaseDep, body: TaskCreate, idempotency: IdempotencyDep
) -> Response:
    """Add a task."""

    async def make(session: AsyncSession) -> Response:
        task = await service.create_task(session, user.id, body)
        return answer(task, status=201, tag=etag(task.version), headers={"Location": f"/api/tasks/{task.id}"})

    return await idempotency.once(database, user.id, make)


@router.get(
    "/{task_id}", operation_id="getTask", response_model=Task, responses={**TAGGED, **NOT_MODIFIED, **NOT_FOUND}
)
async def get_task(user: UserDep, connection: ConnectionDep, task_id: UUID, known: KnownDep) -> Response:
    """One task."""
    return _answer(await service.get_task(connection, user.id, task_id), known)


@router.patch(
    "/{task_id}",
    operation_id="updateTask",
    response_model=Task,
    dependencies=WRITE,
    responses={**TAGGED, **NOT_WRITTEN, **responses(ErrorCode.VERSION_REQUIRED)},
)
async def update_task(
    user: UserDep, connection: ConnectionDep, task_id: UUID, body: TaskUpdate, match: IfMatchDep
) -> Response:
    """Change some fields of a task; completing it is `completed: true`.

    Tags are given as a whole, and only with `If-Match`: of two that add one at the same time, none loses it unseen.
    """
    if body.tags is not None and not match.given:
        raise ProblemError(
            ErrorCode.VERSION_REQUIRED, "Tags are replaced as a whole. Say in If-Match which version has been seen."
        )
    return _answer(await service.update_task(connection, user.id, task_id, body, match.versions))


@router.delete(
    "/{task_id}",
    operation_id="deleteTask",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=WRITE,
    responses=NOT_WRITTEN,
)
async def delete_task(user: UserDep, connection: ConnectionDep, task_id: UUID, match: IfMatchDep) -> None:
    """Put a task into the trash, where it stays for 30 days."""
    await service.delete_task(connection, user.id, task_id, match.versions)


@router.post(
    "/{task_id}/restore",
    operation_id="restoreTask",
    response_model=Task,
    dependencies=WRITE,
    responses={**TAGGED, **NOT_FOUND, **NOT_ADDED},
)
async def restore_task(user: UserDep, connection: ConnectionDep, task_id: UUID) -> Response:
    """Take a task out of the trash. One that is not in it stays as it is."""
    return _answer(await trash.restore_task(connection, user.id, task_id))


@trash_router.get(
    "", operation_id="listTrash", responses=responses(ErrorCode.VALIDATION_FAILED, ErrorCode.INVALID_CURSOR)
)
async def list_trash(
    user: UserDep,
    connection: ConnectionDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
) -> TrashPage:
    """The user's deleted tasks, the latest first."""
    return await trash.list_trash(connection, user.id, limit, cursor)
