"""What the OpenAPI document promises, tried with many requests that are made of it: signed in, and not."""

import json
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

from src.openapi import document
from tests.support import Person, stranger

# A stream that does not end: tests/test_events.py.
ENDLESS = "/api/events"
# Hundreds of limits, most of them those of tasks and tool calls.
IMPORT = "/api/import"


DOCUMENT = document()


def _schema(*, limits: bool) -> BaseSchema:
    """The document; with `limits`, each limit in its schemas is tried."""
    schema = schemathesis.openapi.from_dict(json.loads(DOCUMENT))
    schema.config.phases.coverage.enabled = limits
    return schema


# Bounded: what is wrong with the document shows in few requests.
A_FEW = settings(
    max_examples=1, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)

BEYOND_A_SCHEMA = {
    "invalid_cursor": "only the server makes cursors",
    "weak_password": "passwords that are common, or the address",
    "idempotency_key_reused": "no two requests may have the same",
    "version_required": "If-Match is needed for tags only",
    "mail_not_configured": "a setting",
}
"""Why a request may be refused that fits its schema."""


def _within_its_rights(answer: schemathesis.Response) -> bool:
    """Whether a refusal is for what no schema can say: one of the above, or a rule that code checks."""
    if not answer.headers["content-type"][0].startswith("application/problem+json"):
        return False
    problem = answer.json()
    codes = [error["code"] for error in problem.get("errors", ())]
    return problem["code"] in BEYOND_A_SCHEMA or (bool(codes) and set(codes) <= {"value_error", "csv_invalid"})


def _try(case: Case[Any], url: str, headers: dict[str, str]) -> None:
    answer = case.call(base_url=url, headers=headers, timeout=60)
    excluded: list[Any] = [positive_data_acceptance] if _within_its_rights(answer) else []
    case.validate_response(answer, excluded_checks=excluded)


@_schema(limits=True).exclude(path=[ENDLESS, IMPORT]).parametrize()
@A_FEW
def test_signed_in(case: Case[Any], alice: Person) -> None:
    _try(case, str(alice.base_url).rstrip("/"), {"Authorization": f"Bearer {alice.token}"})


@_schema(limits=False).include(path=IMPORT).parametrize()
@A_FEW
def test_signed_in_with_a_file(case: Case[Any], alice: Person) -> None:
    _try(case, str(alice.base_url).rstrip("/"), {"Authorization": f"Bearer {alice.token}"})


@_schema(limits=False).exclude(path=ENDLESS).parametrize()
@A_FEW
def test_not_signed_in(case: Case[Any], url: str) -> None:
    _try(case, url, {})


def test_an_address_says_all_its_methods(url: str) -> None:
    for path, methods in (("/api/tasks", "GET, POST"), ("/api/auth/me", "GET, DELETE"), ("/health", "GET")):
        answer = stranger.options(f"{url}{path}")
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)
