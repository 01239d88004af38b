"""An adapter as a process: started, asked, answered, and nothing left of it."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self, cast

from benchmarks.peers.installing import last_line
from benchmarks.peers.protocol import Result
from benchmarks.peers.table import HERE, Peer

ROOT: Final = HERE.parent.parent
_SERVER_LIMIT_S: Final = 90.0
SETTLE_S = 2.0
"""How long a peer's other processes are given to end by themselves after a crash."""


class AbsentError(Exception):
    """The peer does not offer what was asked; the message says why."""


class FailedError(Exception):
    """The adapter, or what it started, did not come to its end."""


class Store(NamedTuple):
    """Where a peer keeps what it is given."""

    folder: Path
    port: int = 0
    server_pid: int = 0

    def size_bytes(self) -> int:
        """What the files take on disk."""
        total = 0
        for path in self.folder.rglob("*"):
            with suppress(FileNotFoundError):
                total += path.lstat().st_blocks * 512
        return total


class Participant(NamedTuple):
    """A peer that is installed."""

    peer: Peer
    python: Path

    def environment(self, store: Store) -> dict[str, str]:
        """Nothing of ours gets in: no keys, no proxies, no home."""
        home = store.folder.with_name(f"{store.folder.name}.home")
        home.mkdir(exist_ok=True)
        own = {
            name: value.format(folder=store.folder, port=store.port)
            for name, value in self.peer.environment.items()
        }
        return {
            "PATH": f"{self.python.parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "TMPDIR": str(home),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            **own,
        }


@contextmanager
def served(participant: Participant, folder: Path) -> Generator[Store, None, None]:
    """A new, empty store of the peer, with its server where it has one.

    Raises:
        FailedError: The server does not answer.
    """
    folder.mkdir(parents=True)
    if not participant.peer.server:
        yield Store(folder)
        return
    store = Store(folder, _free_port())
    words = [word.format(folder=folder, port=store.port) for word in participant.peer.server]
    words[0] = str(participant.python.parent / words[0])
    log = folder.with_name(f"{folder.name}.server.log")
    with log.open("wb") as output:
        server = subprocess.Popen(
            words,
            cwd=folder,
            env=participant.environment(store),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_served(server, store.port, log)
        yield store._replace(server_pid=server.pid)
    finally:
        _end(server)


class Asked:
    """An adapter at work; it is ended when the block is left."""

    def __init__(
        self, participant: Participant, store: Store, verb: str, patience_s: float, **asked: object
    ) -> None:
        """Start it; it is killed after ``patience_s``."""
        self._what = f"{participant.peer.title}: {verb}"
        self._patience_s = patience_s
        self._expired = False
        self._settle_s = SETTLE_S if verb == "crash" else 0.0
        module = f"benchmarks.peers.{participant.peer.home}.adapter"
        asked["folder"] = str(store.folder)
        self._places = (
            (store.folder, "STORE"),
            (participant.python.parent.parent, "ENVIRONMENT"),
            (ROOT, "."),
        )
        environment = participant.environment(store)
        said = Path(environment["HOME"], f"{time.monotonic_ns()}.log")
        self._said = said
        with said.open("wb") as output:
            self._process = subprocess.Popen(
                [str(participant.python), "-P", "-m", module, verb, json.dumps(asked)],
                cwd=environment["HOME"],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
            )
        self._watch = threading.Timer(patience_s, self._expire)
        self._watch.daemon = True
        self._watch.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watch.cancel()
        _end(self._process)
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):
                stream.close()

    def wait_until_ready(self) -> None:
        """Wait until it has prepared all that comes before what is measured."""
        if not self._next().get("ready"):
            raise FailedError(f"{self._what}: did not wait")

    def go(self) -> None:
        """Let it go on."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(b"\n")
            self._process.stdin.flush()

    def answer(self) -> Result:
        """Its result, once it has ended.

        Raises:
            AbsentError: The peer does not offer it.
            FailedError: There is none.
        """
        message = self._next()
        if "absent" in message:
            raise AbsentError(str(message["absent"]))
        _await_end(self._process)
        if self._settle_s:  # the peer's other processes end by themselves, or do not
            time.sleep(self._settle_s)
        return cast("Result", message["result"])

    def _next(self) -> Result:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line:
            message = cast("Result", json.loads(line))
            if "failed" in message:
                raise FailedError(self._without_places(str(message["failed"]).partition("\n")[0]))
            return message
        _await_end(self._process)
        _end(self._process)
        if self._expired:
            raise FailedError(f"no answer within {self._patience_s:g} s")
        said = last_line(self._said.read_text(encoding="utf-8", errors="replace"))
        raise FailedError(self._without_places(f"ended with {self._process.returncode}: {said}"))

    def _without_places(self, said: str) -> str:
        """What a peer said, without where on this machine it ran: it is kept in the record."""
        for place, name in self._places:
            said = said.replace(str(place), name)
        return said

    def _expire(self) -> None:
        self._expired = True
        _end(self._process)


def ask(
    participant: Participant, store: Store, verb: str, patience_s: float, **asked: object
) -> Result:
    """One question, one answer.

    Raises:
        AbsentError: The peer does not offer it.
        FailedError: It gave no answer.
    """
    with Asked(participant, store, verb, patience_s, **asked) as one:
        return one.answer()


def _await_end(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has ended, and leave its number, and its session's, taken."""
    with suppress(ChildProcessError):
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of its session, the peer's other processes too."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_served(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _SERVER_LIMIT_S
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    said = last_line(log.read_text(encoding="utf-8", errors="replace"))
    raise FailedError(f"its server does not answer: {said}")
