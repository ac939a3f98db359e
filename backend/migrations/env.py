"""Alembic's environment: migrations run on the connection, and in the transaction, that src.migrate opened.

Outside of it, for `alembic revision --autogenerate` while developing, a connection to DATABASE_URL is made.
"""

from alembic import context
from sqlalchemy import Connection, create_engine

import src.auth.models
import src.chat.models
import src.core.idempotency
import src.core.ratelimit
import src.events.models
import src.tasks.models  # noqa: F401
from src.core.database import Base
from src.core.settings import DatabaseSettings, load_settings


def run(connection: Connection) -> None:
    """Run the migrations that were asked for."""
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=True)
    context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    url = load_settings(DatabaseSettings).database_url.get_secret_value()
    with create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1)).begin() as own:
        run(own)
