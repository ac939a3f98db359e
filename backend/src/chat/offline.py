"""The built-in assistant: rules instead of a model, for when there is no key for one.

It works like a model does: a turn ends with text, or with tool requests whose results the next turn reads. It keeps
no state; whatever it needs to know is in the history.
"""

import json
import re
import uuid
from collections.abc import AsyncGenerator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from src.chat.assistant import AssistantTurn, TextDelta, ToolRequest, Turn, UserTurn
from src.chat.commands import Action, Command, understand
from src.chat.schemas import AssistantKind, ToolCall, ToolStatus
from src.chat.tools import INVALID_ARGUMENTS
from src.core.errors import ErrorCode
from src.tasks.schemas import MAX_TAG, MAX_TITLE, Priority, Task

INTRODUCTION = "I’m the offline assistant: I understand plain commands, not free conversation."
HELP = (
    "You can say, for example:\n"
    "• add buy milk tomorrow #home !high\n"
    "• what is open? · what is due this week? · show #home\n"
    "• mark milk done · reopen milk\n"
    "• move milk to friday · make milk low priority · rename milk to oat milk\n"
    "• delete milk"
)
OFFERED = 9
"""From how many tasks one can choose at most."""

_PRONOUNS = ("it", "that", "this", "that one", "this one", "last one")


class OfflineAssistant:
    """Understands the commands of `commands.py`."""

    kind = AssistantKind.OFFLINE

    async def turn(
        self, history: Sequence[Turn], now: datetime, deadline: float
    ) -> AsyncGenerator[TextDelta | ToolRequest]:
        """See `Assistant.turn`."""
        last = history[-1]
        step = _begin(history, now) if isinstance(last, UserTurn) else _continue(history, last.calls[-1], now)
        first_answer = not any(isinstance(turn, AssistantTurn) and turn.text for turn in history)
        if isinstance(step, TextDelta) and first_answer and INTRODUCTION not in step.text:
            step = TextDelta(f"{INTRODUCTION}\n\n{step.text}")
        yield step

    async def close(self) -> None:
        """Nothing to close."""


def _begin(history: Sequence[Turn], now: datetime) -> TextDelta | ToolRequest:
    command = _command(history, now)
    match command.action:
        case Action.HELP:
            return TextDelta(f"{INTRODUCTION} {HELP}")
        case Action.AGREE:
            asked, offered = _offer(history, now)
            if asked is not None and len(offered) == 1:
                return _act(asked, offered[0])
            return TextDelta("I did not ask you anything. A deletion is confirmed with its button.")
        case Action.DECLINE:
            return TextDelta("All right, I change nothing.")
        case Action.BULK:
            return TextDelta("I change one task at a time. Tell me which one, or say “show all” to see them.")
        case Action.UNKNOWN:
            return TextDelta(
                f"I’m not sure what you mean. Is it a task? Answer “yes” and I add it.\n{INTRODUCTION} {HELP}"
            )
        case Action.CHOOSE:
            return _choose(history, command, now)
        case Action.ADD if not command.target:
            return TextDelta("What should the task be called? Say, for example: add buy milk tomorrow.")
        case Action.ADD:
            return _request("add_task", {"title": command.target, **command.fields})
        case Action.LIST:
            return _request("list_tasks", command.fields)
        case _ if not command.target:
            return TextDelta(f"Which task should I {command.action}? Give me some words of its title.")
        case Action.UPDATE if not command.fields and not command.untag:
            return TextDelta(f"When should it be due? Say, for example: move {command.target} to friday.")
        case _ if command.target.lower() in _PRONOUNS:
            tasks = _latest_tasks(history)
            if len(tasks) == 1:
                return _act(command, tasks[0])
            return TextDelta(f"Which task should I {command.action}? Give me some words of its title.")
        case _:
            return _request("list_tasks", _search(command))


def _command(history: Sequence[Turn], now: datetime) -> Command:
    said = [turn.text for turn in history if isinstance(turn, UserTurn)]
    command = understand(said[-1], now)
    if command.action is Action.AGREE and len(said) > 1 and understand(said[-2], now).action is Action.UNKNOWN:
        return understand(f"add {said[-2]}", now)
    return command


def _search(command: Command) -> dict[str, Any]:
    status = {Action.COMPLETE: {"status": "open"}, Action.REOPEN: {"status": "completed"}}
    return {"q": command.target[:200], "limit": 50, **status.get(command.action, {})}


def _named(target: str, tasks: list[Task]) -> list[Task]:
    """The tasks with this title, or else those with all its words in theirs.

    A part of a word, a tag or a description may be found without being meant.
    """
    words = [re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE) for word in target.split()]
    exact = [task for task in tasks if task.title.casefold() == target.casefold()]
    return exact or [task for task in tasks if all(word.search(task.title) for word in words)]


def _offered(target: str, tasks: list[Task]) -> list[Task]:
    """The tasks to choose from where it is not clear which one is meant."""
    return _named(target, tasks) or tasks


def _latest_tasks(history: Sequence[Turn]) -> list[Task]:
    """What the conversation was last about."""
    calls = [call for turn in history if isinstance(turn, AssistantTurn) for call in turn.calls]
    return calls[-1].result.tasks if calls else []


def _request(name: str, arguments: dict[str, Any]) -> ToolRequest:
    return ToolRequest(f"call_{uuid.uuid4().hex[:12]}", name, json.dumps(arguments))


def _choose(history: Sequence[Turn], choice: Command, now: datetime) -> TextDelta | ToolRequest:
    """Act on the task that the user picked from those that the previous answer offered."""
    asked, offered = _offer(history, now)
    if asked is None:
        return TextDelta("I did not ask you to choose. Tell me what to do, for example: mark milk done.")
    if not 1 <= choice.choice <= len(offered):
        return TextDelta(f"Please choose a number from 1 to {len(offered)}.")
    return _act(asked, offered[choice.choice - 1])


