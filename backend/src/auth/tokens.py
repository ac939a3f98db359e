"""Signed tokens: JWTs that name a user and a session, or a device that an account knows."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

ISSUER = "todo-backend"
AUDIENCE = "todo"
DEVICE_AUDIENCE = "todo-device"
ALGORITHM = "HS256"


@dataclass(frozen=True)
class TokenClaims:
    """What a valid token says."""

    user_id: uuid.UUID
    session_id: uuid.UUID


def issue_token(claims: TokenClaims, expires_at: datetime, secret: str) -> str:
    """Sign a token."""
    return _sign(AUDIENCE, str(claims.user_id), claims.session_id, expires_at, secret)


def read_token(token: str, secret: str) -> TokenClaims | None:
    """The claims of a token, or None if it is not one of ours or has expired."""
    try:
        payload = _verify(AUDIENCE, token, secret)
        return TokenClaims(uuid.UUID(payload["sub"]), uuid.UUID(payload["jti"]))
    except (jwt.InvalidTokenError, ValueError):
        return None


def issue_device_token(account: str, device_id: uuid.UUID, lifetime: timedelta, secret: str) -> str:
    """Sign that somebody has logged in to an account on a device."""
    return _sign(DEVICE_AUDIENCE, account, device_id, datetime.now(UTC) + lifetime, secret)


def read_device_token(token: str, account: str, secret: str) -> uuid.UUID | None:
    """The device of a token for this account, or None if it is none of ours, of another account or expired."""
    try:
        payload = _verify(DEVICE_AUDIENCE, token, secret)
        return uuid.UUID(payload["jti"]) if payload["sub"] == account else None
    except (jwt.InvalidTokenError, ValueError):
        return None


def _sign(audience: str, subject: str, token_id: uuid.UUID, expires_at: datetime, secret: str) -> str:
    payload = {
        "iss": ISSUER,
        "aud": audience,
        "sub": subject,
        "jti": str(token_id),
        "iat": datetime.now(UTC),
        "exp": expires_at,
    }
    return jwt.encode(payload, secret, ALGORITHM)


def _verify(audience: str, token: str, secret: str) -> dict[str, Any]:
    return jwt.decode(
        token,
        secret,
        algorithms=[ALGORITHM],
        issuer=ISSUER,
        audience=audience,
        # Another replica's clock may be a moment ahead: what it has just issued counts.
        options={"require": ["iss", "aud", "sub", "jti", "iat", "exp"], "verify_iat": False},
    )
