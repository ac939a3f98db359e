"""The table of tasks."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import DateTime

from src.core.database import Base


class TaskRow(Base):
    """One thing to do."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_user_id_created_at", "user_id", "created_at", "id"),
        Index(
            "ix_tasks_search",
            "user_id",
            "title",
            "description",
            postgresql_using="gin",
            postgresql_ops={"title": "gin_trgm_ops", "description": "gin_trgm_ops"},
        ),
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
