"""Plain commands, understood with rules: what the offline assistant makes of a sentence."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from src.chat.dates import find_date
from src.tasks.schemas import Priority


class Action(StrEnum):
    """What the user wants done."""

    ADD = "add"
    LIST = "list"
    COMPLETE = "complete"
    REOPEN = "reopen"
    UPDATE = "update"
    DELETE = "delete"
    CHOOSE = "choose"
    AGREE = "agree"
    HELP = "help"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Command:
    """A sentence, understood."""

    action: Action
    target: str = ""
    """Words of the task that is meant; for ADD its title."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Arguments of the tool: fields of the task, or filters of the list."""
    choice: int = 0
    """With CHOOSE: which one of the tasks that were offered, from 1."""


_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_PRIORITY = re.compile(
    r"(?:\b(?:with\s+)?(?P<word>high|medium|normal|low|top)[ -](?:priority|prio)\b"
    r"|\b(?:priority|prio)\s*:?\s*(?P<after>high|medium|normal|low)\b"
    r"|(?<!\S)!(?P<bang>high|medium|low)\b|(?<!\S)(?P<marks>!{1,3})(?!\S)"
    r"|(?<!\S)p(?P<number>[123])(?!\S)|\b(?P<urgent>urgent(?:ly)?|important)\b)",
    re.IGNORECASE,
)
_TAG = re.compile(r"(?<!\S)#([\w-]{1,50})", re.UNICODE)
_POLITE = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|so)\b[ ,!]*)?(?:please\s+|can you\s+|could you\s+|would you\s+|i want you to\s+)*",
    re.IGNORECASE,
)


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^(?:{pattern})[.!?]*$", re.IGNORECASE | re.DOTALL)


_THE = r"(?:the\s+|my\s+)?(?:task\s+|todo\s+|to-do\s+)?(?:called\s+|named\s+)?"
_CHOOSE = _rule(rf"(?:the\s+|number\s+|no\.?\s*|#)?(?P<number>\d{{1,2}}|{'|'.join(_ORDINALS)})(?:\s+one)?")
_AGREE = _rule(r"(?:yes|yep|yeah|sure|ok|okay|please do|do it|yes,? please)")
_HELP = _rule(r"(?:help|\?|hi|hello|hey|thanks|thank you|what can (?:you|i) (?:do|say)|who are you|how does this work)")
_RENAME = _rule(rf"(?:rename|retitle)\s+{_THE}(?P<target>.+?)\s+(?:to|as|into)\s+(?P<title>.+)")
_REOPEN = _rule(
    rf"(?:re-?open|uncheck|untick|undo)\s+{_THE}(?P<a>.+)"
    rf"|mark\s+{_THE}(?P<b>.+?)\s+(?:as\s+)?(?:open|undone|not done|incomplete|unfinished)"
)
_COMPLETE = _rule(
    rf"(?:mark|set)\s+{_THE}(?P<a>.+?)\s+(?:as\s+|to\s+)?(?:done|complete|completed|finished)"
    rf"|(?:complete|finish|check off|tick off|tick|close)\s+{_THE}(?P<b>.+)"
    rf"|(?:i(?:'m|\s+am)?\s+)?done with\s+{_THE}(?P<c>.+)"
    rf"|i(?:\s+have|'ve)?\s+(?:already\s+)?(?:did|done|finished|completed)\s+{_THE}(?P<d>.+)"
    rf"|{_THE}(?P<e>.+?)\s+is\s+(?:done|complete|completed|finished)"
)
_DELETE = _rule(rf"(?:delete|remove|drop|erase|get rid of|throw away)\s+{_THE}(?P<a>.+)")
_LIST = _rule(
    r"(?:list|show|display|find|search|look for|what|what's|whats|which|do i have|how many|tasks|my tasks|todos|open|"
    r"overdue|agenda)\b.*"
)
_MAKE = _rule(
    rf"(?:move|reschedule|postpone|change|update|set|make(?!\s+(?:an?|new)\s)|tag|push|snooze)\s+"
    rf"(?:the\s+)?(?:(?:due date|date|priority)\s+of\s+)?{_THE}(?P<target>.+)"
)
_ADD = _rule(
    r"(?:add|create|new|make|put|note|schedule)\s+(?:(?:me|us)\s+)?(?:a\s+|an\s+|the\s+)?(?:new\s+)?"
    r"(?:(?:task|todo|to-do|reminder|item)\s*(?:to|for|called|named|:)?\s+)?(?P<a>.+)"
    r"|(?:remind me|remember|don't forget|dont forget)\s+(?:to\s+|about\s+)?(?P<b>.+)"
    r"|(?:i\s+)?(?:need|have|want|ought)\s+to\s+(?P<c>.+)"
    r"|(?:todo|task|to-do)\s*:\s*(?P<d>.+)"
)
_QUOTES = "\"'“”‘’«»`"


