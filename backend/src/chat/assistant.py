"""What an assistant is to the rest of the chat."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from src.chat.schemas import AssistantKind, ToolCall


@dataclass(frozen=True)
class UserTurn:
    """What the user wrote."""

    text: str


@dataclass
class AssistantTurn:
    """What the assistant wrote, and the tools that it then called with their results."""

    text: str = ""
    calls: list[ToolCall] = field(default_factory=list)


Turn = UserTurn | AssistantTurn


@dataclass(frozen=True)
class TextDelta:
    """The next piece of text."""

    text: str


@dataclass(frozen=True)
class ToolRequest:
    """A tool that the assistant wants run; `arguments` is JSON as the assistant wrote it, valid or not."""

    id: str
    name: str
    arguments: str


class Assistant(Protocol):
    """Something that continues a conversation."""

    kind: AssistantKind

    def turn(self, history: Sequence[Turn], now: datetime, deadline: float) -> AsyncGenerator[TextDelta | ToolRequest]:
        """Produce the next turn.

        `now` is in the user's time zone. `deadline`, on the event loop's clock, is when the whole answer must be done.
        A turn with tool requests is followed by another one, with the results in the history.
        Raises ProblemError with one of the ASSISTANT_ codes.
        """
        ...

    async def close(self) -> None:
        """Let go of what it holds."""
        ...
