"""The OpenAPI document at /api/openapi.json and a page of it at /api/docs."""

import json
from functools import cache
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter

from src.chat.schemas import ChatEvent
from src.core import docs_page
from src.core.docs_examples import examples
from src.core.errors import ErrorCode, Problem, responses
from src.events.schemas import Event
from src.transfer.schemas import ExportFile, ImportFile

REF = "#/components/schemas/{model}"

DESCRIPTION = """
Tasks, and an assistant that works on them.

**Sessions.** Register or log in: the answer sets an HttpOnly cookie, and carries the same token as `access_token`
for clients that send `Authorization: Bearer …`.

**API tokens** are for programs: made at `/api/tokens` by who is logged in, and sent as `Authorization: Bearer todo_…`.
Those that may `read` can GET; those that may `write` can do everything but what is about the account itself.

**Cross-origin requests.** An unsafe request (POST, PUT, PATCH, DELETE) without a bearer token must come from a page of
this host: `Sec-Fetch-Site` must be `same-origin` or `none`, or else `Origin`, if there is one, must name the host in
`Host` or `X-Forwarded-Host`. Otherwise it is refused with 403 `cross_origin_refused`. Clients need to do nothing for
it.

**Errors** are `application/problem+json`; `code` is stable. Any route may also answer 500 `internal_error`,
503 `database_unavailable` or `overloaded` (with `Retry-After`), and, when it takes a body, 413 `payload_too_large`
above 64 KiB (an import: 10 MiB).
"""


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """The complete OpenAPI document."""
    document = get_openapi(title=app.title, version=app.version, description=DESCRIPTION.strip(), routes=app.routes)
    schemas = document["components"]["schemas"]
    # What routes answer with outside of FastAPI's sight: problems, files, and the events of streams.
    outside = TypeAdapter(Problem | ChatEvent | Event | ExportFile | ImportFile)
    extra = outside.json_schema(ref_template=REF, mode="serialization")
    events = ({key: union[key] for key in ("oneOf", "discriminator")} for union in extra["anyOf"][1:3])
    schemas.update(extra["$defs"], **dict(zip(("ChatEvent", "Event"), events, strict=True)))
    # FastAPI's own error shape, which no route here answers with.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    invalid = responses(ErrorCode.VALIDATION_FAILED)[422]
    unreadable = responses(ErrorCode.BAD_REQUEST)[400]
    document["components"]["examples"] = examples()
    for path in document["paths"].values():
        for operation in path.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                operation["responses"]["422"] = invalid
            if "requestBody" in operation:
                # What is no text, or no JSON, is read by no route.
                answers = {**operation["responses"], "400": unreadable}
                operation["responses"] = dict(sorted(answers.items()))
            for parameter in operation.get("parameters", ()):
                _never_null(parameter["schema"])
            for body in (operation.get("requestBody", {}), *operation["responses"].values()):
                for content in body.get("content", {}).values():
                    name = content["schema"].get("$ref", "").rsplit("/", 1)[-1]
                    content.setdefault("examples", {"example": {"$ref": f"#/components/examples/{name}"}})
                if "text/event-stream" in (sent := body.get("content", {})):
                    union = sent["text/event-stream"]["schema"]["$ref"].rsplit("/", 1)[-1]
                    sent["text/event-stream"]["schema"] = {"$ref": REF.format(model=f"Sent{union}")}
                    schemas[f"Sent{union}"] = _sent(schemas, union)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _sent(schemas: dict[str, Any], union: str) -> dict[str, Any]:
    """The events of a union as a stream has them: with `data` as text."""
    kinds = []
    for option in schemas[union]["oneOf"]:
        event = schemas[option["$ref"].rsplit("/", 1)[-1]]["properties"]
        data = {"type": "string", "contentMediaType": "application/json", "contentSchema": event["data"]}
        kinds.append({"required": ["event", "data"], "properties": {"event": event["event"], "data": data}})
    return {"description": f"A `{union}` as it is sent.", "type": "object", "oneOf": kinds}


def _never_null(schema: dict[str, Any]) -> None:
    """A parameter that is left out is none; there is no way to send null."""
    kinds = [kind for kind in schema.pop("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) > 1:
        schema["anyOf"] = kinds
    elif kinds:
        schema.update(kinds[0])


def install_docs(app: FastAPI) -> None:
    """Add the routes of the document. To be called after all other routes are there."""

    # Built when first asked for: it takes longer than all else that happens at a start.
    @cache
    def document() -> dict[str, Any]:
        return build_openapi(app)

    async def openapi() -> Response:
        return Response(json.dumps(document()), media_type="application/json")

    async def page() -> Response:
        headers = {"Content-Security-Policy": docs_page.CONTENT_SECURITY_POLICY}
        return HTMLResponse(docs_page.render(document()), headers=headers)

    app.add_api_route("/api/openapi.json", openapi, include_in_schema=False)
    app.add_api_route("/api/docs", page, include_in_schema=False)
