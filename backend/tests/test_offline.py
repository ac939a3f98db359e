"""What the offline assistant understands, and how it answers."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.chat.commands import Action, Command, understand
from src.grammar.task import read_line, take_apart
from tests.support import Person, calls_of, text_of

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 14, 30, tzinfo=BERLIN)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "day", "clock", "rest"),
    [
        ("pay rent today", "2026-11-25", "23:59", "pay rent"),
        ("party tonight", "2026-11-25", "20:00", "party"),
        ("buy milk tomorrow", "2026-11-26", "23:59", "buy milk"),
        ("day after tomorrow: dentist", "2026-11-27", "23:59", "dentist"),
        ("call mum on friday", "2026-11-27", "23:59", "call mum"),
        ("call mum fri", "2026-11-27", "23:59", "call mum"),
        ("call mum next friday", "2026-12-04", "23:59", "call mum"),
        ("call mum next monday", "2026-11-30", "23:59", "call mum"),
        ("call mum this sunday", "2026-11-29", "23:59", "call mum"),
        ("call mum wednesday", "2026-12-02", "23:59", "call mum"),
        ("call mum thursday at 5pm", "2026-11-26", "17:00", "call mum"),
        ("call mum at 5:30 pm on tuesday", "2026-12-01", "17:30", "call mum"),
        ("call mum 2026-12-01", "2026-12-01", "23:59", "call mum"),
        ("call mum due 2026-12-01 at 08:15", "2026-12-01", "08:15", "call mum"),
        ("call mum by 1 dec", "2026-12-01", "23:59", "call mum"),
        ("call mum on the 1 of december", "2026-12-01", "23:59", "call mum"),
        ("call mum on the 1st", "2026-12-01", "23:59", "call mum"),
        ("call mum by the 30th at 9:00", "2026-11-30", "09:00", "call mum"),
        ("call mum this weekend", "2026-11-28", "23:59", "call mum"),
        ("call mum by the end of the week", "2026-11-29", "23:59", "call mum"),
        ("call mum end of month", "2026-11-30", "23:59", "call mum"),
        ("call mum in 2 hours", "2026-11-25", "16:30", "call mum"),
        ("call mum in an hour", "2026-11-25", "15:30", "call mum"),
        ("in 45 min call mum", "2026-11-25", "15:15", "call mum"),
        ("call mum sun 5pm", "2026-11-29", "17:00", "call mum"),
        ("call mum january 2nd", "2027-01-02", "23:59", "call mum"),
        ("call mum 3rd of march 2028", "2028-03-03", "23:59", "call mum"),
        ("call mum sept 5, 2027", "2027-09-05", "23:59", "call mum"),
        ("call mum in 3 days", "2026-11-28", "23:59", "call mum"),
        ("call mum in a week", "2026-12-02", "23:59", "call mum"),
        ("call mum in two weeks", "2026-12-09", "23:59", "call mum"),
        ("call mum in 3 months", "2027-02-25", "23:59", "call mum"),
        ("call mum next week", "2026-11-30", "23:59", "call mum"),
        ("call mum next month", "2026-12-25", "23:59", "call mum"),
        ("call mum at noon", "2026-11-26", "12:00", "call mum"),
        ("call mum at 16:00", "2026-11-25", "16:00", "call mum"),
        ("call mum at 12am", "2026-11-26", "00:00", "call mum"),
        ("call mum tomorrow at midnight", "2026-11-26", "23:59", "call mum"),
        ("31 june or 1 july", "2027-07-01", "23:59", "31 june or"),
    ],
)
def test_dates(text: str, day: str, clock: str, rest: str) -> None:
    line = read_line(text, NOW)
    assert line.title == rest
    if clock == "23:59":
        assert (str(line.due_on), line.due_at) == (day, None)
    else:
        assert line.due_at == datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    "text",
    [
        "buy 3 apples",
        "2026-13-45",
        "31 june",
        "monitor the sunflowers",
        "marching on",
        "at home",
        "5 pmx",
        "may be",
        "sun cream",
        "wed the two",
        "clean the 1st floor",
        "paint on the 1st floor",
        "on the 32nd",
    ],
)
def test_what_is_no_date(text: str) -> None:
    line = read_line(text, NOW)
    assert (line.title, line.due_on, line.due_at) == (text, None, None)


def test_the_end_of_a_short_month() -> None:
    line = take_apart("in 1 month", datetime(2027, 1, 31, 12, tzinfo=BERLIN))
    assert str(line.due_on) == "2027-02-28"


def _due(day: str, clock: str = "23:59") -> str:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=BERLIN).isoformat()


def _on(day: str) -> dict[str, str]:
    return {"due_on": day, "due_zone": "Europe/Berlin"}


def _at(day: str, clock: str) -> dict[str, str]:
    return {"due_at": _due(day, clock), "due_zone": "Europe/Berlin"}


ADDS: list[tuple[str, str, dict[str, Any]]] = [
    ("add buy milk tomorrow", "buy milk", {**_on("2026-11-26")}),
    ("Add a task: buy milk", "buy milk", {}),
    ("please add buy milk to my list", "buy milk", {}),
    ("Hey, can you create a new task called “Buy milk”?", "Buy milk", {}),
    ("remind me to call mum on friday at 5pm", "call mum", {**_at("2026-11-27", "17:00")}),
    ("I need to buy bread", "buy bread", {}),
    ("todo: water the plants #home #garden", "water the plants", {"tags": ["home", "garden"]}),
    ("add pay rent !high", "pay rent", {"priority": "high"}),
    ("add pay rent with high priority by 2026-12-01", "pay rent", {"priority": "high", **_on("2026-12-01")}),
    ("add pay rent priority low", "pay rent", {"priority": "low"}),
    ("add urgent pay rent", "pay rent", {"priority": "high"}),
    ("add pay rent p1", "pay rent", {"priority": "high"}),
    ("add pay rent p2", "pay rent", {"priority": "medium"}),
    ("add pay rent p3", "pay rent", {"priority": "low"}),
    ("add pay rent !!!", "pay rent", {"priority": "high"}),
    ("add pay rent !!", "pay rent", {"priority": "medium"}),
    ("add pay rent !", "pay rent", {"priority": "low"}),
    ("add pay rent normal priority", "pay rent", {"priority": "medium"}),
    ("add Größe prüfen 🥛 morgen", "Größe prüfen 🥛 morgen", {}),
    ("make a new task call mum", "call mum", {}),
    ("schedule dentist tomorrow", "dentist", {**_on("2026-11-26")}),
    ("add tomorrow", "", {**_on("2026-11-26")}),
    ("add buy milk tomorrow at 5pm", "buy milk", {**_at("2026-11-26", "17:00")}),
    ("remind me tomorrow to call mum", "call mum", {**_on("2026-11-26")}),
    ("don’t let me forget to call mum please", "call mum", {}),
    ("add read “the first man” tomorrow", "read “the first man”", {**_on("2026-11-26")}),
    ("add task", "", {}),
    ("new", "", {}),
]
CHANGES: list[tuple[str, Action, str, dict[str, Any]]] = [
    ("mark milk done", Action.COMPLETE, "milk", {}),
    ("mark the task buy milk as completed", Action.COMPLETE, "buy milk", {}),
    ("complete buy milk", Action.COMPLETE, "buy milk", {}),
    ("I'm done with buy milk", Action.COMPLETE, "buy milk", {}),
    ("I have finished the report.", Action.COMPLETE, "report", {}),
    ("milk is done!", Action.COMPLETE, "milk", {}),
    ("check off milk", Action.COMPLETE, "milk", {}),
    ("reopen milk", Action.REOPEN, "milk", {}),
    ("mark milk as not done", Action.REOPEN, "milk", {}),
    ("delete milk", Action.DELETE, "milk", {}),
    ("Please remove my task “buy milk”", Action.DELETE, "buy milk", {}),
    ("get rid of milk", Action.DELETE, "milk", {}),
    ("rename milk to oat milk", Action.UPDATE, "milk", {"title": "oat milk"}),
    ("move milk to friday", Action.UPDATE, "milk", {**_on("2026-11-27")}),
    ("reschedule milk to 2026-12-01 at 10:00", Action.UPDATE, "milk", {**_at("2026-12-01", "10:00")}),
    ("set the priority of milk to high", Action.UPDATE, "milk", {"priority": "high"}),
    ("make milk low priority", Action.UPDATE, "milk", {"priority": "low"}),
    ("tag milk with #home", Action.UPDATE, "milk", {"tags": ["home"]}),
    ("postpone milk until next week", Action.UPDATE, "milk", {**_on("2026-11-30")}),
    ("remove the due date from milk", Action.UPDATE, "milk", {"due_at": None}),
    ("add #home to milk", Action.UPDATE, "milk", {"tags": ["home"]}),
    ("tag milk as home", Action.UPDATE, "milk", {"tags": ["home"]}),
    ("change milk to oat milk", Action.UPDATE, "milk", {"title": "oat milk"}),
    ("change the name of the milk task to oat milk", Action.UPDATE, "milk", {"title": "oat milk"}),
    ("postpone milk", Action.UPDATE, "milk", {}),
    ("mark the milk task as done please", Action.COMPLETE, "milk", {}),
    ("finished milk", Action.COMPLETE, "milk", {}),
    ("unmark milk", Action.REOPEN, "milk", {}),
    ("cancel milk", Action.DELETE, "milk", {}),
    ("delete", Action.DELETE, "", {}),
    ("done", Action.COMPLETE, "", {}),
    ("delete everything", Action.BULK, "", {}),
    ("mark all my tasks as done", Action.BULK, "", {}),
    ("remove the completed tasks", Action.BULK, "", {}),
    ("delete all hands meeting", Action.DELETE, "all hands meeting", {}),
    ("did you add milk?", Action.UNKNOWN, "", {}),
    ("never mind", Action.DECLINE, "", {}),
    ("no thanks", Action.DECLINE, "", {}),
    ("hi there!", Action.HELP, "", {}),
    ("thank you", Action.HELP, "", {}),
    ("change the world", Action.UNKNOWN, "", {}),
    ("buy milk tomorrow", Action.UNKNOWN, "", {}),
    ("lorem ipsum", Action.UNKNOWN, "", {}),
    ("hi", Action.HELP, "", {}),
    ("What can you do?", Action.HELP, "", {}),
    ("?", Action.HELP, "", {}),
    ("yes please", Action.AGREE, "", {}),
]
OPEN = {"status": "open", "limit": 20}
LISTS: list[tuple[str, dict[str, Any]]] = [
    ("what is open?", OPEN),
    ("What's still open?", OPEN),
    ("list", OPEN),
    ("show my tasks", OPEN),
    ("do I have anything to do?", OPEN),
    ("show all tasks", {"limit": 20}),
    ("what is done?", {**OPEN, "status": "completed"}),
    ("show completed tasks", {**OPEN, "status": "completed"}),
    ("show #home", {**OPEN, "tag": "home"}),
    ("show high priority tasks", {**OPEN, "priority": "high"}),
    ("find milk", {**OPEN, "q": "milk"}),
    ("search for oat milk", {**OPEN, "q": "oat milk"}),
    (
        "what is due tomorrow?",
        {**OPEN, "sort": "due_at", "due_after": _due("2026-11-26", "00:00"), "due_before": _due("2026-11-27", "00:00")},
    ),
    (
        "what is due this week?",
        {**OPEN, "sort": "due_at", "due_after": _due("2026-11-23", "00:00"), "due_before": _due("2026-11-30", "00:00")},
    ),
    (
        "what is due next week?",
        {**OPEN, "sort": "due_at", "due_after": _due("2026-11-30", "00:00"), "due_before": _due("2026-12-07", "00:00")},
    ),
    (
        "today",
        {**OPEN, "sort": "due_at", "due_after": _due("2026-11-25", "00:00"), "due_before": _due("2026-11-26", "00:00")},
    ),
    ("what is due before friday?", {**OPEN, "sort": "due_at", "due_before": _due("2026-11-27", "00:00")}),
    ("what is due by friday?", {**OPEN, "sort": "due_at", "due_before": _due("2026-11-28", "00:00")}),
    ("is anything overdue?", {**OPEN, "sort": "due_at", "due_before": NOW.isoformat()}),
    ("show tasks tagged home", {**OPEN, "tag": "home"}),
    ("where is milk?", {**OPEN, "q": "milk"}),
    ("is milk done?", {**OPEN, "status": "completed", "q": "milk"}),
    ("what did I finish?", {**OPEN, "status": "completed"}),
    (
        "what did I finish today?",
        {
            **OPEN,
            "status": "completed",
            "completed_after": _due("2026-11-25", "00:00"),
            "completed_before": _due("2026-11-26", "00:00"),
        },
    ),
    (
        "what did I complete this week?",
        {
            **OPEN,
            "status": "completed",
            "completed_after": _due("2026-11-23", "00:00"),
            "completed_before": _due("2026-11-30", "00:00"),
        },
    ),
    ("what should I do first?", {**OPEN, "sort": "due_at", "limit": 5}),
    ("What should I start with next?", {**OPEN, "sort": "due_at", "limit": 5}),
    ("find first aid", {**OPEN, "q": "first aid"}),
    ("what is overdue?", {**OPEN, "sort": "due_at", "due_before": NOW.isoformat()}),
]


@pytest.mark.parametrize(("text", "title", "fields"), ADDS)
def test_adding(text: str, title: str, fields: dict[str, Any]) -> None:
    assert understand(text, NOW) == Command(Action.ADD, title, fields)


@pytest.mark.parametrize(("text", "action", "target", "fields"), CHANGES)
def test_changing(text: str, action: Action, target: str, fields: dict[str, Any]) -> None:
    assert understand(text, NOW) == Command(action, target, fields)


@pytest.mark.parametrize(("text", "filters"), LISTS)
def test_listing(text: str, filters: dict[str, Any]) -> None:
    assert understand(text, NOW) == Command(Action.LIST, fields=filters)


@pytest.mark.parametrize(
    ("text", "choice"), [("2", 2), ("the second one", 2), ("number 3", 3), ("#1.", 1), ("first", 1)]
)
def test_choosing(text: str, choice: int) -> None:
    assert understand(text, NOW) == Command(Action.CHOOSE, choice=choice)


WORDS = [
    "add",
    "delete",
    "move",
    "what",
    "mark",
    "remind",
    "me",
    "rename",
    "tag",
    "show",
    "all",
    "it",
    "milk",
    "the",
    "task",
    "to",
    "by",
    "in",
    "on",
    "at",
    "as",
    "of",
    "#",
    "#home",
    "!high",
    "!",
    "p1",
    "tomorrow",
    "next",
    "friday",
    "1st",
    "5pm",
    "99",
    "2",
    "days",
    "hours",
    "week",
    "end",
    "done",
    "high",
    "due",
    "date",
    "“",
    "”",
    ":",
    ".",
    "?",
    "2026-02-30",
    "ä",
    "🥛",
]


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=200) | st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_any_text_is_understood_somehow(text: str) -> None:
    assert isinstance(understand(text, NOW), Command)


def test_a_long_text_takes_no_time() -> None:
    for text in ("mark " * 800, "a" * 4000, "in " * 1300, "1 " * 2000, "set the due date of " * 200):
        assert isinstance(understand(text, NOW), Command)


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
