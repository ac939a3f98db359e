"""`python -m src.openapi` prints the OpenAPI document, for backend/openapi.json."""

import json

from pydantic import SecretStr

from src.app import create_app
from src.core.docs import build_openapi
from src.core.settings import Settings


def document() -> str:
    """The document as it is checked in."""
    # The document depends on no setting, and nothing is connected to.
    settings = Settings.model_construct(
        database_url=SecretStr("postgresql://nowhere/none"),
        jwt_secret=SecretStr(""),
        trusted_origins=(),
        trusted_proxies=(),
    )
    return json.dumps(build_openapi(create_app(settings)), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(document(), end="")
