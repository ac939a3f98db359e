"""Plain commands, understood with rules: what the offline assistant makes of a sentence."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from src.grammar.dates import find_due
from src.grammar.task import take_apart
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
    DECLINE = "decline"
    BULK = "bulk"
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
    untag: str = ""
    """With UPDATE: the tag to remove."""
    choice: int = 0
    """With CHOOSE: which one of the tasks that were offered, from 1."""


_ORDINALS = ("first", "second", "third", "fourth", "fifth")
_URGENT = re.compile(r"\b(?:urgent(?:ly)?|important)\b", re.IGNORECASE)
_POLITE = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay|so)\b[ ,!]*)?(?:please\s+|can you\s+|could you\s+|would you\s+|i want you to\s+)*",
    re.IGNORECASE,
)
_POLITE_END = re.compile(r"(?<=\S)[ ,]+(?:please|thanks|thank you)(?=[.!?]*$)", re.IGNORECASE)


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^(?:{pattern})[.!?]*$", re.IGNORECASE | re.DOTALL)


_THE = r"(?:the\s+|my\s+)?(?:task\s+|todo\s+|to-do\s+)?(?:called\s+|named\s+)?"
_CHOOSE = _rule(rf"(?:the\s+|number\s+|no\.?\s*|#)?(?P<number>\d{{1,2}}|{'|'.join(_ORDINALS)})(?:\s+one)?")
_AGREE = _rule(r"(?:yes|yep|yeah|sure|ok|okay|please do|do it|yes,? please)")
_DECLINE = _rule(r"(?:no|nope|nah|no,? thanks?(?: you)?|never ?mind|cancel|forget it|not now|stop)")
_HELP = _rule(
    r"(?:help(?: me)?|\?|(?:hi|hello|hey)(?: there)?|good (?:morning|afternoon|evening|day)|thanks(?: a lot)?|thank you"
    r"|what can (?:you|i) (?:do|say)|who are you|how does this work)"
)
# A verb and nothing that it could be done to.
_BARE = _rule(
    r"(?:(?P<add>add|create|new|remind me)|(?P<complete>complete|finish|mark|tick|done)|(?P<delete>delete|remove)"
    r"|(?P<update>rename|move|reschedule|postpone|change|update))(?:\s+(?:(?:an?|the|my)\s+)?(?:new\s+)?(?:task|todo|reminder))?"
)
_ALL = re.compile(
    r"(?:all|every|everything|them)(?:\s+(?:of|my|the|open|done|completed|finished|overdue|old|them|tasks?|todos?|ones|all))*"
    r"|(?:open|done|completed|finished|overdue|old)\s+(?:tasks|todos|ones)",
    re.IGNORECASE,
)
_RENAME = _rule(rf"(?:rename|retitle)\s+{_THE}(?P<target>.+?)\s+(?:to|as|into)\s+(?P<title>.+)")
_REOPEN = _rule(
    rf"(?:re-?open|uncheck|untick|unmark|uncomplete|restore|undo)\s+{_THE}(?P<a>.+)"
    rf"|mark\s+{_THE}(?P<b>.+?)\s+(?:as\s+)?(?:open|undone|not done|incomplete|unfinished)"
)
_COMPLETE = _rule(
    rf"(?:mark|set)\s+{_THE}(?P<a>.+?)\s+(?:as\s+|to\s+)?(?:done|complete|completed|finished)"
    rf"|(?:complete|finish|check off|tick off|tick|close)\s+{_THE}(?P<b>.+)"
    rf"|(?:i(?:'m|\s+am)?\s+)?done with\s+{_THE}(?P<c>.+)"
    rf"|(?:i(?:\s+have|'ve)?\s+)?(?:already\s+)?(?:did(?!\s+(?:you|i)\b)|done|finished|completed)\s+{_THE}(?P<d>.+)"
    rf"|{_THE}(?P<e>.+?)\s+is\s+(?:done|complete|completed|finished)"
)
_DELETE = _rule(rf"(?:delete|remove|drop|erase|cancel|get rid of|throw away)\s+{_THE}(?P<a>.+)")
_TAG_NAME = r"(?:tag\s+#?|#)(?P<tag>[\w-]{1,50})"
_CLEAR_DATE = _rule(
    rf"(?:remove|clear|delete|drop|unset)\s+(?:the\s+)?(?:due\s+date|date|deadline)\s+(?:of|from|on|for)\s+{_THE}(?P<target>.+)"
)
_UNTAG = _rule(rf"(?:remove|drop|delete)\s+(?:the\s+)?{_TAG_NAME}\s+(?:from|of|on)\s+{_THE}(?P<target>.+)")
_PUT_TAG = _rule(rf"(?:add|put|set)\s+(?:the\s+)?{_TAG_NAME}\s+(?:to|on)\s+{_THE}(?P<target>.+)")
_TAG_AS = _rule(rf"tag\s+{_THE}(?P<target>.+?)\s+(?:as\s+|with\s+)?(?P<tag>[\w-]{{1,50}})")
_MOVE = _rule(rf"(?:move|reschedule|postpone|snooze)\s+{_THE}(?P<target>.+?)(?:\s+(?:to|by|back|for|until)\b.*)?")
_CHANGE_TITLE = _rule(
    rf"change\s+(?:the\s+)?(?:(?:title|name)\s+of\s+)?{_THE}(?P<target>.+?)\s+(?:to|into)\s+(?P<title>.+)"
)
_LIST = _rule(
    r"(?:list|show|display|find|search|look for|what|what's|whats|which|where|when|how many|is|are|am i|do i|anything|"
    r"tasks|my tasks|todos|my todos|open|overdue|agenda)\b.*|today|tomorrow|(?:this|next) week"
)
_MAKE = _rule(
    rf"(?:move|reschedule|postpone|change|update|set|make(?!\s+(?:an?|new)\s)|tag|push|snooze)\s+"
    rf"(?:the\s+)?(?:(?:due date|date|priority)\s+of\s+)?{_THE}(?P<target>.+)"
)
_ADD = _rule(
    r"(?:add|create|new|make|put|note|schedule)\s+(?:(?:me|us)\s+)?(?:a\s+|an\s+|the\s+)?(?:new\s+)?"
    r"(?:(?:task|todo|to-do|reminder|item)\s*(?:to|for|called|named|:)?\s+)?(?P<a>.+)"
    r"|(?:remind me|remember|don't forget|dont forget|don't let me forget)\s+(?:to\s+|about\s+)?(?P<b>.+)"
    r"|(?:i\s+)?(?:need|have|want|ought)\s+to\s+(?P<c>.+)"
    r"|(?:todo|task|to-do)\s*:\s*(?P<d>.+)"
)
_QUOTES = "\"'“”‘’«»`"


def understand(text: str, now: datetime) -> Command:
    """What a sentence asks for; UNKNOWN if no rule fits. `now` is in the user's time zone."""
    plain = " ".join(text.split()).replace("’", "'")
    sentence = _POLITE_END.sub("", _POLITE.sub("", plain)) or plain
    if match := _CHOOSE.match(sentence):
        word = match["number"].lower()
        return Command(Action.CHOOSE, choice=int(word) if word.isdigit() else _ORDINALS.index(word) + 1)
    if _AGREE.match(sentence):
        return Command(Action.AGREE)
    if _DECLINE.match(plain):
        return Command(Action.DECLINE)
    if _HELP.match(plain) or _HELP.match(sentence):
        return Command(Action.HELP)
    if match := _BARE.match(sentence):
        return Command(Action(str(match.lastgroup)))
    if _LIST.match(sentence):
        return _list(sentence, now)
    command = _update(sentence, now) or _do(sentence)
    if command is not None:
        return Command(Action.BULK) if _ALL.fullmatch(command.target) else command
    if match := _ADD.match(sentence):
        return _add(_first(match), now)
    return Command(Action.UNKNOWN)


