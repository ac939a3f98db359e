"""Python runs this at the start of a process that has `support.PATIENT` in its environment."""

from src.core import database

FACTOR = 10
"""As in tests/conftest.py."""

for _name in ("SESSION", "STATEMENT", "LOCK", "IDLE", "START", "QUEUE"):
    setattr(database, f"{_name}_SECONDS", FACTOR * getattr(database, f"{_name}_SECONDS"))
