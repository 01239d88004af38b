"""A server as users start it, in a process of its own."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

COMMAND: Final = (sys.executable, "-c", "from headway.cli import main; main()", "server")


class Started:
    """A server in a process of its own.

    Args:
        root: Its folder.
        options: More options of the command.
        token: One that another server over the same database gave; empty to sign in.
    """

    def __init__(self, root: Path, *options: str, token: str = "") -> None:
        self.root = root
        self.log = root.with_name("server.log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "--json", "--port", "0", "--root", str(root), *options],
                stdout=subprocess.PIPE,
                stderr=log,
                env=dict(os.environ),
            )
        assert self.process.stdout is not None
        started: dict[str, str | None] = json.loads(self.process.stdout.readline())
        self.url = started["url"] or ""
        self.link = started["link"] or ""
        self.port = urlsplit(self.url).port or 0
        self.token = token or self._sign_in()

    def _sign_in(self) -> str:
        login = json.dumps({"code": self.link.partition("?code=")[2]}).encode()
        status, body = self.send(b"POST /api/v1/login HTTP/1.1", login)
        assert status == 200
        secret: str = json.loads(body)["secret"]
        return secret

    def send(self, line: bytes, body: bytes = b"", *headers: bytes) -> tuple[int, bytes]:
        """One request with a body of known length."""
        return self.stream(line, [body], b"Content-Length: %d" % len(body), *headers)

    def stream(self, line: bytes, parts: list[bytes], *headers: bytes) -> tuple[int, bytes]:
        """One request, its body in parts, until the server has heard enough."""
        head = b"\r\n".join([line, b"Host: localhost", *headers, b"", b""])
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            try:
                connection.sendall(head)
                for part in parts:
                    connection.sendall(part)
            except ConnectionError:  # it has answered already
                pass
            response = HTTPResponse(connection)
            try:
                response.begin()
                return response.status, response.read()
            except ConnectionError:  # the answer was lost among what it did not want to hear
                return 0, b""

    def memory_bytes(self, field: str) -> int:
        """What the process uses (VmRSS), or used at most (VmHWM)."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith(field))

    def forget_peak(self) -> None:
        """Count the most memory from now on."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


@contextmanager
def started(root: Path, *options: str, token: str = "") -> Generator[Started]:
    """A server for the while of a block, which is then told to stop, and does."""
    made = Started(root, *options, token=token)
    try:
        yield made
    finally:
        made.process.terminate()
        assert made.process.wait(20) == 0
        assert made.process.stdout is not None
        made.process.stdout.close()
