"""Answers kept for requests that are sent again."""

import uuid
from datetime import datetime

from sqlalchemy import JSON, ForeignKey, LargeBinary, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import DateTime

from src.core.database import Base


class IdempotencyKey(Base):
    """A request that its client may send again, and the answer that it then gets again."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    request: Mapped[bytes] = mapped_column(LargeBinary)
    """Digest of what was asked for."""
    status: Mapped[int | None] = mapped_column(SmallInteger)
    """None while the answer is being made."""
    headers: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    body: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
