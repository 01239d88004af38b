"""The launcher: starts several processes as the program of one run. Run as a script.

    python -I -S launcher.py FOLDER COUNT KIND PROGRAM [ARGUMENT ...]

FOLDER is that of the run, KIND ``pytorch`` or ``mpi``. Each process has a log of its own; that of
rank 0 is the run's main log, under two names. The first process that fails ends the others: SIGTERM
first, SIGKILL after a grace. SIGTERM is passed on to all. What they leave behind the shim ends.
"""

import os
import sys

# Isolated from the user's environment, Python finds nothing but its own library. Appended, not put
# in front: no module beside ours can take the place of one of the library's.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120 - pathlib would be imported before it is known from where

import contextlib
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from headway.engines import launching
from headway.engines.folder import RunFolder
from headway.engines.launching import FailedRank
from headway.errors import StorageError

if TYPE_CHECKING:
    from types import FrameType

del sys.path[-1]

_ADDRESS: Final = "127.0.0.1"
_CANNOT_START: Final = 127


class Launcher:
    """The processes of one run, from the first to the last.

    Args:
        folder: That of the run.
        count: How many processes.
        kind: Which variables tell them of each other.
        program: What each executes.
    """

    def __init__(self, folder: RunFolder, count: int, kind: str, program: Sequence[str]) -> None:
        self._folder = folder
        self._count = count
        self._kind = kind
        self._program = list(program)
        self._grace_s = folder.read_spec().grace_s
        self._living: dict[int, int] = {}  # ranks by pid
        self._failed: FailedRank | None = None
        self._asked_to_end = False

    def run(self) -> int:
        """Start all, wait for all, and return what to exit with."""
        signal.signal(signal.SIGTERM, self._pass_on)
        signal.signal(signal.SIGALRM, self._kill)
        port = _free_port()
        for rank in range(self._count):
            if self._asked_to_end:
                break
            try:
                self._start(rank, port)
            except OSError as error:
                _say(f"cannot start {self._program[0]!r} as rank {rank}: {error.strerror}")
                self._fail(rank, _CANNOT_START)
                break
        while self._living:
            self._wait()
        signal.setitimer(signal.ITIMER_REAL, 0)
        if self._failed is not None:
            status = self._failed.status
            return status if status >= 0 else 128 - status
        return 0

    def _start(self, rank: int, port: int) -> None:
        environment = {**os.environ, **variables(rank, self._count, port, self._kind)}
        # Held back, a SIGTERM finds the new process among those that it is passed on to.
        held = {signal.SIGTERM, signal.SIGALRM}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
        try:
            pid = os.posix_spawnp(
                self._program[0],
                self._program,
                environment,
                file_actions=self._redirections(rank),
                setsigmask=before,
                setsigdef=held,
            )
            self._living[pid] = rank
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _redirections(
        self, rank: int
    ) -> list[tuple[int, int, bytes, int, int] | tuple[int, int, int]]:
        log = self._folder.log_file.with_name(launching.rank_log(rank))
        if rank == 0:
            with contextlib.suppress(
                OSError
            ):  # it is the main log, whether it has two names or not
                os.link(self._folder.log_file, log)
            return []
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        return [
            (os.POSIX_SPAWN_OPEN, 1, os.fsencode(log), flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]

    def _wait(self) -> None:
        """Until one has ended; its pid is given up after it is taken off the list."""
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if ended is None:
            return
        rank = self._living.pop(ended.si_pid, None)
        _, status = os.waitpid(ended.si_pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if rank is not None and code != 0:
            self._fail(rank, code)

    def _fail(self, rank: int, status: int) -> None:
        if self._failed is not None:
            return
        self._failed = FailedRank(rank, self._count, status)
        if self._asked_to_end:
            return  # that is why it ended
        try:
            launching.write_failed(self._folder.path, self._failed)
        except StorageError as error:
            _say(str(error))
        if self._living:
            how = f"exited with code {status}" if status >= 0 else f"was ended by signal {-status}"
            _say(f"rank {rank} {how}; the other {len(self._living)} are being ended")
            self._send_all(signal.SIGTERM)
            signal.setitimer(signal.ITIMER_REAL, max(self._grace_s, 0.001))

    def _pass_on(self, number: int, frame: "FrameType | None") -> None:
        self._asked_to_end = True
        self._send_all(signal.SIGTERM)

    def _kill(self, number: int, frame: "FrameType | None") -> None:
        self._send_all(signal.SIGKILL)

    def _send_all(self, number: signal.Signals) -> None:
        for pid in list(self._living):
            os.kill(pid, number)  # a child that nobody has waited for: the pid is its own
            os.kill(pid, signal.SIGCONT)  # a stopped one would never see the first


def variables(rank: int, count: int, port: int, kind: str) -> Mapping[str, str]:
    """What tells a process of the others: as torchrun sets it, and for MPI as mpirun does."""
    found = {
        "MASTER_ADDR": _ADDRESS,
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(count),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "LOCAL_WORLD_SIZE": str(count),
        "NODE_RANK": "0",
        "GROUP_RANK": "0",
    }
    if kind == "mpi":
        found |= {
            "OMPI_COMM_WORLD_RANK": str(rank),
            "OMPI_COMM_WORLD_SIZE": str(count),
            "OMPI_COMM_WORLD_LOCAL_RANK": str(rank),
            "OMPI_COMM_WORLD_LOCAL_SIZE": str(count),
            "OMPI_COMM_WORLD_NODE_RANK": str(rank),
        }
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_ADDRESS, 0))
        port: int = probe.getsockname()[1]
        return port


def _say(what: str) -> None:
    """A line in the run's log, if there is space for it."""
    try:
        os.write(2, f"[headway: {what}]\n".encode(errors="replace"))
    except OSError:
        return


if __name__ == "__main__":
    _folder = RunFolder(Path(sys.argv[1]))
    sys.exit(Launcher(_folder, int(sys.argv[2]), sys.argv[3], sys.argv[4:]).run())
