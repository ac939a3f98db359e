"""The process's configuration: read from the environment once, validated, or the process stops."""

import ipaddress
import sys
from typing import Annotated, Literal, NoReturn, TypeVar

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from src.core.mail import Mailer

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

# Words that people leave in place of a secret, however often they are repeated to reach a length.
DEFAULT_WORDS = ("changeme", "change-me", "secret", "password", "default", "example", "test", "jwt")


class DatabaseSettings(BaseSettings):
    """What the migration needs; the application needs more (see `Settings`)."""

    # hide_input_in_errors: a message must never carry the value, it may be a secret.
    model_config = SettingsConfigDict(env_ignore_empty=True, hide_input_in_errors=True)

    database_url: SecretStr
    """postgres://, postgresql:// or postgresql+psycopg:// with any libpq parameter (sslmode, channel_binding, …)."""

    log_level: LogLevel = "INFO"

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr) -> SecretStr:
        scheme, separator, rest = value.get_secret_value().strip().partition("://")
        if not separator or scheme not in ("postgres", "postgresql", "postgresql+psycopg"):
            raise ValueError("must begin with postgresql://")
        conninfo = f"postgresql://{rest}"
        try:
            parts = conninfo_to_dict(conninfo)
        except ProgrammingError as error:
            # libpq quotes the whole URL in some messages and a parameter's name in others.
            name = str(error).rpartition("query parameter:")[2].strip().strip('"')
            known = "query parameter:" in str(error) and name.isidentifier()
            raise ValueError(f"has the unknown parameter {name!r}" if known else "is not a valid URL") from None
        if not parts.get("host"):
            raise ValueError("names no host")
        if not parts.get("dbname"):
            raise ValueError("names no database")
        return SecretStr(conninfo)


class Settings(DatabaseSettings):
    """All settings of the application; each is the environment variable of the same name in capitals."""

    jwt_secret: SecretStr
    """Key of the session tokens (HS256): at least 32 bytes."""

    environment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")] = "development"
    """A name for this installation, shown by /health."""

    api_version: Annotated[str, Field(pattern=r"^v[0-9]{1,3}$")] = "v1"
    """Shown by /health."""

    openai_api_key: SecretStr | None = None
    """Without a key the built-in offline assistant answers."""

    openai_base_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")] = "https://api.openai.com/v1"
    openai_model: Annotated[str, Field(min_length=1, max_length=100)] = "gpt-5-mini"

    smtp_url: SecretStr | None = None
    """Sends codes for forgotten passwords: smtps://user:password@host:port?from=address. None: no mail is sent."""

    trusted_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Other origins whose pages may use the API with cookies (comma-separated, scheme://host[:port])."""

    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = ()
    """Networks of the proxies that tell a client's address and scheme (comma-separated, such as 10.0.0.0/8)."""

    session_hours: Annotated[int, Field(ge=1, le=24 * 90)] = 24 * 7
    """How long a login lasts, in hours."""

    session_idle_hours: Annotated[int, Field(ge=1, le=24 * 90)] = 24 * 3
    """How long a login lasts that is not used, in hours."""

    # Requests a minute, counted in the database and so for all replicas together. Each may be spent at once.
    rate_limit_register: Annotated[int, Field(ge=1, le=100_000)] = 60
    """Registrations a minute from one client address."""
    rate_limit_login: Annotated[int, Field(ge=1, le=100_000)] = 120
    """Logins a minute from one client address."""
    rate_limit_login_account: Annotated[int, Field(ge=1, le=100_000)] = 10
    """Wrong passwords a minute for one account from one network (IPv4 /24, IPv6 /64) or known device."""
    rate_limit_chat: Annotated[int, Field(ge=1, le=100_000)] = 30
    """Chat messages a minute of one user."""
    rate_limit_write: Annotated[int, Field(ge=1, le=100_000)] = 600
    """Tasks added, changed or deleted a minute by one user."""

    @field_validator("jwt_secret")
    @classmethod
    def _check_jwt_secret(cls, value: SecretStr) -> SecretStr:
        secret = value.get_secret_value()
        if len(secret.encode()) < 32:
            raise ValueError("must be at least 32 bytes long")
        left = secret.lower()
        for word in DEFAULT_WORDS:
            left = left.replace(word, "")
        if len(set(left)) < 8:
            raise ValueError("must be random, not a default word or a repeated character")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            Mailer(value.get_secret_value())
        return value

    @field_validator("trusted_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            scheme, _, host = origin.partition("://")
            if scheme not in ("http", "https") or not host or "/" in host or "*" in host:
                raise ValueError("must be a comma-separated list such as https://todo.example,http://localhost:3000")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return tuple(str(ipaddress.ip_network(part)) for part in value)
        except ValueError:
            raise ValueError("must be a comma-separated list such as 10.0.0.0/8,fc00::/7") from None


S = TypeVar("S", bound=DatabaseSettings)


def load_settings(kind: type[S]) -> S:
    """Read the settings; on a missing or bad one say which on stderr, one line, and exit with 2."""
    try:
        return kind()
    except ValidationError as error:
        problems = (f"{str(e['loc'][0]).upper()} {_message(e['type'], e['msg'])}" for e in error.errors())
        stop(f"configuration error: {'; '.join(problems)}", 2)


def stop(line: str, code: int) -> NoReturn:
    """End the process with one line on stderr."""
    print(line, file=sys.stderr, flush=True)
    raise SystemExit(code)


def _message(kind: str, message: str) -> str:
    if kind == "missing":
        return "is not set"
    return message.removeprefix("Value error, ").replace("Input should", "should").replace("String should", "should")
