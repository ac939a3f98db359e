"""Deletions that the assistant proposes: stored, for one user, once, for a few minutes."""

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from src.chat.models import Confirmation, Message
from src.chat.schemas import ConfirmationOut, ConfirmationStatus, Role
from src.core.errors import ErrorCode, ProblemError
from src.tasks import service as tasks
from src.tasks.schemas import Task

LIFETIME = timedelta(minutes=10)


async def propose_deletion(
    session: AsyncSession, user_id: uuid.UUID, conversation_id: uuid.UUID, task: Task
) -> ConfirmationOut:
    """Store the proposal; an open one for the same task in this conversation is replaced."""
    await session.execute(
        delete(Confirmation).where(
            Confirmation.conversation_id == conversation_id,
            Confirmation.task_id == task.id,
            Confirmation.outcome.is_(None),
        )
    )
    row = Confirmation(
        user_id=user_id,
        conversation_id=conversation_id,
        task_id=task.id,
        task_title=task.title,
        task_version=task.version,
        expires_at=datetime.now(UTC) + LIFETIME,
    )
    session.add(row)
    await session.flush()
    return confirmation_out(row)


async def confirm(session: AsyncSession, user_id: uuid.UUID, confirmation_id: uuid.UUID) -> ConfirmationOut:
    """Do what was proposed, or, if the task has changed since, propose it anew: then it is still pending.

    Raises ProblemError: CONFIRMATION_NOT_FOUND (another user's too), CONFIRMATION_RESOLVED, CONFIRMATION_EXPIRED, or
    TASK_NOT_FOUND if the task has gone in the meantime.
    """
    row = await _open(session, user_id, confirmation_id)
    asked_about = None if row.task_version is None else (row.task_version,)
    try:
        await tasks.delete_task(session, user_id, row.task_id, asked_about)
    except tasks.TaskChangedError as error:
        row.task_title = error.task.title
        row.task_version = error.task.version
        row.expires_at = datetime.now(UTC) + LIFETIME
        await session.flush()
        return confirmation_out(row)
    return await _resolve(session, row, ConfirmationStatus.CONFIRMED, f"Deleted “{row.task_title}”.")


async def cancel(session: AsyncSession, user_id: uuid.UUID, confirmation_id: uuid.UUID) -> ConfirmationOut:
    """Drop what was proposed. Raises ProblemError as `confirm` does."""
    row = await _open(session, user_id, confirmation_id)
    return await _resolve(session, row, ConfirmationStatus.CANCELLED, f"Kept “{row.task_title}”.")


async def read_confirmation(session: AsyncSession, user_id: uuid.UUID, confirmation_id: uuid.UUID) -> ConfirmationOut:
    """The user's confirmation. Raises ProblemError(CONFIRMATION_NOT_FOUND), for another user's too."""
    return confirmation_out(await _get(session, user_id, confirmation_id))


async def _get(session: AsyncSession, user_id: uuid.UUID, confirmation_id: uuid.UUID) -> Confirmation:
    # The lock makes it single-use: a second request waits here and then finds the outcome.
    row = await session.scalar(
        select(Confirmation)
        .where(Confirmation.id == confirmation_id, Confirmation.user_id == user_id)
        .with_for_update()
    )
    if row is None:
        raise ProblemError(ErrorCode.CONFIRMATION_NOT_FOUND, "There is no such confirmation.")
    return row


async def _open(session: AsyncSession, user_id: uuid.UUID, confirmation_id: uuid.UUID) -> Confirmation:
    row = await _get(session, user_id, confirmation_id)
    status = confirmation_out(row).status
    if status is ConfirmationStatus.EXPIRED:
        raise ProblemError(ErrorCode.CONFIRMATION_EXPIRED, "The confirmation has expired. Ask the assistant again.")
    if status is not ConfirmationStatus.PENDING:
        raise ProblemError(ErrorCode.CONFIRMATION_RESOLVED, f"The confirmation is already {status}.")
    return row


async def _resolve(session: AsyncSession, row: Confirmation, status: ConfirmationStatus, words: str) -> ConfirmationOut:
    row.outcome = status
    row.resolved_at = datetime.now(UTC)
    # In the conversation, so that the assistant knows too.
    session.add(Message(conversation_id=row.conversation_id, role=Role.ASSISTANT, content=words, tool_calls=[]))
    await session.flush()
    return confirmation_out(row)


def confirmation_out(row: Confirmation) -> ConfirmationOut:
    """The confirmation as clients see it."""
    status = ConfirmationStatus.PENDING if row.expires_at > datetime.now(UTC) else ConfirmationStatus.EXPIRED
    if row.outcome is not None:
        status = ConfirmationStatus(row.outcome)
    return ConfirmationOut(
        id=row.id, task_id=row.task_id, task_title=row.task_title, status=status, expires_at=row.expires_at
    )
