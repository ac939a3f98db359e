"""The file that an export makes and an import takes."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, model_validator

from src.auth.schemas import ApiTokenOut, SessionInfo, UserOut
from src.chat.schemas import ChatMessage, ConversationSummary, Role, ToolCall
from src.core.storable import storable
from src.core.types import PRINTABLE, Input, Output
from src.tasks.schemas import Task, TaskCreate

MAX_IMPORT_BYTES = 10 * 1024 * 1024
MAX_MESSAGES = 1000


class ExportedTask(Task):
    """A task, also one in the trash."""

    deleted_at: datetime | None


class ExportedConversation(ConversationSummary):
    """A conversation with all its messages."""

    messages: list[ChatMessage]


class ExportFile(Output):
    """Everything that a user has."""

    format: Literal["todo"] = "todo"
    version: Literal[1] = 1
    exported_at: datetime
    account: UserOut
    sessions: list[SessionInfo]
    tokens: list[ApiTokenOut]
    tasks: list[ExportedTask]
    conversations: list[ExportedConversation]


class ImportTask(TaskCreate):
    """A task as an export has it."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    created_at: AwareDatetime
    completed_at: AwareDatetime | None = None
    deleted_at: AwareDatetime | None = None

    @model_validator(mode="before")
    @classmethod
    def _day_or_time(cls, value: Any) -> Any:
        # An export has the end of the day too.
        if isinstance(value, dict) and value.get("due_on") is not None:
            return {name: given for name, given in value.items() if name != "due_at"}
        return value


class ImportMessage(Input):
    """A message as an export has it."""

    model_config = ConfigDict(extra="ignore", str_strip_whitespace=False)

    role: Role
    content: Annotated[str, Field(max_length=100_000), PRINTABLE]
    tool_calls: Annotated[list[ToolCall], Field(max_length=20)] = []
    created_at: AwareDatetime

    def stored_calls(self) -> list[Any]:
        """The calls as they are stored."""
        return [storable(call.model_dump(mode="json")) for call in self.tool_calls]

    @model_validator(mode="after")
    def _storable(self) -> Self:
        self.stored_calls()
        return self


class ImportConversation(Input):
    """A conversation as an export has it."""

    model_config = ConfigDict(extra="ignore")

    id: UUID
    title: Annotated[str, Field(max_length=80), PRINTABLE]
    created_at: AwareDatetime
    updated_at: AwareDatetime
    messages: Annotated[list[ImportMessage], Field(max_length=MAX_MESSAGES)] = []


class ImportFile(Input):
    """What an export made; of it, tasks and conversations are taken."""

    model_config = ConfigDict(extra="ignore")

    format: Literal["todo"]
    version: Literal[1]
    tasks: Annotated[list[ImportTask], Field(max_length=20_000)] = []
    conversations: Annotated[list[ImportConversation], Field(max_length=5_000)] = []


class Counts(Output):
    """What became of one kind of things."""

    added: int
    skipped: int = Field(description="Those that are there already.")


class ImportResult(Output):
    """What an import did."""

    tasks: Counts
    conversations: Counts
