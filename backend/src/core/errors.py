"""Errors as clients see them: application/problem+json (RFC 9457) with a stable `code`."""

import json
from collections.abc import Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from src.core.logging import request_id

MAX_BODY_BYTES = 64 * 1024
"""The largest request body that is read."""

INTERNAL_ERROR = "Something went wrong on our side."
"""All that a client learns of a bug."""


class ErrorCode(StrEnum):
    """Every code that the API can answer with."""

    NOT_AUTHENTICATED = "not_authenticated"
    OTHER_USER = "other_user"
    INVALID_CREDENTIALS = "invalid_credentials"
    WRONG_PASSWORD = "wrong_password"
    WEAK_PASSWORD = "weak_password"
    INVALID_RESET_CODE = "invalid_reset_code"
    MAIL_NOT_CONFIGURED = "mail_not_configured"
    EMAIL_TAKEN = "email_taken"
    SESSION_NOT_FOUND = "session_not_found"
    SESSION_REQUIRED = "session_required"
    TOKEN_NOT_FOUND = "token_not_found"
    TOO_MANY_TOKENS = "too_many_tokens"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    CROSS_ORIGIN_REFUSED = "cross_origin_refused"
    RATE_LIMITED = "rate_limited"
    TOO_MANY_STREAMS = "too_many_streams"
    VALIDATION_FAILED = "validation_failed"
    INVALID_CURSOR = "invalid_cursor"
    IDEMPOTENCY_IN_PROGRESS = "idempotency_in_progress"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    BAD_REQUEST = "bad_request"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TASK_NOT_FOUND = "task_not_found"
    TASK_CHANGED = "task_changed"
    VERSION_REQUIRED = "version_required"
    TOO_MANY_TASKS = "too_many_tasks"
    CONVERSATION_NOT_FOUND = "conversation_not_found"
    CONFIRMATION_NOT_FOUND = "confirmation_not_found"
    CONFIRMATION_RESOLVED = "confirmation_resolved"
    CONFIRMATION_EXPIRED = "confirmation_expired"
    CONFIRMATION_OUTDATED = "confirmation_outdated"
    ASSISTANT_UNAVAILABLE = "assistant_unavailable"
    ASSISTANT_INTERRUPTED = "assistant_interrupted"
    ASSISTANT_TIMEOUT = "assistant_timeout"
    ASSISTANT_TURN_LIMIT = "assistant_turn_limit"
    OVERLOADED = "overloaded"
    DATABASE_UNAVAILABLE = "database_unavailable"
    SCHEMA_OUTDATED = "schema_outdated"
    INTERNAL_ERROR = "internal_error"

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return _KINDS[self][0]


