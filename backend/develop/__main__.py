"""`python -m develop`: serve the code below --code, which begins as that of the image."""

import argparse
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from develop.supervisor import BACKLOG, Supervisor
from develop.tree import Tree


def main(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser("python -m develop", description="Serve the API while it is worked on.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--code", type=Path, required=True, help="folder that changes are written to")
    parser.add_argument("--control", type=Path, required=True, help="socket that changes come from")
    given = parser.parse_args(arguments)
    sys.dont_write_bytecode = True
    tree = Tree(given.code)
    tree.begin(Path.cwd() / "src")
    listener = socket.create_server((given.host, given.port), backlog=BACKLOG)
    given.control.unlink(missing_ok=True)
    control = socket.socket(socket.AF_UNIX)
    control.bind(os.fspath(given.control))
    control.listen()
    Supervisor(tree, listener, control).run()


if __name__ == "__main__":
    main(sys.argv[1:])
