"""What routes ask FastAPI for."""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

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


async def get_session(request: Request, database: DatabaseDep) -> AsyncIterator[AsyncSession]:
    """One transaction for the whole route, committed before the answer is sent; GET only reads and needs none."""
    async with database.session(autocommit=request.method == "GET") as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session, scope="function")]
