"""Routes of /api/auth/reset: a new password in place of a forgotten one."""

from typing import Annotated, cast

from fastapi import APIRouter, BackgroundTasks, Depends, Request, status

from src.auth import resets
from src.auth.guard import account_digest, guess, limit_login, logged
from src.auth.schemas import PasswordReset, ResetMail, ResetOptions
from src.core.dependencies import DatabaseDep, SettingsDep
from src.core.errors import ErrorCode, ProblemError, responses
from src.core.mail import Mailer
from src.core.ratelimit import spend

MAILS_A_MINUTE = 2
"""How many an account gets, however many ask."""

router = APIRouter(prefix="/api/auth/reset", tags=["auth"])


async def _get_mailer(request: Request) -> Mailer | None:
    return cast(Mailer | None, request.app.state.mailer)


MailerDep = Annotated[Mailer | None, Depends(_get_mailer)]


@router.get("", operation_id="resetOptions")
async def reset_options(mailer: MailerDep) -> ResetOptions:
    """How one gets a code."""
    return ResetOptions(mail=mailer is not None)


@router.post(
    "/mail",
    operation_id="mailResetCode",
    status_code=status.HTTP_202_ACCEPTED,
    dependencies=[Depends(limit_login)],
    responses=responses(ErrorCode.MAIL_NOT_CONFIGURED, ErrorCode.RATE_LIMITED),
)
async def mail_code(
    body: ResetMail, mailer: MailerDep, database: DatabaseDep, background: BackgroundTasks
) -> ResetOptions:
    """Have a code sent to an address, if there is an account with it: the answer is the same if there is none."""
    if mailer is None:
        raise ProblemError(ErrorCode.MAIL_NOT_CONFIGURED, "No mail is sent here. Ask who runs this for a code.")
    await spend(database, f"mail:{account_digest(body.email)}", MAILS_A_MINUTE)
    # After the answer: whether there is an account is not to be seen by the time that it takes.
    background.add_task(resets.mail_code, database, mailer, body.email)
    return ResetOptions(mail=True)


@router.post(
    "",
    operation_id="resetPassword",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[Depends(limit_login)],
    responses=responses(
        ErrorCode.INVALID_RESET_CODE, ErrorCode.WEAK_PASSWORD, ErrorCode.VALIDATION_FAILED, ErrorCode.RATE_LIMITED
    ),
)
async def reset_password(request: Request, body: PasswordReset, database: DatabaseDep, settings: SettingsDep) -> None:
    """Set a new password in place of a forgotten one, with a code that works once.

    Ends all sessions, and revokes all API tokens.
    """
    code, new = body.code.get_secret_value(), body.password.get_secret_value()
    async with logged(request, "reset password", body.email), guess(request, database, settings, body.email):
        await resets.reset(database, body.email, code, new)
