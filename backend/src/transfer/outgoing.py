"""Exports: read in batches, each within the time that the database is given."""

import uuid
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from sqlalchemy import select

from src.auth.schemas import ApiTokenOut, SessionInfo, UserOut
from src.chat.models import Conversation, Message
from src.chat.store import message_out, summary_out
from src.core.database import Database
from src.tasks.schemas import Task
from src.tasks.service import TASK_COLUMNS, TASKS
from src.transfer import table
from src.transfer.schemas import ExportedConversation, ExportedTask, ExportFile

BATCH = 500


async def tasks(database: Database, user_id: uuid.UUID) -> AsyncGenerator[list[ExportedTask]]:
    """All tasks, those in the trash too."""
    after = uuid.UUID(int=0)
    while True:
        page = (
            select(*TASK_COLUMNS)
            .where(TASKS.c.user_id == user_id, TASKS.c.id > after)
            .order_by(TASKS.c.id)
            .limit(BATCH)
        )
        async with database.connection() as connection:
            rows = (await connection.execute(page)).all()
        yield [ExportedTask(**dict(Task.of(row)), deleted_at=row.deleted_at) for row in rows]
        if len(rows) < BATCH:
            return
        after = rows[-1].id


async def conversations(database: Database, user_id: uuid.UUID) -> AsyncGenerator[ExportedConversation]:
    """All conversations, one after another."""
    after = uuid.UUID(int=0)
    mine = select(Conversation).where(Conversation.user_id == user_id).order_by(Conversation.id).limit(1)
    while True:
        async with database.session() as session:
            found = await session.scalar(mine.where(Conversation.id > after))
            if found is None:
                return
            said = select(Message).where(Message.conversation_id == found.id).order_by(Message.id)
            messages = [message_out(row) for row in await session.scalars(said)]
        yield ExportedConversation(**dict(summary_out(found)), messages=messages)
        after = found.id


async def as_json(
    database: Database, user: UserOut, sessions: list[SessionInfo], tokens: list[ApiTokenOut]
) -> AsyncGenerator[str]:
    """An `ExportFile`, piece by piece."""
    empty = ExportFile(
        exported_at=datetime.now(UTC), account=user, sessions=sessions, tokens=tokens, tasks=[], conversations=[]
    )
    yield empty.model_dump_json(exclude={"tasks", "conversations"})[:-1] + ',"tasks":['
    comma = ""
    async for batch in tasks(database, user.id):
        for task in batch:
            yield comma + task.model_dump_json()
            comma = ","
    yield '],"conversations":['
    comma = ""
    async for conversation in conversations(database, user.id):
        yield comma + conversation.model_dump_json()
        comma = ","
    yield "]}"


async def as_csv(database: Database, user: UserOut) -> AsyncGenerator[str]:
    """The tasks as a table."""
    header = True
    async for batch in tasks(database, user.id):
        yield table.write(batch, header=header)
        header = False
