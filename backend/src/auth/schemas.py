"""Request and response bodies of /api/auth."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import email_validator
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from src.core.types import Output

# No mail is ever sent, so addresses of private networks (me@home.local) are as good as any.
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
