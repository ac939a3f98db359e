"""Whatever a model writes, no turn is lost."""

import httpx
import pytest

from src.chat import store
from src.core.storable import read_object
from tests.support import JSON, Person, calls_of, expect_problem, text_of


def _stored(person: Person) -> list[dict[str, object]]:
    (conversation,) = person.get("/api/chat/conversations").json()["items"]
    answer = person.get(f"/api/chat/conversations/{conversation['id']}")
    assert answer.status_code == 200
    messages: list[dict[str, object]] = answer.json()["messages"]
    return messages


def test_what_cannot_be_stored_is_left_out(modeller: Person) -> None:
    reply = modeller.say("fake:dirty")
    assert text_of(reply) == "One 😀 \ufffd moment.Added "
    assert calls_of(reply) == [("add_task", "ok")]
    (task,) = modeller.get("/api/tasks").json()["items"]
    assert (task["title"], task["description"]) == ("Milk 😀", "ab \ufffd")
    assert _stored(modeller)[1:] == reply["messages"]


def test_arguments_that_are_too_deep_are_an_error_for_the_model_to_mend(modeller: Person) -> None:
    reply = modeller.say("fake:deep")
    assert calls_of(reply) == [("add_task", "invalid_arguments")] * 3
    assert _stored(modeller)[1:] == reply["messages"]


def test_an_answer_that_became_too_long_is_not_told_as_done(modeller: Person) -> None:
    answer: httpx.Response = modeller.post("/api/chat", json={"message": "fake:cut-off"}, headers=JSON)
    expect_problem(answer, "assistant_interrupted", 502)
    assert modeller.titles() == ["Kept"]
    assert [message["content"] for message in _stored(modeller)] == ["fake:cut-off", "", "I have begun to"]


@pytest.mark.parametrize("raw", ["[]", "{", '{"a": NaN}', '{"a": -1e999}', '{"a":' * 40 + "1" + "}" * 40])
def test_what_is_no_object_that_can_be_stored(raw: str) -> None:
    assert read_object(raw) is None


def test_an_object_that_can_be_stored() -> None:
    assert read_object("") == {}
    assert read_object('{"a\\u0000": ["\\u0000b", 1, 2.5, null, true, "\\ud83d\\ude00"]}') == {
        "a": ["b", 1, 2.5, None, True, "😀"]
    }


def _pages(person: Person, **query: int) -> list[list[str]]:
    (conversation,) = person.get("/api/chat/conversations").json()["items"]
    pages: list[list[str]] = []
    cursor: str | None = None
    while cursor or not pages:
        params: dict[str, int | str] = {**query, **({"cursor": cursor} if cursor else {})}
        answer = person.get(f"/api/chat/conversations/{conversation['id']}", params=params)
        assert answer.status_code == 200, answer.text
        pages.append([message["content"] for message in answer.json()["messages"]])
        cursor = answer.json()["next_cursor"]
    return pages


def test_a_history_comes_in_pages(alice: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    first = alice.say("one")
    alice.say("two", conversation_id=first["conversation_id"])
    ((_, answer, _, again),) = _pages(alice)
    assert _pages(alice, limit=3) == [[answer, "two", again], ["one"]]
    assert _pages(alice, limit=4) == [["one", answer, "two", again]]
    monkeypatch.setattr(store, "SHOWN_BYTES", len((answer + again).encode()))
    assert _pages(alice) == [["two", again], ["one", answer]]
    monkeypatch.setattr(store, "SHOWN_BYTES", 0)
    assert _pages(alice) == [[again], ["two"], [answer], ["one"]]
    path = f"/api/chat/conversations/{first['conversation_id']}"
    expect_problem(alice.get(path, params={"cursor": "nonsense"}), "invalid_cursor", 422)
