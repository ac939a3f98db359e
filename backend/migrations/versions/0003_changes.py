"""Versions of tasks, a trash, due days; a log of changes, and answers kept for repeated requests."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# In the database, so that a change by whatever version of the code counts.
RAISE_VERSION = """
CREATE FUNCTION raise_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END $$;
CREATE TRIGGER raise_version BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION raise_version();
"""

# The lock lets the changes of one user commit in the order of their ids: who has read up to an id has missed none.
LOG_CHANGE = """
CREATE FUNCTION log_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    what text := 'updated';
BEGIN
    IF TG_OP = 'INSERT' THEN
        what := 'created';
    ELSIF OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL THEN
        what := 'deleted';
    ELSIF OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL THEN
        what := 'restored';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(NEW.user_id::text, 0));
    INSERT INTO changes (user_id, kind, task_id, version) VALUES (NEW.user_id, what, NEW.id, NEW.version);
    PERFORM pg_notify('changes', NEW.user_id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER log_change AFTER INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION log_change();
"""


def upgrade() -> None:
    op.add_column("tasks", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("tasks", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tasks", sa.Column("due_on", sa.Date(), nullable=True))
    op.add_column("tasks", sa.Column("due_zone", sa.String(length=64), nullable=True))
    op.create_index(
        "ix_tasks_trash",
        "tasks",
        ["user_id", "deleted_at", "id"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index("ix_tasks_deleted_at", "tasks", ["deleted_at"], postgresql_where=sa.text("deleted_at IS NOT NULL"))
    op.add_column("confirmations", sa.Column("task_version", sa.Integer(), nullable=True))
    op.create_index(op.f("ix_confirmations_expires_at"), "confirmations", ["expires_at"])
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"])
    op.create_table(
        "changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_changes_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
    )
    op.create_index("ix_changes_user_id_id", "changes", ["user_id", "id"])
    op.create_index(op.f("ix_changes_created_at"), "changes", ["created_at"])
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_idempotency_keys_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_expires_at"), "idempotency_keys", ["expires_at"])
    op.execute(RAISE_VERSION)
    op.execute(LOG_CHANGE)


def downgrade() -> None:
    op.execute("DROP TRIGGER log_change ON tasks")
    op.execute("DROP FUNCTION log_change")
    op.execute("DROP TRIGGER raise_version ON tasks")
    op.execute("DROP FUNCTION raise_version")
    op.drop_table("idempotency_keys")
    op.drop_table("changes")
    op.drop_index(op.f("ix_sessions_expires_at"), table_name="sessions")
    op.drop_index(op.f("ix_confirmations_expires_at"), table_name="confirmations")
    op.drop_column("confirmations", "task_version")
    # What lies in the trash would be back in the lists.
    op.execute("DELETE FROM tasks WHERE deleted_at IS NOT NULL")
    op.drop_index("ix_tasks_deleted_at", table_name="tasks")
    op.drop_index("ix_tasks_trash", table_name="tasks")
    for name in ("due_zone", "due_on", "deleted_at", "version"):
        op.drop_column("tasks", name)
