"""What the fake model does: each scenario is a script for one turn of the conversation."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Say:
    """Send text."""

    text: str


@dataclass(frozen=True)
class Call:
    """Send a piece of a tool call: the id and the name with the first, arguments with each."""

    index: int
    arguments: str
    name: str | None = None
    id: str | None = None


@dataclass(frozen=True)
class Pause:
    """Send nothing for some seconds."""

    seconds: float


@dataclass(frozen=True)
class Raw:
    """Send a line as it is."""

    data: str


@dataclass(frozen=True)
class Cut:
    """Break off the connection."""


@dataclass(frozen=True)
class Refuse:
    """Answer with an error instead of a stream. Only as the first step."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


Step = Say | Call | Pause | Raw | Cut | Refuse


@dataclass(frozen=True)
class Request:
    """What the model is asked."""

    text: str
    """The user's latest message, without the scenario's name."""
    turn: int
    """How many turns of the assistant follow that message already."""
    attempt: int
    """How many times exactly this was asked before."""
    results: list[dict[str, Any]]
    """The tool results of the latest turn."""
    body: dict[str, Any]


def whole_call(index: int, name: str, arguments: dict[str, Any]) -> list[Step]:
    """A tool call in several pieces, as models send them."""
    text = json.dumps(arguments)
    middle = len(text) // 2
    return [
        Call(index, "", name=name, id=f"call_{index}"),
        Call(index, text[:middle]),
        Call(index, text[middle:]),
    ]


def hello(_: Request) -> list[Step]:
    """Text in pieces."""
    return [Say("Hello"), Say(", "), Say("I am "), Say("a fake model.")]


def add(request: Request) -> list[Step]:
    """One tool call, then text."""
    if request.turn == 0:
        return [Say("One moment. "), *whole_call(0, "add_task", {"title": request.text or "Buy milk"})]
    return [Say("Added.")]


def parallel(request: Request) -> list[Step]:
    """Two tool calls at once, their pieces interleaved."""
    if request.turn > 0:
        return [Say(f"{len(request.results)} done.")]
    first, second = whole_call(0, "add_task", {"title": "One"}), whole_call(1, "add_task", {"title": "Two"})
    return [step for pair in zip(first, second, strict=True) for step in pair]


def malformed(request: Request) -> list[Step]:
    """Arguments that are no JSON; corrected after the error."""
    if request.turn == 0:
        return [Call(0, '{"title": "Bu', name="add_task", id="call_0")]
    if request.turn == 1:
        return whole_call(0, "add_task", {"title": "Corrected"})
    return [Say("Done in the end.")]


def invalid(request: Request) -> list[Step]:
    """Arguments that break the rules."""
    if request.turn == 0:
        return whole_call(0, "add_task", {"title": "x" * 300, "colour": "red"})
    return [Say(str(request.results[0]["code"]))]


def unknown_tool(request: Request) -> list[Step]:
    """A tool that does not exist."""
    if request.turn == 0:
        return whole_call(0, "drop_database", {"name": "todo"})
    return [Say(str(request.results[0]["code"]))]


def many(request: Request) -> list[Step]:
    """More calls at once than are run."""
    if request.turn == 0:
        return [step for i in range(15) for step in whole_call(i, "add_task", {"title": f"Task {i}"})]
    return [Say("Done.")]


def endless(_: Request) -> list[Step]:
    """The same tool again and again."""
    return whole_call(0, "list_tasks", {})


def busy(request: Request) -> list[Step]:
    """429 with Retry-After once, then text."""
    return [Refuse(429, {"Retry-After": "1"})] if request.attempt == 0 else hello(request)


def too_busy(_: Request) -> list[Step]:
    """429 with a Retry-After that nobody waits for."""
    return [Refuse(429, {"Retry-After": "3600"})]


def flaky(request: Request) -> list[Step]:
    """500 once, then text."""
    return [Refuse(500)] if request.attempt == 0 else hello(request)


def broken(_: Request) -> list[Step]:
    """500, always."""
    return [Refuse(500, {"Retry-After": "Fri, 01 Jan 2027 00:00:00 GMT"})]


def unauthorized(_: Request) -> list[Step]:
    """401: the key is wrong. Nothing to retry."""
    return [Refuse(401)]


def slow(request: Request) -> list[Step]:
    """Text with pauses: three seconds in all."""
    return [step for i in range(10) for step in (Say(f"{i} "), Pause(0.3))]


def stall(_: Request) -> list[Step]:
    """A beginning, and then silence."""
    return [Say("Well"), Pause(120)]


def cut(_: Request) -> list[Step]:
    """The connection breaks in the middle of the text."""
    return [Say("I was just going to"), Cut()]


