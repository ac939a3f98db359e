"""The OpenAPI document and its page."""

import json
import re
import uuid
from typing import Any

import pytest

from src.chat.tools import TOOLS
from src.core.docs_page import STYLE
from src.core.errors import ErrorCode
from src.openapi import document
from tests.support import BACKEND, Person, stranger

DOCUMENT: dict[str, Any] = json.loads(document())
OPERATIONS = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]


def test_the_checked_in_document_is_current() -> None:
    assert (BACKEND / "openapi.json").read_text() == document(), "run: python -m src.openapi > openapi.json"


def test_it_is_served(url: str) -> None:
    assert stranger.get(f"{url}/api/openapi.json").json() == DOCUMENT


def test_all_references_lead_somewhere() -> None:
    for kind, name in re.findall(r'"#/components/(\w+)/([^"]+)"', json.dumps(DOCUMENT)):
        assert name in DOCUMENT["components"][kind], name


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=lambda v: v if isinstance(v, str) else "")
def test_operations_are_complete(method: str, path: str, operation: dict[str, Any]) -> None:
    assert re.fullmatch(r"[a-z][A-Za-z]+", operation["operationId"])
    assert operation["description"].endswith(".")
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            content = answer["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            codes = re.findall(r"`(\w+)`", answer["description"])
            assert list(content["examples"]) == codes
            assert {ErrorCode(code).status for code in codes} == {int(status)}
    for body in (operation.get("requestBody", {}), *operation["responses"].values()):
        assert all(content["examples"] for content in body.get("content", {}).values())
    if "security" in operation and path != "/api/auth/logout":
        assert "401" in operation["responses"]
        assert {"bearer": []} in operation["security"]
    if "requestBody" in operation or operation.get("parameters"):
        assert "422" in operation["responses"]


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(ids)) == len(ids)


def test_error_codes_are_all_in_it() -> None:
    assert DOCUMENT["components"]["schemas"]["ErrorCode"]["enum"] == [code.value for code in ErrorCode]


def test_every_error_code_is_asserted_by_a_test() -> None:
    tests = "".join(
        path.read_text() for path in (BACKEND / "tests").glob("test_*.py") if path.name != "test_openapi.py"
    )
    asserted = re.findall(r'"(\w+)", \d{3}\)', tests) + re.findall(r'\["code"\] == "(\w+)"', tests)
    in_a_table = re.findall(r'"(\w+_not_found)"', tests)
    assert {code.value for code in ErrorCode} <= {*asserted, *in_a_table}


def test_the_events_of_the_chat_are_in_it() -> None:
    mapping = DOCUMENT["components"]["schemas"]["ChatEvent"]["discriminator"]["mapping"]
    assert set(mapping) == {"conversation", "delta", "tool_call", "tool_result", "confirmation", "done", "error"}


def test_examples_fit_their_schemas() -> None:
    for name, example in DOCUMENT["components"]["examples"].items():
        if name in ("ChatEvent", "Event"):
            assert re.match(r"event: (delta|ready)\ndata: \{", example["value"])
            continue
        schema = DOCUMENT["components"]["schemas"]["Problem" if name in list(ErrorCode) else name]
        assert set(example["value"]) <= set(schema["properties"])
        assert set(schema.get("required", ())) <= set(example["value"])


def test_examples_of_errors_say_what_errors_say(alice: Person) -> None:
    for answer in (
        alice.get(f"/api/tasks/{uuid.uuid4()}"),
        alice.post("/api/tasks", json={}),
        stranger.get(alice.base_url.join("/api/tasks")),
        alice.get("/api/nothing"),
    ):
        body = answer.json()
        assert {**DOCUMENT["components"]["examples"][body["code"]]["value"], "request_id": body["request_id"]} == body


def test_no_tool_takes_a_user() -> None:
    for tool in TOOLS.values():
        assert "user" not in json.dumps(tool.arguments.model_json_schema()).replace("user's", "")


def test_the_page_loads_nothing(url: str) -> None:
    answer = stranger.get(f"{url}/api/docs")
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "<script" not in answer.text
    assert re.findall(r'(?:src|href)="(?!#)([^"]+)"', answer.text) == ["openapi.json"]
    assert f"<style>{STYLE}</style>" in answer.text
    for _, path, _ in OPERATIONS:
        assert path in answer.text
    for name in DOCUMENT["components"]["schemas"]:
        assert f'id="{name}"' in answer.text
    for target in re.findall(r'href="#([^"]+)"', answer.text):
        assert f'id="{target}"' in answer.text
