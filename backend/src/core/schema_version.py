"""Which database schema this code needs, and whether the database has it."""

REQUIRED_REVISION = "0005"
"""The newest migration that this code knows. Revisions are numbers, so that old code recognises a newer schema."""


def is_current(revision: str | None) -> bool:
    """Whether a schema at `revision` (None: no schema) has all that this code needs.

    A newer one has: migrations only add what the running version does not know (expand, then contract).
    """
    return revision is not None and int(revision) >= int(REQUIRED_REVISION)