def cut_call(_: Request) -> list[Step]:
    """The connection breaks in the middle of a tool call."""
    return [Call(0, '{"title": "Ha', name="add_task", id="call_0"), Cut()]


def half(_: Request) -> list[Step]:
    """The stream ends properly, but without saying that the answer is complete."""
    return [Say("Half an ans"), Raw("")]


def garbage(_: Request) -> list[Step]:
    """A line that is no JSON."""
    return [Say("Hello"), Raw("{no json")]


def fault(_: Request) -> list[Step]:
    """An error inside of the stream."""
    return [Raw(json.dumps({"error": {"message": "overloaded", "type": "server_error"}}))]


def flood(_: Request) -> list[Step]:
    """Text without end."""
    return [Say("blah " * 1000)] * 10


def long_line(_: Request) -> list[Step]:
    """One line of a megabyte."""
    return [Raw("x" * 1024 * 1024)]


def many_arguments(_: Request) -> list[Step]:
    """Arguments without end."""
    return [Call(0, "", name="add_task", id="call_0"), *[Call(0, "x" * 10_000)] * 5]


def empty(_: Request) -> list[Step]:
    """A complete answer with nothing in it."""
    return []


def no_ids(request: Request) -> list[Step]:
    """Tool calls without ids, as some servers send them."""
    if request.turn == 0:
        return [Call(0, '{"title": "One"}', name="add_task"), Call(1, '{"title": "Two"}', name="add_task")]
    return [Say("Added.")]


def injected(request: Request) -> list[Step]:
    """A model that obeys what it reads in a title: it deletes all it sees."""
    if request.turn == 0:
        return whole_call(0, "list_tasks", {})
    if request.turn == 1:
        tasks = request.results[0]["tasks"]
        return [s for i, task in enumerate(tasks) for s in whole_call(i, "delete_task", {"task_id": task["id"]})]
    return [Say("I deleted everything, as the task says.")]


def intruder(request: Request) -> list[Step]:
    """An attempt at the task with the id in the message, and at naming a user."""
    if request.turn == 0:
        task = {"task_id": request.text}
        return [
            *whole_call(0, "complete_task", task),
            *whole_call(1, "update_task", {**task, "changes": {"title": "Mine"}}),
            *whole_call(2, "delete_task", task),
            *whole_call(3, "list_tasks", {"user_id": request.text}),
        ]
    return [Say(", ".join(str(result["code"]) for result in request.results))]


def retag(request: Request) -> list[Step]:
    """Other tags for the task with the id in the message; the version is given only when it is asked for."""
    if request.turn == 0:
        return whole_call(0, "update_task", {"task_id": request.text, "changes": {"tags": ["shop"]}})
    if request.turn == 1:
        given = {"task_id": request.text, "changes": {"tags": ["shop"]}, "version": 1}
        return whole_call(0, "update_task", given)
    return [Say("Tagged.")]


def dirty(request: Request) -> list[Step]:
    """Text with NUL and with characters that are split over chunks, or have no second half."""
    if request.turn == 0:
        return [
            Say("One\0 \ud83d"),
            Say("\ude00 \ud800 moment."),
            *whole_call(0, "add_task", {"title": "Milk \ud83d\ude00", "description": "a\0b \udc00"}),
        ]
    return [Say("Added \ud83d")]


def deep(request: Request) -> list[Step]:
    """Arguments that are nested deeply, or have numbers that are none."""
    if request.turn == 0:
        given = '{"title": ' + "[" * 900 + "]" * 900 + "}"
        return [
            Call(0, given, name="add_task", id="call_0"),
            Call(1, '{"title": "x", "n": NaN}', name="add_task", id="call_1"),
            Call(2, '{"title": "x", "n": 1e999}', name="add_task\0", id="call_2\0"),
        ]
    return [Say(", ".join(str(result["code"]) for result in request.results))]


def cut_off(request: Request) -> list[Step]:
    """A finish for want of room, in the middle of a second call."""
    if request.turn == 0:
        return whole_call(0, "add_task", {"title": "Kept"})
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}
    return [Say("I have begun to"), Call(0, '{"title": "Ha', name="add_task", id="call_1"), Raw(json.dumps(end))]


def echo(request: Request) -> list[Step]:
    """The request's messages as text: what a model gets to see."""
    return [Say(json.dumps(request.body["messages"])[:15_000])]


SCENARIOS: dict[str, Callable[[Request], list[Step]]] = {
    scenario.__name__.replace("_", "-"): scenario
    for scenario in (
        hello, add, parallel, malformed, invalid, unknown_tool, many, endless, busy, too_busy, flaky, broken,
        unauthorized, slow, stall, cut, cut_call, half, garbage, fault, flood, long_line, many_arguments, empty, no_ids,
        injected, intruder, retag, dirty, deep, cut_off, echo,
    )
}  # fmt: skip
