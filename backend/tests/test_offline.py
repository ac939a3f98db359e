"""How the offline assistant answers."""

from typing import Any

import pytest

from tests.support import Person, calls_of, text_of


def _converse(person: Person, *messages: str) -> list[dict[str, Any]]:
    replies: list[dict[str, Any]] = []
    for message in messages:
        more = {"conversation_id": replies[0]["conversation_id"]} if replies else {}
        replies.append(person.say(message, **more))
    return replies


def test_it_says_what_it_is_once(alice: Person) -> None:
    texts = [text_of(reply) for reply in _converse(alice, "add milk", "what is open?", "show all")]
    assert ["offline assistant" in text for text in texts] == [True, False, False]


def test_a_day_of_work(alice: Person) -> None:
    replies = _converse(
        alice,
        "add buy milk tomorrow at 9:00 #home !high",
        "what is open?",
        "move milk to 2040-12-03",
        "tag milk #shop",
        "rename milk to oat milk",
        "mark milk done",
        "what is open?",
        "reopen oat",
        "mark oat done",
        "what is done?",
        "what is open in #nothing?",
    )
    texts = [text_of(reply) for reply in replies]
    assert "Added “buy milk”, due tomorrow at 09:00, high priority, #home." in texts[0]
    assert texts[1].startswith("1 open task:\n• “buy milk”")
    assert texts[2] == "Changed: “buy milk”, due Mon 3 Dec 2040, high priority, #home."
    assert texts[3].endswith("#home, #shop.")
    assert texts[4].startswith("Changed: “oat milk”")
    assert texts[5] == "Marked “oat milk” as done."
    assert texts[6] == "You have no open tasks."
    assert texts[7] == "Marked “oat milk” as open again."
    assert texts[9].startswith("1 completed task:")
    assert texts[10] == "There are no open tasks like that."


def test_it_means_the_task_that_was_spoken_of(alice: Person) -> None:
    alice.add("Visit the kitchen fair")  # has "it" in it
    _, moved, done, deleted, unclear = _converse(
        alice, "add buy milk", "move it to 2040-12-03", "mark it done", "delete it", "delete it in the end"
    )
    assert "Changed: “buy milk”" in text_of(moved)
    assert text_of(done) == "Marked “buy milk” as done."
    assert deleted["confirmations"][0]["task_title"] == "buy milk"
    assert "I found no task" in text_of(unclear)
    assert "Which task should I complete?" in text_of(alice.say("mark it done"))
    assert alice.titles(status="open") == ["Visit the kitchen fair"]


def test_tags_and_dates_are_taken_away(alice: Person) -> None:
    alice.add("Buy milk", tags=["home", "shop"], due_at="2026-12-01T10:00:00Z")
    _converse(alice, "remove #home from milk", "remove the due date of milk")
    (task,) = alice.get("/api/tasks").json()["items"]
    assert (task["tags"], task["due_at"]) == (["shop"], None)


def test_it_asks_back_when_several_fit(alice: Person) -> None:
    alice.add("Milk the goat")
    alice.add("Buy milk")
    asked, wrong, chosen, late = _converse(alice, "mark milk done", "7", "2", "1")
    assert text_of(asked).endswith("Answer with its number.\n1. “Buy milk”\n2. “Milk the goat”")
    assert text_of(wrong) == "Please choose a number from 1 to 2."
    assert calls_of(chosen) == [("complete_task", "ok")]
    assert alice.titles(status="completed") == ["Milk the goat"]
    assert "did not ask" in text_of(late)


def test_an_exact_title_wins(alice: Person) -> None:
    alice.add("Milk")
    alice.add("Buy milk")
    assert text_of(alice.say("mark milk done")).endswith("Marked “Milk” as done.")


def test_an_exact_title_wins_though_many_are_newer(alice: Person) -> None:
    alice.add("Milk")
    for number in range(12):
        alice.add(f"Buy milk {number}")
    assert text_of(alice.say("mark milk done")).endswith("Marked “Milk” as done.")
    asked, chosen = _converse(alice, "mark milk done", "9")
    assert text_of(asked).splitlines()[-2:] == ["9. “Buy milk 3”", "… and 3 more."]
    assert text_of(chosen) == "Marked “Buy milk 3” as done."


@pytest.mark.parametrize(
    "fields",
    [{"title": "Grill steak"}, {"title": "Lunch", "tags": ["tea"]}, {"title": "Lunch", "description": "with tea"}],
    ids=str,
)
def test_what_is_only_found_is_asked_about(alice: Person, fields: dict[str, Any]) -> None:
    alice.add(**fields)
    asked, chosen = _converse(alice, "mark tea done", "yes")
    assert text_of(asked).splitlines()[-2].startswith("Do you mean this one?")
    assert calls_of(asked) == [("list_tasks", "ok")]
    assert text_of(chosen) == f"Marked “{fields['title']}” as done."


def test_tasks_of_one_name_are_told_apart(alice: Person) -> None:
    for _ in range(2):
        alice.add("Buy milk")
    lines = text_of(alice.say("delete milk")).splitlines()[-2:]
    assert [line.partition(", added ")[0] for line in lines] == ["1. “Buy milk”", "2. “Buy milk”"]


def test_it_offers_to_add_what_it_does_not_understand(alice: Person) -> None:
    unsure, added, nothing = _converse(alice, "oat milk tomorrow", "yes", "yes")
    assert "I’m not sure what you mean" in text_of(unsure)
    assert "add buy milk tomorrow" in text_of(unsure)
    assert "Added “oat milk”, due tomorrow." in text_of(added)
    assert "did not ask" in text_of(nothing)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("mark milk done", "I found no open task with “milk”"),
        ("reopen milk", "I found no completed task with “milk”"),
        ("delete milk", "I found no task with “milk”"),
        ("add tomorrow", "What should the task be called?"),
        ("move #home to friday", "Which task should I update?"),
        ("delete", "Which task should I delete?"),
        ("add", "What should the task be called?"),
        ("postpone milk", "When should it be due?"),
        ("delete all tasks", "I change one task at a time."),
        ("no", "I change nothing."),
        ("2", "I did not ask you to choose."),
        ("add " + "x" * 300, "That does not fit into a task: a title has at most 200 characters, a tag 50."),
        ("help", "You can say, for example:"),
    ],
)
def test_it_says_what_is_missing(alice: Person, message: str, words: str) -> None:
    assert words in text_of(alice.say(message))


def test_long_lists_are_cut(alice: Person) -> None:
    for number in range(22):
        alice.add(f"Task {number}")
    lines = text_of(alice.say("what is open?")).splitlines()
    assert lines[2] == "22 open tasks:"
    assert len(lines) == 24
    assert lines[-1] == "… and 2 more."
