"""The HTTP side: POST /v1/chat/completions, streamed, and GET /health for probes."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request as HTTPRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from fake_openai.scenarios import SCENARIOS, Call, Cut, Pause, Raw, Refuse, Request, Say, Step


class ConnectionCutError(Exception):
    """Raised in a stream to make the server break off the connection."""


def create_app() -> Starlette:
    """The server; it remembers what it was asked, to play a first failure once."""
    seen: Counter[str] = Counter()

    async def complete(http: HTTPRequest) -> Response:
        body = await http.json()
        if not http.headers.get("authorization", "").startswith("Bearer "):
            return JSONResponse({"error": {"message": "no key"}}, 401)
        if not body.get("stream"):
            return JSONResponse({"error": {"message": "only streams"}}, 400)
        key = json.dumps(body["messages"][1:])
        steps = _play(body, seen[key])
        seen[key] += 1
        if steps and isinstance(refusal := steps[0], Refuse):
            return JSONResponse({"error": {"message": "refused"}}, refusal.status, refusal.headers)
        return StreamingResponse(_stream(steps), media_type="text/event-stream")

    async def health(_: HTTPRequest) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(routes=[Route("/v1/chat/completions", complete, methods=["POST"]), Route("/health", health)])


def _play(body: dict[str, Any], attempt: int) -> list[Step]:
    messages = body["messages"]
    last_user = max(i for i, message in enumerate(messages) if message["role"] == "user")
    later = messages[last_user + 1 :]
    last_turn = max((i for i, message in enumerate(later) if message["role"] == "assistant"), default=0)
    text = messages[last_user]["content"]
    name, _, rest = text.removeprefix("fake:").partition(" ")
    if not text.startswith("fake:") or name not in SCENARIOS:
        return [Say(f"You said: {text}")]
    request = Request(
        text=rest,
        turn=sum(message["role"] == "assistant" for message in later),
        attempt=attempt,
        results=[json.loads(m["content"]) for m in later[last_turn:] if m["role"] == "tool"],
        body=body,
    )
    return SCENARIOS[name](request)


async def _stream(steps: list[Step]) -> AsyncIterator[str]:
    complete = True
    for step in steps:
        match step:
            case Say():
                yield _chunk({"content": step.text})
            case Call():
                yield _chunk({"tool_calls": [_call(step)]})
            case Pause():
                await asyncio.sleep(step.seconds)
            case Raw():
                complete = False
                yield f"data: {step.data}\n\n" if step.data else ": nothing more\n\n"
            case Cut():
                await asyncio.sleep(0.05)  # what was written before shall arrive
                raise ConnectionCutError
    if complete:
        called = any(isinstance(step, Call) for step in steps)
        yield _chunk({}, "tool_calls" if called else "stop")
        yield "data: [DONE]\n\n"


def _call(step: Call) -> dict[str, Any]:
    function = {"arguments": step.arguments} | ({"name": step.name} if step.name else {})
    return {"index": step.index, "function": function} | ({"id": step.id, "type": "function"} if step.id else {})


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [choice]})}\n\n"
