"""One column of words to search in, tags among them; each order of a list has an index, and a time that breaks ties.

The table is written anew while requests to it wait: seconds for a hundred thousand tasks.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

# Joining an array counts as stable, as it may call whatever its type is written by. Texts are written by nothing.
TASK_WORDS = r"""
CREATE FUNCTION task_words(title text, description text, tags text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN lower(title || E'\n' || description || E'\n#' || array_to_string(tags, E'\n#'))
"""

INDEXES = {
    "ix_tasks_created": "created_at",
    "ix_tasks_due": "coalesce(due_at, 'infinity'::timestamptz), created_at",
    "ix_tasks_due_desc": "coalesce(due_at, '-infinity'::timestamptz), created_at",
    "ix_tasks_priority": "priority, created_at",
    "ix_tasks_title": "lower(title), created_at",
}


def _has_extensions() -> bool:
    known = sa.text("SELECT count(*) FROM pg_extension WHERE extname IN ('pg_trgm', 'btree_gin')")
    return bool(op.get_bind().scalar(known) == 2)


def upgrade() -> None:
    op.execute(TASK_WORDS)
    op.drop_index("ix_tasks_search", table_name="tasks", if_exists=True)
    op.drop_index("ix_tasks_user_id_created_at", table_name="tasks")
    op.execute(
        "ALTER TABLE tasks ADD COLUMN words text NOT NULL"
        " GENERATED ALWAYS AS (task_words(title, description, tags)) STORED"
    )
    # Which tags are rare is known only where enough of them are counted.
    op.execute("ALTER TABLE tasks ALTER COLUMN tags SET STATISTICS 1000")
    for name, columns in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON tasks (user_id, {columns}, id) WHERE deleted_at IS NULL")
    # Without extensions the words have no index: see 0002.
    if _has_extensions():
        op.execute("CREATE INDEX ix_tasks_words ON tasks USING gin (user_id, words gin_trgm_ops)")


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, table_name="tasks")
    op.execute("ALTER TABLE tasks ALTER COLUMN tags SET STATISTICS -1")
    op.drop_column("tasks", "words")  # and its index
    op.execute("DROP FUNCTION task_words")
    op.create_index("ix_tasks_user_id_created_at", "tasks", ["user_id", "created_at", "id"])
    if _has_extensions():
        op.execute(
            "CREATE INDEX ix_tasks_search ON tasks USING gin (user_id, title gin_trgm_ops, description gin_trgm_ops)"
        )
