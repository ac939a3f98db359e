"""Request and response bodies of /api/chat, and the events of its stream."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from src.core.errors import Problem
from src.core.types import PRINTABLE, Input, Output, TimeZone
from src.tasks.schemas import Task


class AssistantKind(StrEnum):
    """Which assistant answers."""

    OFFLINE = "offline"
    OPENAI = "openai"


class ChatRequest(Input):
    """A message to the assistant."""

    message: Annotated[str, Field(min_length=1, max_length=4000, examples=["add buy milk tomorrow #home"]), PRINTABLE]
    conversation_id: UUID | None = Field(default=None, description="Absent: begin a new conversation.")
    timezone: Annotated[TimeZone, Field(description="The user's time zone, which tells what tomorrow is.")] = "UTC"


class ToolStatus(StrEnum):
    """How a tool call ended."""

    OK = "ok"
    CONFIRMATION_REQUIRED = "confirmation_required"
    ERROR = "error"


class ToolResult(Output):
    """What a tool did or found."""

    status: ToolStatus
    detail: str = Field(description="In words, for people and for the model.")
    tasks: list[Task] = Field(default=[], description="The tasks that were found, added or changed, or are to go.")
    total: int | None = Field(default=None, description="With `list_tasks`: how many tasks match altogether.")
    confirmation_id: UUID | None = Field(default=None, description="With `confirmation_required`: what to confirm.")
    code: str | None = Field(default=None, description="With `error`: why, for programs.")


class ToolCall(Output):
    """A tool that the assistant called."""

    id: str
    name: str = Field(examples=["add_task"])
    arguments: dict[str, Any]
    result: ToolResult


class Role(StrEnum):
    """Who wrote a message."""

    USER = "user"
    ASSISTANT = "assistant"


class ChatMessage(Output):
    """A message of a conversation; one answer may be several, with tool calls between them."""

    id: int
    role: Role
    content: str
    tool_calls: list[ToolCall]
    created_at: datetime


class ConfirmationStatus(StrEnum):
    """What became of a proposal."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class ConfirmationOut(Output):
    """A deletion that the assistant proposed and that only the user can have done."""

    id: UUID
    action: Literal["delete_task"] = "delete_task"
    task_id: UUID
    task_title: str
    status: ConfirmationStatus
    expires_at: datetime


class ConversationSummary(Output):
    """A conversation in the list of them."""

    id: UUID
    title: str
    created_at: datetime
    updated_at: datetime


class ConversationPage(Output):
    """A page of conversations, the latest first."""

    items: list[ConversationSummary]
    next_cursor: str | None
    assistant: AssistantKind = Field(description="Which assistant will answer: known before the first message.")


class ConversationOut(ConversationSummary):
    """A conversation with its latest messages."""

    messages: list[ChatMessage]
    next_cursor: str | None = Field(description="Pass it as `cursor` for the messages before these; null at the first.")
    confirmations: list[ConfirmationOut]


class ChatReply(Output):
    """A whole answer."""

    conversation_id: UUID
    assistant: AssistantKind
    messages: list[ChatMessage]
    confirmations: list[ConfirmationOut] = Field(description="Deletions that now wait for the user's word.")


class ConversationStarted(Output):
    """Data of the first event."""

    conversation_id: UUID
    title: str
    assistant: AssistantKind


class Delta(Output):
    """The next piece of the answer's text."""

    text: str


class ToolCallStarted(Output):
    """A tool is about to run."""

    id: str
    name: str
    arguments: dict[str, Any]


class ToolCallEnded(Output):
    """A tool has run."""

    id: str
    name: str
    result: ToolResult


class ConversationEvent(Output):
    """Always the first event."""

    event: Literal["conversation"] = "conversation"
    data: ConversationStarted


class DeltaEvent(Output):
    """More text."""

    event: Literal["delta"] = "delta"
    data: Delta


class ToolCallEvent(Output):
    """The assistant uses a tool."""

    event: Literal["tool_call"] = "tool_call"
    data: ToolCallStarted


class ToolResultEvent(Output):
    """What came of it."""

    event: Literal["tool_result"] = "tool_result"
    data: ToolCallEnded


class ConfirmationEvent(Output):
    """The assistant wants to delete something; ask the user."""

    event: Literal["confirmation"] = "confirmation"
    data: ConfirmationOut


class DoneEvent(Output):
    """The answer is complete. Always the last event, unless it is `error`."""

    event: Literal["done"] = "done"
    data: ChatReply


class ErrorEvent(Output):
    """The answer breaks off; what was done until then is done and stored."""

    event: Literal["error"] = "error"
    data: Problem


ChatEvent = Annotated[
    ConversationEvent | DeltaEvent | ToolCallEvent | ToolResultEvent | ConfirmationEvent | DoneEvent | ErrorEvent,
    Field(discriminator="event"),
]
"""What the stream consists of: `event` is the event's name, `data` its JSON."""
