"""Changes at the same time: versions of tasks, ETag and If-Match."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from tests.support import Person, calls_of, expect_problem, text_of


def _tag(version: int) -> dict[str, str]:
    return {"If-Match": f'"{version}"'}


def test_a_task_has_a_version_that_each_change_raises(alice: Person) -> None:
    answer = alice.post("/api/tasks", json={"title": "Buy milk"})
    task = answer.json()
    path = f"/api/tasks/{task['id']}"
    assert (task["version"], answer.headers["etag"]) == (1, '"1"')
    changed = alice.patch(path, json={"title": "Buy oat milk"})
    assert (changed.json()["version"], changed.headers["etag"]) == (2, '"2"')
    read = alice.get(path)
    assert (read.json()["version"], read.headers["etag"]) == (2, '"2"')


def test_the_database_itself_raises_it(alice: Person, sql_connection: psycopg.Connection[Any]) -> None:
    """A replica of the version before, which still runs during a rollout, knows nothing of versions."""
    task = alice.add()
    sql_connection.execute("UPDATE tasks SET title = 'Other' WHERE id = %s", [task["id"]])
    assert alice.get(f"/api/tasks/{task['id']}").json()["version"] == 2


def test_a_change_of_what_has_changed_since_is_refused(alice: Person) -> None:
    task = alice.add("v1")
    path = f"/api/tasks/{task['id']}"
    assert alice.patch(path, json={"title": "v2"}, headers=_tag(1)).status_code == 200
    for refused in (
        alice.patch(path, json={"title": "v1 again"}, headers=_tag(1)),
        alice.delete(path, headers=_tag(1)),
    ):
        body = expect_problem(refused, "task_changed", 412)
        assert refused.headers["etag"] == '"2"'
        assert body["current"] == alice.get(path).json()
    assert alice.get(path).json()["title"] == "v2"
    assert alice.delete(path, headers=_tag(2)).status_code == 204


@pytest.mark.parametrize("value", ['"2"', 'W/"2"', '"7", "2"', "*"])
def test_conditions_that_hold(alice: Person, value: str) -> None:
    task = alice.add()
    path = f"/api/tasks/{task['id']}"
    alice.patch(path, json={"title": "Second"})
    assert alice.patch(path, json={"title": "Third"}, headers={"If-Match": value}).status_code == 200


@pytest.mark.parametrize("value", ['"1"', '"x"', "", "2", '"99999999999999999999"'])
def test_conditions_that_do_not(alice: Person, value: str) -> None:
    task = alice.add()
    path = f"/api/tasks/{task['id']}"
    alice.patch(path, json={"title": "Second"})
    expect_problem(alice.patch(path, json={"title": "Third"}, headers={"If-Match": value}), "task_changed", 412)


def test_what_is_not_there_is_not_changed(alice: Person, bob: Person) -> None:
    task = bob.add()
    for path in (f"/api/tasks/{uuid.uuid4()}", f"/api/tasks/{task['id']}"):
        expect_problem(alice.patch(path, json={"title": "x"}, headers=_tag(1)), "task_not_found", 404)
        expect_problem(alice.delete(path, headers={"If-Match": "*"}), "task_not_found", 404)


def test_of_parallel_edits_of_tags_none_is_lost_silently(alice: Person) -> None:
    task = alice.add(tags=["a"])
    path = f"/api/tasks/{task['id']}"

    def edit(tag: str) -> httpx.Response:
        return alice.patch(path, json={"tags": ["a", tag]}, headers=_tag(1))

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(edit, ("b", "c")))
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    lost = next(answer for answer in answers if answer.status_code == 412)
    current = lost.json()["current"]
    both = [*current["tags"], *({"b", "c"} - set(current["tags"]))]
    again = alice.patch(path, json={"tags": both}, headers=_tag(current["version"]))
    assert set(again.json()["tags"]) == {"a", "b", "c"}


def test_who_changes_tags_says_which_version_was_seen(alice: Person) -> None:
    path = f"/api/tasks/{alice.add(tags=['a'])['id']}"
    expect_problem(alice.patch(path, json={"tags": ["b"]}), "version_required", 428)
    assert alice.patch(path, json={"completed": True}).json()["tags"] == ["a"]
    assert alice.patch(path, json={"tags": ["b"]}, headers={"If-Match": "*"}).json()["tags"] == ["b"]


def test_a_list_has_an_etag(alice: Person) -> None:
    task = alice.add()
    first = alice.get("/api/tasks")
    etag = first.headers["etag"]
    unchanged = alice.get("/api/tasks", headers={"If-None-Match": etag})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", etag)
    path = f"/api/tasks/{task['id']}"
    assert alice.get(path, headers={"If-None-Match": '"1"'}).status_code == 304
    assert alice.get(path, headers={"If-None-Match": "*"}).status_code == 304
    alice.patch(path, json={"completed": True})
    changed = alice.get("/api/tasks", headers={"If-None-Match": f'"x", {etag}'})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag
    assert alice.get(path, headers={"If-None-Match": '"1"'}).status_code == 200


def test_a_confirmation_asks_again_when_the_task_has_changed(alice: Person) -> None:
    task = alice.add("Buy milk")
    (proposal,) = alice.say("delete milk")["confirmations"]
    path = f"/api/chat/confirmations/{proposal['id']}"
    alice.patch(f"/api/tasks/{task['id']}", json={"title": "Renew passport"})
    body = expect_problem(alice.post(path), "confirmation_outdated", 409)
    assert "Renew passport" in body["detail"]
    assert body["current"]["task_title"] == "Renew passport"
    assert body["current"]["status"] == "pending"
    assert alice.titles() == ["Renew passport"]
    assert alice.post(path).json()["status"] == "confirmed"
    assert alice.titles() == []


def test_a_proposal_of_the_version_before_can_be_confirmed(
    alice: Person, sql_connection: psycopg.Connection[Any]
) -> None:
    alice.add("Buy milk")
    (proposal,) = alice.say("delete milk")["confirmations"]
    sql_connection.execute("UPDATE confirmations SET task_version = NULL WHERE id = %s", [proposal["id"]])
    assert alice.post(f"/api/chat/confirmations/{proposal['id']}").json()["status"] == "confirmed"


def test_the_assistant_takes_no_tag_away_that_it_has_not_seen(alice: Person) -> None:
    """It shows two tasks; one of them gets a tag; then it is told which one it shall tag."""
    milk = alice.add("Buy milk", tags=["home"])
    alice.add("Drink milk")
    asked = alice.say("tag milk as shop")
    alice.patch(f"/api/tasks/{milk['id']}", json={"tags": ["home", "urgent"]}, headers=_tag(1))
    offered = [line for line in text_of(asked).splitlines() if line[:1].isdigit()]
    number = next(i for i, line in enumerate(offered, 1) if "Buy milk" in line)
    reply = alice.say(str(number), conversation_id=asked["conversation_id"])
    assert calls_of(reply) == [("update_task", "task_changed"), ("update_task", "ok")]
    assert alice.get(f"/api/tasks/{milk['id']}").json()["tags"] == ["home", "urgent", "shop"]


def test_a_model_has_to_say_which_version_it_saw_to_change_tags(modeller: Person) -> None:
    task = modeller.add(tags=["home"])
    reply = modeller.say(f"fake:retag {task['id']}")
    assert calls_of(reply) == [("update_task", "invalid_arguments"), ("update_task", "ok")]
    assert modeller.get(f"/api/tasks/{task['id']}").json()["tags"] == ["shop"]