# The status, and what the detail may be.
_KINDS: dict[ErrorCode, tuple[int, str]] = {
    ErrorCode.NOT_AUTHENTICATED: (401, "Log in first."),
    ErrorCode.OTHER_USER: (409, "Somebody else is logged in by now. Load the page anew."),
    ErrorCode.INVALID_CREDENTIALS: (401, "The e-mail address or the password is wrong."),
    ErrorCode.WRONG_PASSWORD: (403, "The password is wrong."),
    ErrorCode.WEAK_PASSWORD: (422, "This password is one of the commonest, and the first to be tried. Choose another."),
    ErrorCode.INVALID_RESET_CODE: (403, "The code is wrong, used or older than an hour."),
    ErrorCode.MAIL_NOT_CONFIGURED: (409, "No mail is sent here. Ask who runs this for a code."),
    ErrorCode.EMAIL_TAKEN: (409, "There is an account with this e-mail address."),
    ErrorCode.SESSION_NOT_FOUND: (404, "There is no such session."),
    ErrorCode.SESSION_REQUIRED: (403, "An API token cannot do this. Log in."),
    ErrorCode.TOKEN_NOT_FOUND: (404, "There is no such API token."),
    ErrorCode.TOO_MANY_TOKENS: (409, "There are 50 API tokens already, which is the limit. Revoke some first."),
    ErrorCode.INSUFFICIENT_SCOPE: (403, "This API token may read only."),
    ErrorCode.CROSS_ORIGIN_REFUSED: (403, "Requests from pages of another origin are refused."),
    ErrorCode.RATE_LIMITED: (429, "Too many requests. Try again in 6 seconds."),
    ErrorCode.TOO_MANY_STREAMS: (429, "There are 20 windows open already, which is the limit. Close some first."),
    ErrorCode.VALIDATION_FAILED: (422, "The request is not valid: title."),
    ErrorCode.INVALID_CURSOR: (422, "The cursor does not belong to this list and sort order. Start without a cursor."),
    ErrorCode.IDEMPOTENCY_IN_PROGRESS: (409, "The same request is still being answered. Try again shortly."),
    ErrorCode.IDEMPOTENCY_KEY_REUSED: (422, "This Idempotency-Key belongs to another request. Make a new one."),
    ErrorCode.PAYLOAD_TOO_LARGE: (413, "The request body is too large."),
    ErrorCode.BAD_REQUEST: (400, "The request could not be read."),
    ErrorCode.NOT_FOUND: (404, "There is nothing at this address."),
    ErrorCode.METHOD_NOT_ALLOWED: (405, "This address does not know that method."),
    ErrorCode.TASK_NOT_FOUND: (404, "There is no such task."),
    ErrorCode.TASK_CHANGED: (412, "The task has changed since."),
    ErrorCode.VERSION_REQUIRED: (428, "Tags are replaced as a whole. Say in If-Match which version has been seen."),
    ErrorCode.TOO_MANY_TASKS: (409, "There are 10,000 tasks already, which is the limit. Delete some first."),
    ErrorCode.CONVERSATION_NOT_FOUND: (404, "There is no such conversation."),
    ErrorCode.CONFIRMATION_NOT_FOUND: (404, "There is no such confirmation."),
    ErrorCode.CONFIRMATION_RESOLVED: (409, "The confirmation is already cancelled."),
    ErrorCode.CONFIRMATION_EXPIRED: (410, "The confirmation has expired. Ask the assistant again."),
    ErrorCode.CONFIRMATION_OUTDATED: (409, "The task has changed since, and is “Buy milk” now. Confirm once more."),
    ErrorCode.ASSISTANT_UNAVAILABLE: (502, "The assistant is not available at the moment. Your tasks are unaffected."),
    ErrorCode.ASSISTANT_INTERRUPTED: (502, "The assistant’s answer broke off. Try again."),
    ErrorCode.ASSISTANT_TIMEOUT: (504, "The assistant took too long to answer."),
    ErrorCode.ASSISTANT_TURN_LIMIT: (502, "The assistant stopped after 8 steps without an answer."),
    ErrorCode.OVERLOADED: (503, "There is too much to do at the moment. Try again shortly."),
    ErrorCode.DATABASE_UNAVAILABLE: (503, "The database does not answer at the moment. Try again shortly."),
    ErrorCode.SCHEMA_OUTDATED: (503, "The database schema is at nothing, this version needs 0005."),
    ErrorCode.INTERNAL_ERROR: (500, INTERNAL_ERROR),
}


class FieldError(BaseModel):
    """One field of a request that was not accepted."""

    field: str = Field(description="Path of the field, such as `title` or `tags.0`; empty for the whole body.")
    message: str
    code: str = Field(description="Stable name of the broken rule, such as `string_too_long`.")


class Problem(BaseModel):
    """The body of every error answer."""

    type: str = "about:blank"
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What went wrong and what to do, for people.")
    code: ErrorCode = Field(description="What went wrong, for programs.")
    errors: list[FieldError] | None = Field(default=None, description="With `validation_failed`: each bad field.")
    current: dict[str, Any] | None = Field(
        default=None,
        description="What is there now: the task with `task_changed`, the confirmation with `confirmation_outdated`.",
    )
    request_id: str | None = Field(default=None, description="Names this request in the server's log.")


