"""A ``headway server`` of the benchmark's own, removed with all that it was given."""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.peers.headway.server import ROOT, TOKEN

_PATIENCE_S: Final = 30.0


class Served(NamedTuple):
    """A server that answers."""

    url: str
    process: subprocess.Popen[bytes]
    folder: Path

    def token(self) -> str:
        """What its administrator gives with each request."""
        return (self.folder / TOKEN).read_text()

    @property
    def default_workspace(self) -> Path:
        """The folder of its workspace ``default``."""
        return self.folder / ROOT / "workspaces" / "default"


@contextmanager
def server(database: str = "") -> Generator[Served, None, None]:
    """Start one over SQLite, or over the PostgreSQL of this URL; kill it in the end.

    Raises:
        RuntimeError: It does not answer.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="headway-bench-") as folder:
        command = [sys.executable, "-m", "benchmarks.peers.headway.server", folder, str(port)]
        command += [database] if database else []
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                _wait_until_served(process, port)
                yield Served(f"http://127.0.0.1:{port}", process, Path(folder))
            finally:
                process.kill()


def _wait_until_served(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server does not answer")
