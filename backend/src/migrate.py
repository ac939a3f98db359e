"""`python -m src.migrate`: bring the database's schema to what this code needs.

Runs before every start. Waits for a database that is still starting; several may run at once, and code that is older
than the schema has nothing to do. Ends with 0, or with 1 (database) or 2 (configuration) and one line on stderr.
"""

import argparse
import logging
import sys
import time
from collections.abc import Sequence

import psycopg

from src.core.logging import configure_logging, reason
from src.core.schema_version import REQUIRED_REVISION, is_current
from src.core.settings import DatabaseSettings, load_settings, stop

logger = logging.getLogger("src.migrate")

WAIT_SECONDS = 60.0
"""How long a database may take to start."""

CONNECT_SECONDS = 5

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
        pause = min(pause * 2, 1)


def read_revision(connection: psycopg.Connection) -> str | None:
    """The revision of the database's schema, or None before the first migration."""
    with connection.transaction():
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


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
    try:
        with raw:
            found = read_revision(raw)
            if is_current(found):
                logger.info("the schema is current", extra={"revision": found, "needed": REQUIRED_REVISION})
                return
            # Not at the top: most starts find the schema current, and are a second faster without.
            from src.core.migrations import MigrationError, upgrade

            try:
                upgrade(raw)
            except MigrationError as error:
                stop(f"migration failed, nothing was changed: {error}", 1)
    except psycopg.Error as error:
        stop(f"migration failed, nothing was changed: {reason(error)}", 1)


if __name__ == "__main__":
    main(sys.argv[1:])
