"""Indexes for searching tasks by words and by tag.

They are built while requests to the table wait: seconds for a hundred thousand tasks.
"""

import logging

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

logger = logging.getLogger("migrations.search")

# Trigrams for words; and for the user, whose type such an index does not know by itself.
EXTENSIONS = ("pg_trgm", "btree_gin")


def _extend() -> bool:
    """Whether the database has the extensions now. They are trusted: its owner may create them, others may not."""
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            for name in EXTENSIONS:
                connection.execute(sa.text(f"CREATE EXTENSION IF NOT EXISTS {name}"))
    except sa.exc.DBAPIError as error:
        logger.warning(
            "searching tasks stays slow: an owner of the database has to create extensions, see backend/README.md",
            extra={"reason": str(error.orig).splitlines()[0], "extensions": EXTENSIONS},
        )
        return False
    return True


def upgrade() -> None:
    if not _extend():
        return
    op.create_index(
        "ix_tasks_search",
        "tasks",
        ["user_id", "title", "description"],
        postgresql_using="gin",
        postgresql_ops={"title": "gin_trgm_ops", "description": "gin_trgm_ops"},
    )
    op.create_index("ix_tasks_user_id_tags", "tasks", ["user_id", "tags"], postgresql_using="gin")


def downgrade() -> None:
    # The extensions stay: they may have been there before, and others may use them.
    op.drop_index("ix_tasks_user_id_tags", table_name="tasks", if_exists=True)
    op.drop_index("ix_tasks_search", table_name="tasks", if_exists=True)
