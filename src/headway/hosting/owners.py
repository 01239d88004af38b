"""Which processes are alive: one lock file for each, held for life.

The kernel drops the lock however the process ends, so nothing is guessed from pids. The file's time
of change is the bell that somebody rings who wants a run of that process canceled.
"""

import contextlib
import fcntl
import os
import re
import weakref
from pathlib import Path
from typing import Final

from headway.errors import InvalidValueError, StorageError
from headway.locks import is_held

_OWNER_ID: Final = re.compile(r"[A-Za-z0-9-]{1,100}")


class FileLease:
    """This process's claim to be alive."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        except OSError as error:
            raise StorageError(
                f"this process cannot be registered in the workspace: {path}: {error.strerror}"
            ) from error
        self._rung = os.fstat(self._fd).st_mtime_ns
        _open_leases.add(self)

    def cancel_requested(self) -> bool:
        """Whether the bell was rung since the last call."""
        if self._fd < 0:
            return False
        rung = os.fstat(self._fd).st_mtime_ns
        if rung == self._rung:
            return False
        self._rung = rung
        return True

    def close(self) -> None:
        """Give the claim up."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                self._path.unlink()
            self.forget()

    def forget(self) -> None:
        """Drop the lock's descriptor, leaving the file: what a forked child does with a copy."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


_open_leases: Final[weakref.WeakSet[FileLease]] = weakref.WeakSet()


def _forget_all() -> None:
    """A child that kept the descriptor would keep its parent's claim alive."""
    for lease in list(_open_leases):
        lease.forget()


os.register_at_fork(after_in_child=_forget_all)


def is_alive(path: Path) -> bool:
    """Whether some process holds the lease."""
    return is_held(path)


def ring(path: Path) -> None:
    """Have the holder look for cancel requests; nothing happens where there is none."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(path)


def check_owner_id(owner_id: str) -> None:
    """Refuse what cannot be the id of a process or a runner.

    Raises:
        InvalidValueError: It has other characters than letters, digits and ``-``, or too many.
    """
    if not _OWNER_ID.fullmatch(owner_id):
        raise InvalidValueError(
            f"{owner_id[:100]!r} is no id of an owner: give 1 to 100 letters, digits or '-'"
        )
