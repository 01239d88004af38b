"""Who hands out slots: one dispatcher a machine and user, there only while somebody waits.

    dispatcher      an flock held by the dispatcher; its pid and start time
    bell            a FIFO that only the dispatcher reads: a byte in it says "look again"
    dispatcher.log  what it has to say

A dispatcher that is killed is missed by nobody but those who wait: whoever looks at one of them,
submits another, or ends and frees a slot starts a new one. Standard library only, as the shim.
"""

import errno
import fcntl
import itertools
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from headway.engines import processes
from headway.engines.processes import Process

DISPATCHER_SCRIPT: Final = Path(__file__).parents[1] / "runner" / "dispatcher.py"
"""The program that hands out slots. Run, never imported from here."""

TICKETS: Final = "tickets"
TICKET_NAME: Final = re.compile(r"(\d{7})-(\d{12})-(\d+)c-(\d+)g-[0-9a-f]{8}(?:@([\w-]+))?")
"""Rank by priority, number, CPUs, GPUs; what makes it another one than any before; the target."""
DEFAULT_TICK_S: Final = 0.2

_SUFFIX: Final = "/headway/runner/dispatcher.py"
_KEPT_VARIABLES: Final = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
"""Nothing else of whoever happens to start it: above all not the mark of a run."""


def wake(root: Path, tick_s: float = DEFAULT_TICK_S) -> None:
    """Have the dispatcher look again, after starting it where somebody waits and none is there.

    Raises:
        OSError: It cannot be started.
    """
    if not ring(root) and anybody_waits(root):
        _spawn(root, tick_s)


def ring(root: Path) -> bool:
    """Have the dispatcher look again; False where there is none.

    Called after something was changed. A dispatcher that ends stops listening first and looks for
    tickets once more afterwards: so it sees what was written before a ring that it still heard.
    """
    try:
        fd = os.open(_bell(root), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
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


def anybody_waits(root: Path) -> bool:
    """Whether there is a ticket, dead ones included."""
    try:
        with os.scandir(root / TICKETS) as entries:
            return any(TICKET_NAME.fullmatch(entry.name) for entry in entries)
    except FileNotFoundError:
        return False


def claim(root: Path) -> int | None:
    """Become the dispatcher: what is to be closed at the end; None where there is one already."""
    fd = os.open(root / "dispatcher", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def sign(claim_fd: int) -> None:
    """Say which process the dispatcher is: this one."""
    own = processes.status_of(os.getpid())
    if own is not None:
        os.ftruncate(claim_fd, 0)
        os.pwrite(claim_fd, f"{own.process.pid} {own.process.start}\n".encode(), 0)


def listen(root: Path) -> int:
    """What becomes readable when somebody rings; others see a dispatcher until it is closed."""
    path = _bell(root)
    with suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    # Also for writing, or it would be readable for ever once the first who rang has closed it.
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def is_dispatcher(process: Process, arguments: Sequence[str]) -> bool:
    """Whether this process, which was given these arguments, is the dispatcher of some queue."""
    for script, root in itertools.pairwise(arguments):
        if script.endswith(_SUFFIX):
            try:
                named = (Path(root) / "dispatcher").read_text(encoding="ascii").split()
            except (OSError, ValueError):
                return False
            return named == [str(process.pid), str(process.start)]
    return False


def _bell(root: Path) -> Path:
    return root / "bell"


def _spawn(root: Path, tick_s: float) -> None:
    """Start a dispatcher, and return when it listens."""
    log = root / "dispatcher.log"
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    # Not through subprocess, which would cost every shim its import.
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", str(DISPATCHER_SCRIPT), str(root.absolute()), str(tick_s)],
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )
    os.waitpid(pid, 0)
