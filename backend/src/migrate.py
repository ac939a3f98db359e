"""`python -m src.migrate`: bring the database's schema to what this code needs.

Runs before every start. Waits for a database that is still starting; several may run at once, and code that is older
than the schema has nothing to do. Ends with 0, or with 1 (database) or 2 (configuration) and one line on stderr.
"""

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from src.core.database import reason
from src.core.logging import configure_logging
from src.core.schema_version import REQUIRED_REVISION, is_current
from src.core.settings import DatabaseSettings, load_settings, stop

logger = logging.getLogger("src.migrate")

WAIT_SECONDS = 60.0
"""How long a database may take to start."""

CONNECT_SECONDS = 5

# A number that nothing else in this database locks.
LOCK = 7_236_140_051

# What libpq says when waiting will not help.
_HOPELESS = ("authentication failed", "does not exist", "permission denied", "no pg_hba.conf entry", "not supported")


def connect(url: str, wait_seconds: float) -> psycopg.Connection:
    """Connect, trying again for up to `wait_seconds`. Raises psycopg.OperationalError."""
    deadline = time.monotonic() + wait_seconds
    pause = 0.25
    while True:
        try:
            return psycopg.connect(url, connect_timeout=CONNECT_SECONDS)
        except psycopg.OperationalError as error:
            if any(words in str(error) for words in _HOPELESS) or time.monotonic() + pause > deadline:
                raise
            logger.info("waiting for the database", extra={"reason": reason(error)})
        time.sleep(pause)
        pause = min(pause * 2, 4)


def upgrade(connection: Connection) -> None:
    """Run the missing migrations in one transaction, alone; others wait and then find nothing to do."""
    with connection.begin():
        # Of the transaction, not of the session: that also holds behind a pooler such as Neon's.
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        found = MigrationContext.configure(connection).get_current_revision()
        if is_current(found):
            logger.info("the schema is current", extra={"revision": found, "needed": REQUIRED_REVISION})
            return
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        logger.info("migrated", extra={"from": found, "to": REQUIRED_REVISION})


def main(arguments: Sequence[str] = ()) -> None:
    """Migrate, or end the process. `--wait SECONDS` is how long the database may take to start."""
    parser = argparse.ArgumentParser("python -m src.migrate", description="Bring the schema to what this code needs.")
    parser.add_argument("--wait", type=float, default=WAIT_SECONDS, metavar="SECONDS", help="for the database to start")
    wait_seconds = parser.parse_args(arguments).wait
    settings = load_settings(DatabaseSettings)
    configure_logging(settings.log_level)
    try:
        raw = connect(settings.database_url.get_secret_value(), wait_seconds)
    except psycopg.OperationalError as error:
        stop(f"migration failed: DATABASE_URL: {reason(error)}", 1)
    engine = create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=StaticPool)
    try:
        with engine.connect() as connection:
            upgrade(connection)
    except (SQLAlchemyError, psycopg.Error) as error:
        stop(f"migration failed, nothing was changed: {reason(error)}", 1)
    finally:
        engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1:])
