"""Routes of /api/tasks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, status

from src.auth.dependencies import UserDep
from src.core.dependencies import ConnectionDep, SettingsDep
from src.core.errors import ErrorCode, responses
from src.core.ratelimit import spend_on
from src.tasks import service
from src.tasks.schemas import Task, TaskCreate, TaskPage, TaskQuery, TaskUpdate

router = APIRouter(prefix="/api/tasks", tags=["tasks"], responses=responses(ErrorCode.NOT_AUTHENTICATED))


async def _limit(user: UserDep, connection: ConnectionDep, settings: SettingsDep) -> None:
    await spend_on(connection, f"write:{user.id}", settings.rate_limit_write)


WRITE = [Depends(_limit)]
NOT_FOUND = responses(ErrorCode.TASK_NOT_FOUND)
NOT_WRITTEN = responses(ErrorCode.TASK_NOT_FOUND, ErrorCode.RATE_LIMITED)


@router.get("", operation_id="listTasks", responses=responses(ErrorCode.VALIDATION_FAILED, ErrorCode.INVALID_CURSOR))
async def list_tasks(user: UserDep, connection: ConnectionDep, query: Annotated[TaskQuery, Query()]) -> TaskPage:
    """The user's tasks, filtered and sorted, page by page."""
    return await service.list_tasks(connection, user.id, query)


@router.post(
    "",
    operation_id="createTask",
    status_code=status.HTTP_201_CREATED,
    dependencies=WRITE,
    responses=responses(ErrorCode.TOO_MANY_TASKS, ErrorCode.RATE_LIMITED),
)
async def create_task(user: UserDep, connection: ConnectionDep, body: TaskCreate, response: Response) -> Task:
    """Add a task."""
    task = await service.create_task(connection, user.id, body)
    response.headers["Location"] = f"/api/tasks/{task.id}"
    return task


@router.get("/{task_id}", operation_id="getTask", responses=NOT_FOUND)
async def get_task(user: UserDep, connection: ConnectionDep, task_id: UUID) -> Task:
    """One task."""
    return await service.get_task(connection, user.id, task_id)


@router.patch("/{task_id}", operation_id="updateTask", dependencies=WRITE, responses=NOT_WRITTEN)
async def update_task(user: UserDep, connection: ConnectionDep, task_id: UUID, body: TaskUpdate) -> Task:
    """Change some fields of a task; completing it is `completed: true`."""
    return await service.update_task(connection, user.id, task_id, body)


@router.delete(
    "/{task_id}",
    operation_id="deleteTask",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=WRITE,
    responses=NOT_WRITTEN,
)
async def delete_task(user: UserDep, connection: ConnectionDep, task_id: UUID) -> None:
    """Delete a task."""
    await service.delete_task(connection, user.id, task_id)
