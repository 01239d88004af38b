"""A server that can be killed and come back, and a line to it that can be cut, held up or lossy."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Final, Self

PROGRAM: Final = Path(__file__).parent / "programs" / "open_server.py"
ROOT: Final = Path(__file__).parents[2]
_BLOCK_BYTES: Final = 1 << 16
_LOOK_S: Final = 0.1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server in a process of its own, always at the same port."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it and wait until it answers."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HEADWAY_WORKSPACE": ""}
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(PROGRAM), str(self.root), str(self.port)],
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
            )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said, (self.root / "log").read_text()
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it, at once unless told otherwise."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.communicate(timeout=20)

    def memory_bytes(self) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS"))


@contextlib.contextmanager
def serving(root: Path) -> Generator[Server]:
    server = Server(root)
    try:
        yield server.start()
    finally:
        server.kill()


class Line:
    """A relay before a server.

    Attributes:
        drops: So many answers are lost, the connection with them; the server has given them.
        lost: How many were.
    """

    def __init__(self, to_port: int) -> None:
        self.drops = 0
        self.lost = 0
        self._to_port = to_port
        self._flowing = threading.Event()
        self._flowing.set()
        self._closed = False
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listening.settimeout(_LOOK_S)
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def hold(self) -> None:
        """From now on nothing passes, as when a cable is pulled: nobody is told."""
        self._flowing.clear()

    def flow(self) -> None:
        """Let everything pass, also what was held up."""
        self._flowing.set()

    def close(self) -> None:
        self._closed = True
        self._flowing.set()
        for thread in list(self._threads):
            thread.join(10)
            assert not thread.is_alive()
        self._listening.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._listening.accept()
            except TimeoutError:
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._to_port))
            except OSError:
                near.close()  # the server is away
                continue
            thread = threading.Thread(target=self._connect, args=(near, far))
            self._threads.append(thread)
            thread.start()

    def _connect(self, near: socket.socket, far: socket.socket) -> None:
        with near, far:
            while not self._closed:
                ready, _, _ = select.select([near, far], [], [], _LOOK_S)
                if not ready:
                    continue
                self._flowing.wait()
                try:
                    if not self._pass_on(near, far, ready):
                        return
                except OSError:
                    return

    def _pass_on(
        self, near: socket.socket, far: socket.socket, ready: Sequence[socket.socket]
    ) -> bool:
        """Whether the connection stands."""
        for source in ready:
            data = source.recv(_BLOCK_BYTES)
            if not data:
                return False
            if source is far and self.drops:
                self.drops -= 1
                self.lost += 1
                return False
            (near if source is far else far).sendall(data)
        return True


@contextlib.contextmanager
def line_to(server: Server) -> Generator[Line]:
    line = Line(server.port)
    try:
        yield line
    finally:
        line.close()
