"""Processes of this host, told apart by pid and start time, so that a recycled pid is no match.

Linux only, standard library only. Nothing here signals a process by name, a process group, or a
pid whose start time differs from the one that was seen.
"""

import ctypes
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_DEAD: Final = frozenset("ZX")
_STOPPED: Final = frozenset("Tt")


class Process(NamedTuple):
    """One process, past or present, of this boot of the host."""

    pid: int
    start: int
    """Clock ticks between the boot and its start."""


class ProcessStatus(NamedTuple):
    """What the kernel says of a process."""

    process: Process
    parent_pid: int
    state: str
    """One letter, as ps shows it."""

    @property
    def dead(self) -> bool:
        """Whether only its entry in the table of processes is left."""
        return self.state in _DEAD

    @property
    def stopped(self) -> bool:
        """Whether it does nothing until it is continued: after SIGSTOP, or under a debugger."""
        return self.state in _STOPPED


def boot_id() -> str:
    """A word that differs after every boot of this host."""
    return Path("/proc/sys/kernel/random/boot_id").read_bytes().decode("ascii").strip()


def status_of(pid: int) -> ProcessStatus | None:
    """The process that has this pid now."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name in parentheses may itself hold spaces and parentheses.
            fields = file.read().rpartition(b")")[2].split()
        return ProcessStatus(Process(pid, int(fields[19])), int(fields[1]), fields[0].decode())
    except (OSError, IndexError):
        return None


def alive(process: Process) -> bool:
    """Whether this very process still runs."""
    status = status_of(process.pid)
    return status is not None and status.process == process and not status.dead


def identify(pids: Iterable[int]) -> set[Process]:
    """The living processes that have these pids now."""
    found = map(status_of, pids)
    return {status.process for status in found if status is not None and not status.dead}


def send_signal(process: Process, number: signal.Signals) -> bool:
    """Signal exactly this process; False where it is gone or belongs to another user."""
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        # The descriptor pins the process behind the pid; the start time says it is the right one.
        if not alive(process):
            return False
        signal.pidfd_send_signal(fd, number)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(fd)


def terminate(process: Process) -> bool:
    """SIGTERM, then SIGCONT, without which a stopped process would never see the first."""
    return send_signal(process, signal.SIGTERM) and send_signal(process, signal.SIGCONT)


def all_processes() -> Iterator[ProcessStatus]:
    """Every process of this host, by one pass over /proc.

    The youngest come first, and as they are found: of a chain of processes that fork and exit, the
    one that lives is the youngest, and it does not live long.
    """
    with os.scandir("/proc") as entries:
        pids = [int(entry.name) for entry in entries if entry.name.isdecimal()]
    for pid in sorted(pids, reverse=True):
        status = status_of(pid)
        if status is not None:
            yield status


def children() -> list[ProcessStatus]:
    """The children of this process, which has one thread, dead ones included.

    Where the kernel keeps the list, this is much faster than a pass over all processes.
    """
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
            found = [status_of(int(pid)) for pid in file.read().split()]
    except OSError:
        found = [status for status in all_processes() if status.parent_pid == os.getpid()]
    return [status for status in found if status is not None]


def descendants(
    roots: Iterable[int], *, stop_at: Callable[[Process], bool] = lambda _: False
) -> list[Process]:
    """What lives below these pids, without the roots, and without what is at or below a stop."""
    children: dict[int, list[ProcessStatus]] = {}
    for status in all_processes():
        children.setdefault(status.parent_pid, []).append(status)
    found: list[Process] = []
    seen = set(roots)
    waiting = list(seen)
    while waiting:
        for status in children.get(waiting.pop(), ()):
            pid = status.process.pid
            if pid in seen or stop_at(status.process):
                continue
            seen.add(pid)
            waiting.append(pid)
            if not status.dead:
                found.append(status.process)
    return found


def marked(mark: Mapping[str, str]) -> Iterator[Process]:
    """Living processes whose environment, when their program began, held these variables."""
    marks = [os.fsencode(f"\0{name}={value}\0") for name, value in mark.items()]
    for status in all_processes():
        try:
            with open(f"/proc/{status.process.pid}/environ", "rb") as file:
                environment = b"\0" + file.read()
        except OSError:
            continue
        if all(mark in environment for mark in marks) and not status.dead:
            yield status.process


def arguments_of(pid: int) -> list[str]:
    """The command line of a process; empty where it cannot be read."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return [os.fsdecode(argument) for argument in file.read().split(b"\0")]
    except OSError:
        return []


def become_subreaper() -> None:
    """Have orphans among the descendants of this process become its children."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have the kernel kill this process when the thread that forked it ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, argument: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(argument), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl: {os.strerror(number)}")
