"""The events of /api/events."""

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from src.core.types import Output


class ChangeKind(StrEnum):
    """What was done to a task. Deleted: it is in the trash."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    RESTORED = "restored"


class Ready(Output):
    """From here on nothing is missed."""

    resumed: bool = Field(description="Whether this goes on where `Last-Event-ID` ended. If not, read anew.")


class TaskChange(Output):
    """A task that was changed, in whichever window or by the assistant."""

    change: ChangeKind
    task_id: UUID
    version: int = Field(description="The task's, after the change: whoever knows it already has nothing to do.")


class ReadyEvent(Output):
    """Always the first event."""

    event: Literal["ready"] = "ready"
    data: Ready


class TaskEvent(Output):
    """A change of a task."""

    event: Literal["task"] = "task"
    data: TaskChange


Event = Annotated[ReadyEvent | TaskEvent, Field(discriminator="event")]
"""What the stream consists of: `event` is the event's name, `data` its JSON; each has an id."""
