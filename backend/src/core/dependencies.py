"""What routes ask FastAPI for."""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from src.core.database import Database
from src.core.settings import Settings


async def get_database(request: Request) -> Database:
    """The application's database."""
    return cast(Database, request.app.state.database)


async def get_settings(request: Request) -> Settings:
    """The application's settings."""
    return cast(Settings, request.app.state.settings)


DatabaseDep = Annotated[Database, Depends(get_database)]
SettingsDep = Annotated[Settings, Depends(get_settings)]


async def get_connection(database: DatabaseDep) -> AsyncIterator[AsyncConnection]:
    """A connection on which every statement is a transaction for itself."""
    async with database.connection() as connection:
        yield connection


async def get_transaction(database: DatabaseDep) -> AsyncIterator[AsyncSession]:
    """One transaction for the whole route, for those with several statements that belong together."""
    async with database.session() as session:
        yield session


# Both end before the answer is sent: nothing is told that is not committed.
ConnectionDep = Annotated[AsyncConnection, Depends(get_connection, scope="function")]
TransactionDep = Annotated[AsyncSession, Depends(get_transaction, scope="function")]
