"""Tasks as a table for spreadsheets: CSV, one task a row."""

import csv
import io
import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from src.transfer.schemas import ExportedTask, ImportFile

COLUMNS = (
    "id", "title", "description", "completed", "completed_at", "priority", "due_at", "due_on", "due_zone", "tags",
    "created_at", "updated_at", "deleted_at",
)  # fmt: skip

# A spreadsheet takes what begins so for a formula.
_FORMULA = re.compile(r"'*[=+\-@]")
_PROTECTED = re.compile(r"'+[=+\-@]")
_BOOLEANS = {"true": True, "false": False}
_NAMESPACE = uuid.UUID("6f2c1a52-6a7e-4a50-8d5c-0f3d6b1f9a10")


def write(tasks: Sequence[ExportedTask], *, header: bool = False) -> str:
    """Rows for tasks; tags are separated by commas."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    if header:
        writer.writerow(COLUMNS)
    for task in tasks:
        values = task.model_dump(mode="json") | {"tags": ",".join(task.tags)}
        writer.writerow([_protect(values[name]) for name in COLUMNS])
    return buffer.getvalue()


def _protect(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def read(body: bytes) -> ImportFile:
    """What is in a table. Of the columns only `title` is needed; others than those of an export are left out.

    Raises ValueError for what is none, and pydantic's ValidationError for rows that are no tasks.
    """
    text = body.decode("utf-8-sig")
    first = text.partition("\n")[0]
    # Where the comma stands in numbers, spreadsheets write semicolons.
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",")
    try:
        if "title" not in (rows.fieldnames or ()):
            raise ValueError("the first row must name the columns, `title` among them")
        tasks = [_task(number, row) for number, row in enumerate(rows)]
    except csv.Error as error:
        raise ValueError(f"is no CSV: {error}") from None
    return ImportFile.model_validate({"format": "todo", "version": 1, "tasks": tasks})


def _task(number: int, row: dict[str, Any]) -> dict[str, Any]:
    given = {name: (row.get(name) or "").strip() for name in COLUMNS}
    task: dict[str, Any] = {name: value[1:] if _PROTECTED.match(value) else value for name, value in given.items()}
    # The same table again has the same tasks in it.
    task["id"] = task["id"] or str(uuid.uuid5(_NAMESPACE, f"{number} {sorted(given.items())}"))
    task["created_at"] = task["created_at"] or datetime.now(UTC).isoformat()
    task["tags"] = [tag for tag in task["tags"].split(",") if tag.strip()]
    task["priority"] = task["priority"].lower()
    task["completed"] = _BOOLEANS.get(task["completed"].lower(), task["completed"])
    return {name: value for name, value in task.items() if value not in ("", [])} | {"title": task["title"]}
