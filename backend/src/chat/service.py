"""One answer of the assistant: its turns, the tools between them, and the events that tell of them.

Every transaction here is short: none is open while the assistant thinks or the client reads.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from anyio import CancelScope

from src.chat import store
from src.chat.assistant import Assistant, AssistantTurn, TextDelta, ToolRequest, Turn
from src.chat.confirmations import read_confirmation
from src.chat.schemas import (
    ChatEvent,
    ChatMessage,
    ChatReply,
    ConfirmationEvent,
    ConfirmationOut,
    ConversationEvent,
    ConversationStarted,
    Delta,
    DeltaEvent,
    DoneEvent,
    ToolCall,
    ToolCallEnded,
    ToolCallEvent,
    ToolCallStarted,
    ToolResult,
    ToolResultEvent,
    ToolStatus,
)
from src.chat.tools import TOOLS, ToolContext, run_tool
from src.core.database import Database
from src.core.errors import ErrorCode, ProblemError
from src.core.metrics import Metrics
from src.core.storable import read_object

logger = logging.getLogger(__name__)

MAX_TURNS = 8
MAX_CALLS_PER_TURN = 10
REPLY_SECONDS = 90.0
"""How long an answer may take as a whole."""


@dataclass(frozen=True)
class Chat:
    """What an answer needs."""

    database: Database
    assistant: Assistant
    metrics: Metrics
    user_id: uuid.UUID


async def answer(chat: Chat, opened: store.Opened, timezone: str) -> AsyncGenerator[ChatEvent]:
    """Answer the latest message of a conversation.

    Raises ProblemError when it has to break off. What was done until then is stored, also when the client goes away.
    """
    context = ToolContext(chat.database, chat.user_id, opened.id)
    now = datetime.now(ZoneInfo(timezone))
    deadline = asyncio.get_running_loop().time() + REPLY_SECONDS
    history = list(opened.history)
    messages: list[ChatMessage] = []
    confirmations: dict[uuid.UUID, ConfirmationOut] = {}
    started = ConversationStarted(conversation_id=opened.id, title=opened.title, assistant=chat.assistant.kind)
    yield ConversationEvent(data=started)

    for _ in range(MAX_TURNS):
        turn = AssistantTurn()
        requests: list[ToolRequest] = []
        try:
            async with aclosing(_think(chat, history, now, deadline)) as steps:
                async for step in steps:
                    if isinstance(step, TextDelta):
                        turn.text += step.text
                        yield DeltaEvent(data=Delta(text=step.text))
                    else:
                        requests.append(step)
            for number, request in enumerate(requests):
                arguments = read_object(request.arguments)
                shown = arguments or {}
                yield ToolCallEvent(data=ToolCallStarted(id=request.id, name=request.name, arguments=shown))
                result = await _use(chat, context, request.name, arguments, number)
                turn.calls.append(ToolCall(id=request.id, name=request.name, arguments=shown, result=result))
                yield ToolResultEvent(data=ToolCallEnded(id=request.id, name=request.name, result=result))
                if result.confirmation_id is not None:
                    async with chat.database.session() as session:
                        proposal = await read_confirmation(session, chat.user_id, result.confirmation_id)
                    confirmations[proposal.task_id] = proposal
                    yield ConfirmationEvent(data=proposal)
        finally:
            # Also when the client has gone: what a tool did must be in the conversation.
            with CancelScope(shield=True):
                if turn.text or turn.calls:
                    async with chat.database.session() as session:
                        messages += await store.add_turn(session, opened.id, turn)
        if not requests:
            break
        history.append(turn)
    else:
        raise ProblemError(
            ErrorCode.ASSISTANT_TURN_LIMIT, f"The assistant stopped after {MAX_TURNS} steps without an answer."
        )
    yield DoneEvent(
        data=ChatReply(
            conversation_id=opened.id,
            assistant=chat.assistant.kind,
            messages=messages,
            confirmations=list(confirmations.values()),
        )
    )


async def _think(
    chat: Chat, history: list[Turn], now: datetime, deadline: float
) -> AsyncGenerator[TextDelta | ToolRequest]:
    outcome = "abandoned"
    try:
        async with aclosing(chat.assistant.turn(history, now, deadline)) as steps:
            async for step in steps:
                yield step
        outcome = "ok"
    except ProblemError as error:
        outcome = error.code
        raise
    finally:
        chat.metrics.model_calls.labels(chat.assistant.kind, outcome).inc()


async def _use(
    chat: Chat, context: ToolContext, name: str, arguments: dict[str, Any] | None, number: int
) -> ToolResult:
    if number >= MAX_CALLS_PER_TURN:
        detail = f"Not run: at most {MAX_CALLS_PER_TURN} tools at once."
        result = ToolResult(status=ToolStatus.ERROR, detail=detail, code="too_many_calls")
    else:
        result = await run_tool(context, name, arguments)
    known = name if name in TOOLS else "unknown"
    chat.metrics.tool_calls.labels(known, result.status).inc()
    logger.info("tool", extra={"tool": known, "outcome": result.status, "code": result.code})
    return result