def _offer(history: Sequence[Turn], now: datetime) -> tuple[Command | None, list[Task]]:
    earlier = [i for i, turn in enumerate(history[:-1]) if isinstance(turn, UserTurn)]
    while earlier:
        start = earlier.pop()
        command = _command(history[: start + 1], now)
        if command.action is Action.CHOOSE:
            continue  # a number out of range; the offer before it still stands
        calls = [c for turn in history[start:] if isinstance(turn, AssistantTurn) for c in turn.calls]
        tasks = calls[-1].result.tasks if calls and calls[-1].name == "list_tasks" else []
        if command.target and len(_named(command.target, tasks)) != 1 and tasks:
            return command, _offered(command.target, tasks)[:OFFERED]
        break
    return None, []


def _act(command: Command, task: Task) -> ToolRequest:
    task_id = str(task.id)
    match command.action:
        case Action.DELETE:
            return _request("delete_task", {"task_id": task_id})
        case Action.UPDATE:
            fields = dict(command.fields)
            if "tags" in fields:
                fields["tags"] = [*task.tags, *fields["tags"]]
            if command.untag:
                fields["tags"] = [tag for tag in task.tags if tag != command.untag]
            return _request("update_task", {"task_id": task_id, "changes": fields, "version": task.version})
        case _:
            return _request("complete_task", {"task_id": task_id, "completed": command.action is Action.COMPLETE})


def _continue(history: Sequence[Turn], call: ToolCall, now: datetime) -> TextDelta | ToolRequest:
    command = _command(history, now)
    result = call.result
    if result.code == ErrorCode.TASK_CHANGED and result.tasks:
        # What was meant still is, on the task as it is now.
        if command.action in (Action.CHOOSE, Action.AGREE):
            latest = max(i for i, turn in enumerate(history) if isinstance(turn, UserTurn))
            command = _offer(history[: latest + 1], now)[0] or command
        return _act(command, result.tasks[0])
    if result.code == INVALID_ARGUMENTS:
        return TextDelta(f"That does not fit into a task: a title has at most {MAX_TITLE} characters, a tag {MAX_TAG}.")
    if result.status is ToolStatus.ERROR:
        return TextDelta(f"That did not work: {result.detail}")
    if call.name == "list_tasks":
        if command.action is Action.LIST:
            return TextDelta(_listing(command, result.tasks, result.total or 0, now))
        return _pick(command, result.tasks, now)
    task = result.tasks[0]
    match call.name:
        case "add_task":
            return TextDelta(f"Added {_describe(task, now)}.")
        case "delete_task":
            return TextDelta(f"Shall I really delete “{task.title}”? Please confirm.")
        case "complete_task":
            return TextDelta(f"Marked “{task.title}” as {'done' if task.completed else 'open again'}.")
        case _:
            return TextDelta(f"Changed: {_describe(task, now)}.")


def _pick(command: Command, tasks: list[Task], now: datetime) -> TextDelta | ToolRequest:
    named = _named(command.target, tasks)
    if len(named) == 1:
        return _act(command, named[0])
    if not tasks:
        which = {Action.COMPLETE: "open ", Action.REOPEN: "completed "}.get(command.action, "")
        return TextDelta(f"I found no {which}task with “{command.target}”. Say “show all” to see your tasks.")
    offered = _offered(command.target, tasks)
    described = [_describe(task, now) for task in offered[:OFFERED]]
    lines = []
    for number, (task, line) in enumerate(zip(offered, described, strict=False), 1):
        added = f", added {task.created_at.astimezone(now.tzinfo):%d %b %Y at %H:%M}"
        lines.append(f"{number}. {line}{added if described.count(line) > 1 else ''}")
    if len(offered) > OFFERED:
        lines.append(f"… and {len(offered) - OFFERED} more.")
    question = "Which one do you mean" if len(offered) > 1 else "Do you mean this one"
    return TextDelta("\n".join([f"{question}? Answer with its number.", *lines]))


def _listing(command: Command, tasks: list[Task], total: int, now: datetime) -> str:
    kind = {"open": "open ", "completed": "completed "}.get(command.fields.get("status", ""), "")
    if not tasks:
        return (
            f"There are no {kind}tasks like that."
            if set(command.fields) - {"status", "limit"}
            else (f"You have no {kind}tasks.")
        )
    lines = [f"• {_describe(task, now)}" for task in tasks]
    if total > len(tasks):
        lines.append(f"… and {total - len(tasks)} more.")
    return "\n".join([f"{total} {kind}{'task' if total == 1 else 'tasks'}:", *lines])


def _describe(task: Task, now: datetime) -> str:
    parts = [f"“{task.title}”"]
    if task.due_at:
        parts.append(f"due {_due(task.due_at.astimezone(now.tzinfo), task.due_on, now)}")
    if task.priority is not Priority.MEDIUM:
        parts.append(f"{task.priority} priority")
    parts += [f"#{tag}" for tag in task.tags]
    return ", ".join(parts)


def _due(due_at: datetime, due_on: date | None, now: datetime) -> str:
    on = due_on or due_at.date()
    names = {now.date(): "today", now.date() + timedelta(days=1): "tomorrow"}
    day = names.get(on, f"{on:%a} {on.day} {on:%b %Y}")
    # Before there were days, the last minute of one stood for it.
    return day if due_on or (due_at.hour, due_at.minute) == (23, 59) else f"{day} at {due_at:%H:%M}"
