"""`python -m src.reset`: for who runs this, a code with which the owner of an account sets a new password.

The address comes on stdin and the code goes to stdout: neither is in a list of processes. Ends with 0, or with 1 or 2
(configuration) and one line on stderr.
"""

import asyncio
import sys

from pydantic import TypeAdapter, ValidationError

from src.auth.resets import make_code
from src.auth.schemas import Email
from src.core.database import Database
from src.core.errors import ProblemError
from src.core.settings import DatabaseSettings, load_settings, stop


async def _make(url: str, email: str) -> str | None:
    database = Database(url)
    try:
        return await make_code(database, email)
    finally:
        await database.close()


def main() -> None:
    """Print a code, or end the process."""
    settings = load_settings(DatabaseSettings)
    given = sys.stdin.readline().strip()
    try:
        email = TypeAdapter(Email).validate_python(given)
    except ValidationError:
        stop("that is no e-mail address", 1)
    try:
        code = asyncio.run(_make(settings.database_url.get_secret_value(), email))
    except ProblemError as error:
        stop(error.detail, 1)
    if code is None:
        stop("there is no account with this e-mail address", 1)
    print(code)


if __name__ == "__main__":
    main()