class ProblemError(Exception):
    """Raised anywhere to answer the request with a problem."""

    def __init__(
        self,
        code: ErrorCode,
        detail: str,
        *,
        retry_after: int | None = None,
        current: BaseModel | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """`retry_after` is in seconds and becomes the header of that name; `current` is what is there now."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.current = current
        self.headers = headers


def problem(code: ErrorCode, detail: str, errors: list[FieldError] | None = None) -> Problem:
    """Build the body for an error in the current request."""
    title = "Content Too Large" if code.status == 413 else HTTPStatus(code.status).phrase
    if code.status == 422:
        title = "Unprocessable Content"
    return Problem(
        title=title, status=code.status, detail=detail, code=code, errors=errors, request_id=request_id.get()
    )


def _example(code: ErrorCode) -> dict[str, Any]:
    errors = [FieldError(field="title", message="Field required", code="missing")]
    body = problem(code, _KINDS[code][1], errors if code is ErrorCode.VALIDATION_FAILED else None)
    return {**body.model_dump(mode="json", exclude_none=True), "request_id": "5f2c6c1b0f5e4d6f8f0e3b1a7c9d2e4f"}


EXAMPLES = {str(code): _example(code) for code in ErrorCode}
"""A body for each code, for the OpenAPI document."""


def problem_response(
    code: ErrorCode,
    detail: str,
    *,
    errors: list[FieldError] | None = None,
    headers: dict[str, str] | None = None,
    retry_after: int | None = None,
    current: BaseModel | None = None,
) -> Response:
    """The answer for an error; 401 and `retry_after` add the headers that belong to them."""
    headers = dict(headers or {})
    if code.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    body = problem(code, detail, errors).model_dump(mode="json", exclude_none=True)
    if current is not None:
        body["current"] = current.model_dump(mode="json")
    return Response(json.dumps(body), code.status, headers, "application/problem+json")


def responses(*codes: ErrorCode) -> dict[int | str, dict[str, Any]]:
    """OpenAPI `responses` for a route that may answer with these codes."""
    by_status: dict[int, list[ErrorCode]] = {}
    for code in codes:
        by_status.setdefault(code.status, []).append(code)
    return {
        status: {
            "description": " or ".join(f"`{code}`" for code in same),
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {str(code): {"$ref": f"#/components/examples/{code}"} for code in same},
                }
            },
        }
        for status, same in sorted(by_status.items())
    }


def install_error_handlers(app: FastAPI) -> None:
    """Turn every exception that a route may raise into a problem."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


async def _on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem_response(
        error.code, error.detail, headers=error.headers, retry_after=error.retry_after, current=error.current
    )


async def _on_validation_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # A header that several of a route's dependencies read is still one.
    errors = list({e.model_dump_json(): e for e in field_errors(error.errors())}.values())
    names = ", ".join(e.field or "body" for e in errors)
    return problem_response(ErrorCode.VALIDATION_FAILED, f"The request is not valid: {names}.", errors=errors)


def field_errors(errors: Sequence[Any]) -> list[FieldError]:
    """Pydantic's errors without the values, which may be secret, and without where in the request they stood."""
    result = []
    for error in errors:
        path = [str(part) for part in error["loc"]]
        if path and path[0] in ("body", "query", "path", "header", "cookie"):
            path = path[1:]
        if error["type"] == "json_invalid":
            path = []
        message = str(error["msg"]).removeprefix("Value error, ")
        result.append(FieldError(field=".".join(path), message=message, code=str(error["type"])))
    return result


_HTTP_CODES = {
    404: (ErrorCode.NOT_FOUND, "There is nothing at this address."),
    405: (ErrorCode.METHOD_NOT_ALLOWED, "This address does not know that method."),
    413: (ErrorCode.PAYLOAD_TOO_LARGE, "The request body is too large."),
}


_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _allowed(request: Request) -> str:
    """The methods of an address. Starlette names those of the first of its routes only."""
    asked = [{"type": "http", "method": method, "path": request.scope["path"], "headers": []} for method in _METHODS]
    routes = request.app.routes
    return ", ".join(a["method"] for a in asked if any(route.matches(a)[0] is Match.FULL for route in routes))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, detail = _HTTP_CODES.get(error.status_code, (ErrorCode.BAD_REQUEST, "The request could not be read."))
    headers = dict(error.headers or {})
    if code is ErrorCode.METHOD_NOT_ALLOWED:
        headers["Allow"] = _allowed(request)
    return problem_response(code, detail, headers=headers)