def _do(sentence: str) -> Command | None:
    for pattern, action in ((_REOPEN, Action.REOPEN), (_COMPLETE, Action.COMPLETE), (_DELETE, Action.DELETE)):
        if match := pattern.match(sentence):
            return Command(action, _target(_first(match)))
    return None


def _update(sentence: str, now: datetime) -> Command | None:
    if match := _RENAME.match(sentence):
        return Command(Action.UPDATE, _target(match["target"]), {"title": _words(match["title"])})
    if match := _CLEAR_DATE.match(sentence):
        return Command(Action.UPDATE, _target(match["target"]), {"due_at": None})
    if match := _UNTAG.match(sentence):
        return Command(Action.UPDATE, _target(match["target"]), untag=match["tag"].lower())
    if match := _PUT_TAG.match(sentence):
        return Command(Action.UPDATE, _target(match["target"]), {"tags": [match["tag"]]})
    if _REOPEN.match(sentence) or _COMPLETE.match(sentence):
        return None  # "mark" and "set" may be either
    if (match := _MAKE.match(sentence)) and (command := _change(match["target"], now)).fields:
        return command
    if match := _TAG_AS.match(sentence):
        return Command(Action.UPDATE, _target(match["target"]), {"tags": [match["tag"]]})
    if match := _CHANGE_TITLE.match(sentence):
        return Command(Action.UPDATE, _target(match["target"]), {"title": _words(match["title"])})
    if match := _MOVE.match(sentence):
        return Command(Action.UPDATE, _target(match["target"]))
    return None