def understand(text: str, now: datetime) -> Command:
    """What a sentence asks for; UNKNOWN if no rule fits. `now` is in the user's time zone."""
    sentence = _POLITE.sub("", " ".join(text.split())) or text.strip()
    if match := _CHOOSE.match(sentence):
        word = match["number"].lower()
        return Command(Action.CHOOSE, choice=int(word) if word.isdigit() else _ORDINALS.index(word) + 1)
    if _AGREE.match(sentence):
        return Command(Action.AGREE)
    if _HELP.match(sentence):
        return Command(Action.HELP)
    if _LIST.match(sentence):
        return _list(sentence, now)
    if match := _RENAME.match(sentence):
        return Command(Action.UPDATE, _words(match["target"]), {"title": _words(match["title"])})
    for pattern, action in ((_REOPEN, Action.REOPEN), (_COMPLETE, Action.COMPLETE), (_DELETE, Action.DELETE)):
        if match := pattern.match(sentence):
            return Command(action, _words(_first(match)))
    if match := _MAKE.match(sentence):
        command = _change(match["target"], now)
        if command.fields:
            return command
    if match := _ADD.match(sentence):
        return _add(_first(match), now)
    return Command(Action.UNKNOWN)


def _first(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _words(text: str) -> str:
    return text.strip(f" .,;:?!{_QUOTES}")


def _take_fields(text: str, now: datetime) -> Command:
    """Take tags, priority and date out of a text: the rest is the target."""
    fields: dict[str, Any] = {}
    if tags := _TAG.findall(text):
        fields["tags"] = tags
        text = _TAG.sub(" ", text)
    if match := _PRIORITY.search(text):
        fields["priority"] = _priority(match)
        text = text[: match.start()] + " " + text[match.end() :]
    if found := find_date(text, now):
        fields["due_at"] = found.due_at.isoformat()
        text = found.rest
    return Command(Action.UNKNOWN, " ".join(text.split()), fields)


def _priority(match: re.Match[str]) -> Priority:
    if match["urgent"] or match["number"] == "1" or len(match["marks"] or "") == 3:
        return Priority.HIGH
    if match["number"]:
        return Priority.MEDIUM if match["number"] == "2" else Priority.LOW
    if match["marks"]:
        return Priority.MEDIUM if len(match["marks"]) == 2 else Priority.LOW
    word = (match["word"] or match["after"] or match["bang"]).lower()
    return {"top": Priority.HIGH, "normal": Priority.MEDIUM}.get(word) or Priority(word)


def _add(text: str, now: datetime) -> Command:
    taken = _take_fields(text, now)
    title = re.sub(r"\s+(?:to|on|in)\s+(?:my|the)\s+(?:list|tasks|todos|to-do list)$", "", taken.target, flags=re.I)
    return Command(Action.ADD, _words(title), taken.fields)


def _change(text: str, now: datetime) -> Command:
    if match := re.search(r"\s+(?:to\s+)?(?P<level>high|medium|normal|low)$", text, re.IGNORECASE):
        text = f"{text[: match.start()]} {match['level']} priority"
    taken = _take_fields(text, now)
    words = re.sub(r"(?:^|\s+)(?:to|as|with|till|until|at|from)$", "", taken.target, flags=re.IGNORECASE)
    return replace(taken, action=Action.UPDATE, target=_words(words))


_NOISE = re.compile(
    r"\b(?:list|show|display|find|search|look|for|what|what's|whats|which|do|does|i|have|how|many|me|my|all|the|of|are|"
    r"is|there|still|left|on|in|tasks?|todos?|to-dos?|to-do|open|items?|things?|to|done|completed|finished|due|overdue|"
    r"late|with|tagged|tag|about|containing|and|any|anything|today's|agenda|need|must|should|s|week|this|priority|next|"
    r"coming|upcoming|everything|currently|now|up)\b|[?!.,:'’]",
    re.IGNORECASE,
)


def _list(sentence: str, now: datetime) -> Command:
    lower = sentence.lower()
    filters: dict[str, Any] = {"status": "open", "limit": 20}
    if re.search(r"\b(?:done|completed|finished)\b", lower):
        filters["status"] = "completed"
    elif re.search(r"\b(?:all|everything)\b", lower):
        del filters["status"]
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    text = sentence
    if re.search(r"\b(?:overdue|late)\b", lower):
        filters |= {"due_before": now.isoformat(), "sort": "due_at"}
    elif re.search(r"\b(?:this|next) week\b", lower):
        start = midnight - timedelta(now.weekday()) + timedelta(7 if "next week" in lower else 0)
        filters |= {"due_after": start.isoformat(), "due_before": (start + timedelta(7)).isoformat(), "sort": "due_at"}
    elif found := find_date(sentence, now):
        day = found.due_at.replace(hour=0, minute=0)
        filters |= {"due_after": day.isoformat(), "due_before": (day + timedelta(1)).isoformat(), "sort": "due_at"}
        text = found.rest
    taken = _take_fields(text, now)
    if "tags" in taken.fields:
        filters["tag"] = taken.fields["tags"][0]
    if "priority" in taken.fields:
        filters["priority"] = taken.fields["priority"]
    if words := " ".join(_NOISE.sub(" ", taken.target).split()).strip(_QUOTES):
        filters["q"] = words
    return Command(Action.LIST, fields=filters)
