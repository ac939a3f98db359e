"""`python -m src.serve`: the application over HTTP, with the bounds of src.core.protocol.

uvicorn's command line has no way to name a protocol of one's own.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

import uvicorn

from src.core.protocol import BoundedProtocol

KEEP_ALIVE_SECONDS = 120
"""Idle connections outlive the ingress's own limit (90 s), so that it never sends on one that is being closed."""

OPTIONS: dict[str, Any] = {
    "http": BoundedProtocol,
    "timeout_keep_alive": KEEP_ALIVE_SECONDS,
    "server_header": False,
    # What proxies say of clients is the application's to judge: TRUSTED_PROXIES.
    "proxy_headers": False,
}
"""What uvicorn is told wherever the application is served."""


def main(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM; then running requests, streams too, have UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN seconds."""
    parser = argparse.ArgumentParser("python -m src.serve", description="Serve the API.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    grace = os.environ.get("UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN", "25")
    parser.add_argument("--grace", type=int, default=grace, metavar="SECONDS", help="for requests that run at the end")
    given = parser.parse_args(arguments)
    uvicorn.run(
        "src.main:app",
        host=given.host,
        port=given.port,
        timeout_graceful_shutdown=given.grace,
        **OPTIONS,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
