"""Request and response bodies of /api/auth."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import email_validator
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from src.core.types import ONE_LINE, VISIBLE, Input, Output

# Mail may go nowhere but a private network: its addresses (me@home.local) are as good as any.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def _email(value: str) -> str:
    try:
        valid = email_validator.validate_email(value.strip(), check_deliverability=False, globally_deliverable=False)
    except email_validator.EmailNotValidError as error:
        raise ValueError(str(error)) from None
    return valid.normalized.lower()


Email = Annotated[
    str,
    AfterValidator(_email),
    Field(max_length=254, json_schema_extra={"format": "email"}, examples=["ada@example.com"]),
]


def _text(value: SecretStr) -> SecretStr:
    try:
        value.get_secret_value().encode()
    except UnicodeEncodeError:  # JSON can hold half a character
        raise ValueError("must be valid text") from None
    return value


Password = Annotated[
    SecretStr, Field(min_length=8, max_length=128, examples=["correct horse battery"]), AfterValidator(_text)
]


class Credentials(BaseModel):
    """An e-mail address (upper and lower case are the same) and a password."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    password: Password


class AccountDeletion(BaseModel):
    """Proof that the person at the keyboard owns the account."""

    model_config = ConfigDict(extra="forbid")

    password: Password


class UserOut(Output):
    """An account as its owner sees it."""

    id: UUID
    email: str
    created_at: datetime


class SessionOut(Output):
    """A login: the same token is in the `session` cookie."""

    access_token: str = Field(description="JWT for `Authorization: Bearer …`, for clients without cookies.")
    token_type: Literal["bearer"] = "bearer"
    expires_at: datetime
    user: UserOut


class PasswordChange(BaseModel):
    """Another password, and proof that the person at the keyboard owns the account."""

    model_config = ConfigDict(extra="forbid")

    password: Annotated[Password, Field(description="The one so far.")]
    new_password: Password


class PasswordReset(BaseModel):
    """A new password, and the code that allows it."""

    model_config = ConfigDict(extra="forbid")

    email: Email
    code: Annotated[
        SecretStr,
        Field(min_length=16, max_length=40, examples=["7KQ2-M0XD-94RB-TZ3A"], description="In any case."),
        AfterValidator(_text),
    ]
    password: Password


class ResetMail(BaseModel):
    """Where to send a code."""

    model_config = ConfigDict(extra="forbid")

    email: Email


class ResetOptions(Output):
    """How one gets a code: always from who runs this."""

    mail: bool = Field(description="Whether also by mail.")


class SessionInfo(Output):
    """A login, as its owner sees it."""

    id: UUID
    device: str = Field(description="What the browser called itself (`User-Agent`); may be empty.")
    created_at: datetime
    last_used_at: datetime = Field(description="To a few minutes.")
    expires_at: datetime
    current: bool = Field(description="Whether it is the one of this request.")


class SessionList(Output):
    """All sessions of an account, what was used last first."""

    items: list[SessionInfo]


class Scope(StrEnum):
    """What an API token may: `read` is GET alone, `write` everything but the account itself."""

    READ = "read"
    WRITE = "write"


class ApiTokenNew(Input):
    """An API token to make."""

    name: Annotated[str, Field(min_length=1, max_length=100, examples=["Backup of my tasks"]), ONE_LINE, VISIBLE]
    scope: Scope = Scope.READ


class ApiTokenOut(Output):
    """An API token, without what it is."""

    id: UUID
    name: str
    scope: Scope
    created_at: datetime
    last_used_at: datetime | None = Field(description="To a few minutes; null before the first use.")


class ApiTokenCreated(ApiTokenOut):
    """A new API token."""

    token: str = Field(description="For `Authorization: Bearer …`. Never shown again.")


class ApiTokenList(Output):
    """All API tokens of an account, the newest first."""

    items: list[ApiTokenOut]
