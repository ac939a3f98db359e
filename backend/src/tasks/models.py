"""The table of tasks."""

import uuid
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    TextClause,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import DateTime

from src.core.database import Base


def _order(name: str, *keys: TextClause) -> Index:
    """For one order of a list: first and further pages are read from it, and counted."""
    listed = text("deleted_at IS NULL")
    return Index(f"ix_tasks_{name}", text("user_id"), *keys, text("id"), postgresql_where=listed)


class TaskRow(Base):
    """One thing to do."""

    __tablename__ = "tasks"
    __table_args__ = (
        _order("created", text("created_at")),
        _order("due", text("coalesce(due_at, 'infinity'::timestamptz)"), text("created_at")),
        _order("due_desc", text("coalesce(due_at, '-infinity'::timestamptz)"), text("created_at")),
        _order("priority", text("priority"), text("created_at")),
        _order("title", text("lower(title)"), text("created_at")),
        Index("ix_tasks_words", "user_id", "words", postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"}),
        Index("ix_tasks_user_id_tags", "user_id", "tags", postgresql_using="gin"),
        Index("ix_tasks_trash", "user_id", "deleted_at", "id", postgresql_where=text("deleted_at IS NOT NULL")),
        Index("ix_tasks_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        CheckConstraint("priority BETWEEN 1 AND 3", name="priority"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(String(2000))
    priority: Mapped[int] = mapped_column(SmallInteger)
    """1 low, 2 medium, 3 high."""
    tags: Mapped[list[str]] = mapped_column(ARRAY(String(50)))
    words: Mapped[str] = mapped_column(Text, Computed("task_words(title, description, tags)"), deferred=True)
    """What is searched in: all of the task's words in lower case, each tag behind a `#`."""
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """With `due_on`: the last minute of that day, in `due_zone`."""
    due_on: Mapped[date | None]
    """The day, where the whole of it is meant."""
    due_zone: Mapped[str | None] = mapped_column(String(64))
    """Where the day or the time was meant."""
    completed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """None while the task is open."""
    deleted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """Since when it has been in the trash."""
    version: Mapped[int] = mapped_column(server_default="1")
    """Raised with each change, by the database itself."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )
