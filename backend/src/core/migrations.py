"""Running the migrations that a database lacks. Loading this takes long: only where there is one to run."""

import logging
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from src.core.logging import reason
from src.core.schema_version import REQUIRED_REVISION, is_current

logger = logging.getLogger(__name__)

# A number that nothing else in this database locks.
LOCK = 7_236_140_051


# Bounds on the server: a process that was killed leaves nothing running. Waiting for other migrations takes as long as
# they do. Whoever waits for a lock on a table makes all requests to it wait behind, so that this wait is short.
STATEMENT_LIMITS = "SET LOCAL statement_timeout = '10min'; SET LOCAL idle_in_transaction_session_timeout = '1min'"
LOCK_LIMIT = "SET LOCAL lock_timeout = '1s'"


class MigrationError(Exception):
    """The migrations did not run; nothing was changed."""


def upgrade(raw: psycopg.Connection) -> None:
    """Run the missing migrations in one transaction, alone; others wait and then find nothing to do."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=StaticPool)
    try:
        with engine.connect() as connection, connection.begin():
            # Of the transaction, not of the session: that also holds behind a pooler such as Neon's.
            connection.execute(text(STATEMENT_LIMITS))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
            connection.execute(text(LOCK_LIMIT))
            found = MigrationContext.configure(connection).get_current_revision()
            if is_current(found):
                logger.info("the schema is current", extra={"revision": found, "needed": REQUIRED_REVISION})
                return
            config = Config()
            config.set_main_option("script_location", str(Path(__file__).parents[2] / "migrations"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            logger.info("migrated", extra={"from": found, "to": REQUIRED_REVISION})
    except (SQLAlchemyError, psycopg.Error) as error:
        raise MigrationError(reason(error)) from error
    finally:
        engine.dispose()
