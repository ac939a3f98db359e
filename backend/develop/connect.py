"""`python -m develop.connect SOCKET`: leads standard input and output to the supervisor in the same container."""

import contextlib
import os
import socket
import sys
import threading

CHUNK = 1 << 16


def main(path: str) -> None:
    """Relay until one side ends."""
    control = socket.socket(socket.AF_UNIX)
    control.connect(path)

    def send() -> None:
        with contextlib.suppress(OSError):
            while data := os.read(0, CHUNK):
                control.sendall(data)
            control.shutdown(socket.SHUT_RDWR)

    threading.Thread(target=send, daemon=True).start()
    with contextlib.suppress(OSError):
        while data := control.recv(CHUNK):
            while data:
                data = data[os.write(1, data) :]


if __name__ == "__main__":
    main(sys.argv[1])
