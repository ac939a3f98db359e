"""The tools of the assistant: what REST offers, for the user of the session and no one else.

Nothing here takes a user from the model: the user comes with the `ToolContext`. Arguments are what a model wrote,
perhaps after reading a task's title that told it to; they are validated like a request's body.
"""

import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, StrictBool, ValidationError, model_validator
from sqlalchemy.ext.asyncio import AsyncSession

from src.chat.confirmations import propose_deletion
from src.chat.schemas import ToolResult, ToolStatus
from src.core.database import Database
from src.core.errors import ProblemError, field_errors
from src.core.types import Input
from src.tasks import service
from src.tasks.schemas import TaskCreate, TaskFilter, TaskQuery, TaskUpdate


@dataclass(frozen=True)
class ToolContext:
    """For whom, and in which conversation, tools run."""

    database: Database
    user_id: uuid.UUID
    conversation_id: uuid.UUID


class ListTasks(TaskFilter):
    """Arguments of list_tasks."""

    limit: Annotated[int, Field(ge=1, le=50)] = 20


class UpdateTask(Input):
    """Arguments of update_task."""

    task_id: UUID
    changes: TaskUpdate
    version: int | None = Field(default=None, description="The task's, as last seen. Needed to change tags.")

    @model_validator(mode="after")
    def _tags_of_which_version(self) -> Self:
        # They are given as a whole: whoever has not seen the latest would take some away.
        if self.changes.tags is not None and self.version is None:
            raise ValueError("give the version of the task to change its tags")
        return self


class CompleteTask(Input):
    """Arguments of complete_task."""

    task_id: UUID
    completed: StrictBool = True


class DeleteTask(Input):
    """Arguments of delete_task."""

    task_id: UUID


INVALID_ARGUMENTS = "invalid_arguments"
"""What is wrong with them is told to who wrote them, in the validator's words."""

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True)
class Tool(Generic[A]):
    """A tool as the model sees it, and what runs it."""

    name: str
    description: str
    arguments: type[A]
    run: Callable[[AsyncSession, ToolContext, A], Awaitable[ToolResult]]


async def _add(session: AsyncSession, context: ToolContext, arguments: TaskCreate) -> ToolResult:
    task = await service.create_task(session, context.user_id, arguments)
    return ToolResult(status=ToolStatus.OK, detail="Added.", tasks=[task])


async def _list(session: AsyncSession, context: ToolContext, arguments: ListTasks) -> ToolResult:
    page = await service.list_tasks(session, context.user_id, TaskQuery(**arguments.model_dump()))
    return ToolResult(
        status=ToolStatus.OK,
        detail=f"{page.total} found, {len(page.items)} shown.",
        tasks=page.items,
        total=page.total,
    )


async def _update(session: AsyncSession, context: ToolContext, arguments: UpdateTask) -> ToolResult:
    seen = None if arguments.version is None else (arguments.version,)
    task = await service.update_task(session, context.user_id, arguments.task_id, arguments.changes, seen)
    return ToolResult(status=ToolStatus.OK, detail="Changed.", tasks=[task])


async def _complete(session: AsyncSession, context: ToolContext, arguments: CompleteTask) -> ToolResult:
    changes = TaskUpdate(completed=arguments.completed)
    task = await service.update_task(session, context.user_id, arguments.task_id, changes)
    return ToolResult(status=ToolStatus.OK, detail="Completed." if task.completed else "Reopened.", tasks=[task])


async def _delete(session: AsyncSession, context: ToolContext, arguments: DeleteTask) -> ToolResult:
    task = await service.get_task(session, context.user_id, arguments.task_id)
    confirmation = await propose_deletion(session, context.user_id, context.conversation_id, task)
    return ToolResult(
        status=ToolStatus.CONFIRMATION_REQUIRED,
        detail="Not deleted yet: the user is being asked to confirm.",
        tasks=[task],
        confirmation_id=confirmation.id,
    )


TOOLS: dict[str, Tool[Any]] = {
    tool.name: tool
    for tool in (
        Tool("add_task", "Add a task.", TaskCreate, _add),
        Tool("list_tasks", "Find the user's tasks. All filters must match; q is words in them.", ListTasks, _list),
        Tool("update_task", "Change fields of a task; what is absent stays as it is.", UpdateTask, _update),
        Tool("complete_task", "Mark a task as done, or as open again.", CompleteTask, _complete),
        Tool("delete_task", "Ask the user to confirm that a task is deleted.", DeleteTask, _delete),
    )
}


async def run_tool(context: ToolContext, name: str, arguments: dict[str, Any] | None) -> ToolResult:
    """Run a tool in a transaction of its own.

    What the model did wrong comes back as a result, for it to mend. Raises ProblemError(DATABASE_UNAVAILABLE), or
    OVERLOADED.
    """
    tool = TOOLS.get(name)
    if tool is None:
        return _error("unknown_tool", f"There is no such tool. There are: {', '.join(TOOLS)}.")
    if arguments is None:
        return _error(INVALID_ARGUMENTS, "The arguments are not a JSON object.")
    try:
        valid = tool.arguments.model_validate_json(json.dumps(arguments))
    except ValidationError as error:
        wrong = "; ".join(f"{e.field or 'arguments'}: {e.message}" for e in field_errors(error.errors()))
        return _error(INVALID_ARGUMENTS, wrong)
    try:
        async with context.database.session() as session:
            return await tool.run(session, context, valid)
    except service.TaskChangedError as error:
        return ToolResult(status=ToolStatus.ERROR, detail=error.detail, code=error.code, tasks=[error.task])
    except ProblemError as error:
        if error.code.status == 503:
            raise
        return _error(error.code, error.detail)


def _error(code: str, detail: str) -> ToolResult:
    return ToolResult(status=ToolStatus.ERROR, detail=detail, code=code)