def _first(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _words(text: str) -> str:
    text = text.strip(" .,;:?!")
    if len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
        text = text[1:-1].strip()
    return text


def _target(text: str) -> str:
    return re.sub(r"\s+(?:task|todo|to-do)$", "", _words(text), flags=re.IGNORECASE)


def _take_fields(text: str, now: datetime) -> Command:
    """Take tags, priority and date out of a text: the rest is the target."""
    line = take_apart(text, now)
    fields: dict[str, Any] = {}
    if line.tags:
        fields["tags"] = line.tags
    if line.priority:
        fields["priority"] = line.priority
    if line.due_at:
        fields["due_at"] = line.due_at.isoformat()
    elif line.due_on:
        fields["due_on"] = line.due_on.isoformat()
    if line.due_at or line.due_on:
        fields["due_zone"] = str(now.tzinfo)
    target = line.title
    if "priority" not in fields and _URGENT.search(target):
        fields["priority"] = Priority.HIGH
        target = " ".join(_URGENT.sub(" ", target, count=1).split())
    return Command(Action.UNKNOWN, target, fields)


def _add(text: str, now: datetime) -> Command:
    taken = _take_fields(text, now)
    title = re.sub(r"\s+(?:to|on|in)\s+(?:my|the)\s+(?:list|tasks|todos|to-do list)$", "", taken.target, flags=re.I)
    # "remind me tomorrow to call mum"
    title = re.sub(r"^(?:to|about)\s+", "", title, flags=re.IGNORECASE)
    return Command(Action.ADD, _words(title), taken.fields)


def _change(text: str, now: datetime) -> Command:
    if match := re.search(r"\s+(?:to\s+)?(?P<level>high|medium|normal|low)$", text, re.IGNORECASE):
        text = f"{text[: match.start()]} {match['level']} priority"
    taken = _take_fields(text, now)
    words = re.sub(r"(?:^|\s+)(?:to|as|with|till|until|at|from)$", "", taken.target, flags=re.IGNORECASE)
    return replace(taken, action=Action.UPDATE, target=_target(words))


_NOISE = re.compile(
    r"\b(?:list|show|display|find|search|look|for|what|what's|whats|which|do|does|i|have|how|many|me|my|all|the|of|are|"
    r"is|there|still|left|on|in|tasks?|todos?|to-dos?|to-do|open|items?|things?|to|done|completed?|finished|due|overdue|"
    r"late|with|tagged|tag|about|containing|and|any|anything|today's|agenda|need|must|should|s|week|this|priority|next|"
    r"coming|upcoming|everything|currently|now|up|where|when|am|did|finish|before|by|until|most|today|tomorrow)\b|[?!.,:'’]",
    re.IGNORECASE,
)


_ADVICE = re.compile(r"\b(?:do|start|begin|tackle)(?:\s+with)?\s+(?:first|next|now)\b", re.IGNORECASE)


def _list(sentence: str, now: datetime) -> Command:
    if _ADVICE.search(sentence):
        advice = _list(_ADVICE.sub(" ", sentence), now)
        return replace(advice, fields={**advice.fields, "sort": "due_at", "limit": 5})
    lower = sentence.lower()
    filters: dict[str, Any] = {"status": "open", "limit": 20}
    if re.search(r"\b(?:done|completed?|finish(?:ed)?)\b", lower):
        filters["status"] = "completed"
    elif re.search(r"\b(?:all|everything)\b", lower):
        del filters["status"]
    when = "completed" if filters.get("status") == "completed" else "due"
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    text = re.sub(r"\b(?:tagged(?:\s+with)?|with\s+(?:the\s+)?tag)\s+#?(?=\w)", "#", sentence, flags=re.IGNORECASE)
    if re.search(r"\b(?:overdue|late)\b", lower):
        filters["due_before"] = now.isoformat()
    elif re.search(r"\b(?:this|next) week\b", lower):
        start = midnight - timedelta(now.weekday()) + timedelta(7 if "next week" in lower else 0)
        filters |= {f"{when}_after": start.isoformat(), f"{when}_before": (start + timedelta(7)).isoformat()}
    elif due := find_due(text, now):
        day = datetime.combine(due.day, time(), now.tzinfo)
        end = day if re.search(r"\bbefore\b", lower) else day + timedelta(1)
        filters[f"{when}_before"] = end.isoformat()
        if not re.search(r"\b(?:before|by|until)\b", lower):
            filters[f"{when}_after"] = day.isoformat()
    if "due_before" in filters:
        filters["sort"] = "due_at"
    taken = _take_fields(text, now)
    if "tags" in taken.fields:
        filters["tag"] = taken.fields["tags"][0]
    if "priority" in taken.fields:
        filters["priority"] = taken.fields["priority"]
    if words := " ".join(_NOISE.sub(" ", taken.target).split()).strip(_QUOTES):
        filters["q"] = words
    return Command(Action.LIST, fields=filters)
