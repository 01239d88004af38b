"""Who tells a server what becomes of the runs of this machine: one agent a spool, while runs live.

    agent       an flock held by the agent; its pid and start time
    agent.bell  a FIFO that only the agent reads: a byte in it says "look again"
    agent.log   what it has to say

An agent that is killed is missed by nobody for long: whoever submits, and the shim of every run
that goes on, sees that the lock is free and starts another one. Standard library only, as the shim.
"""

import errno
import fcntl
import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from headway.engines import processes
from headway.engines.processes import Process
from headway.locks import is_held

STARTER_SCRIPT: Final = Path(__file__).parents[1] / "runner" / "agent_start.py"
"""What becomes the agent. Run, never imported from here."""
MODULE: Final = "headway.runner.agent"
DELIVERED: Final = "delivered"
"""In a run's folder: nothing of it is left to be told."""

_SUFFIX: Final = "/headway/runner/agent_start.py"
_OF_A_RUN: Final = "HEADWAY_RUN_"
"""Variables that mark the processes of one run. The agent is none of them."""


def wake(spool: Path) -> None:
    """Have the agent look again, after starting it where there is none.

    Raises:
        OSError: It cannot be started.
    """
    if not ring(spool):
        _spawn(spool)


def keep(spool: Path) -> None:
    """Start the agent where there is none.

    Raises:
        OSError: It cannot be started.
    """
    if not is_held(_claim_file(spool)):
        _spawn(spool)


def ring(spool: Path) -> bool:
    """Have the agent look again; False where there is none.

    An agent that ends stops listening first and looks for runs once more afterwards: so it sees
    what was written before a ring that it still heard.
    """
    try:
        fd = os.open(_bell(spool), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ENXIO, errno.ENOENT}:
            return False
        raise
    try:
        os.write(fd, b"!")
    except BlockingIOError:
        pass  # it has rung more often than anybody could listen
    except BrokenPipeError:
        return False
    finally:
        os.close(fd)
    return True


def claim(spool: Path) -> int | None:
    """Become the agent: what is to be kept open to the end; None where there is one already."""
    fd = os.open(_claim_file(spool), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def sign(claim_fd: int, pid: int) -> None:
    """Say which process the agent is."""
    agent = processes.status_of(pid)
    if agent is not None:
        os.ftruncate(claim_fd, 0)
        os.pwrite(claim_fd, f"{agent.process.pid} {agent.process.start}\n".encode(), 0)


def listen(spool: Path) -> int:
    """What becomes readable when somebody rings; others see an agent until it is closed."""
    path = _bell(spool)
    with suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    # Also for writing, or it would be readable for ever once the first who rang has closed it.
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def is_agent(process: Process, arguments: Sequence[str]) -> bool:
    """Whether this process, which was given these arguments, is the agent of some spool."""
    for word, spool in itertools.pairwise(arguments):
        if word == MODULE or word.endswith(_SUFFIX):
            try:
                named = _claim_file(Path(spool)).read_text(encoding="ascii").split()
            except (OSError, ValueError):
                return False
            return named == [str(process.pid), str(process.start)]
    return False


def variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What an agent is given of the variables of whoever starts it: all, its token among them."""
    return {name: value for name, value in environment.items() if not name.startswith(_OF_A_RUN)}


def _claim_file(spool: Path) -> Path:
    return spool / "agent"


def _bell(spool: Path) -> Path:
    return spool / "agent.bell"


def _spawn(spool: Path) -> None:
    """Start an agent, and return when it has the lock, or another one has it."""
    log = spool / "agent.log"
    # Not through subprocess, which would cost every shim its import.
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", str(STARTER_SCRIPT), str(spool.absolute())],
        variables(os.environ),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )
    os.waitpid(pid, 0)
