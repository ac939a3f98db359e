"""Session tokens: JWTs that name a user and a session."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import jwt

ISSUER = "todo-backend"
AUDIENCE = "todo"
ALGORITHM = "HS256"


@dataclass(frozen=True)
class TokenClaims:
    """What a valid token says."""

    user_id: uuid.UUID
    session_id: uuid.UUID


def issue_token(claims: TokenClaims, expires_at: datetime, secret: str) -> str:
    """Sign a token."""
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(claims.user_id),
        "jti": str(claims.session_id),
        "iat": datetime.now(UTC),
        "exp": expires_at,
    }
    return jwt.encode(payload, secret, ALGORITHM)


def read_token(token: str, secret: str) -> TokenClaims | None:
    """The claims of a token, or None if it is not one of ours or has expired."""
    try:
        payload = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            # Another replica's clock may be a moment ahead: what it has just issued counts.
            options={"require": ["iss", "aud", "sub", "jti", "iat", "exp"], "verify_iat": False},
        )
        return TokenClaims(uuid.UUID(payload["sub"]), uuid.UUID(payload["jti"]))
    except (jwt.InvalidTokenError, ValueError):
        return None
