"""The log of changes, kept for as long as a window may have lost its connection."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, String, func
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import DateTime

from src.core.database import Base


class Change(Base):
    """A change of a task, written by a trigger of its table, which also notifies the channel `changes`."""

    __tablename__ = "changes"
    __table_args__ = (Index("ix_changes_user_id_id", "user_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    """Changes of one user commit in this order."""
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    """created, updated, deleted or restored."""
    task_id: Mapped[uuid.UUID]
    version: Mapped[int]
    """The task's, after the change."""
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)
