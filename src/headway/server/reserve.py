"""Room on the server's disk that is kept for what must work when it is full: canceling runs."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from headway.errors import StorageFullError

Result = TypeVar("Result")

SIZE_BYTES: Final = 4 << 20
_SLICE_BYTES: Final = 256 << 10
"""More than what one change of a status writes."""


class Reserve:
    """A file that takes room, and gives it up bit by bit. Any thread may use it.

    Args:
        path: The file; its folder need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with self._lock:
            self._fill()

    def urgently(self, act: Callable[[], Result]) -> Result:
        """Do something that must not fail for want of room.

        Raises:
            StorageFullError: There is no room even so.
        """
        try:
            return act()
        except StorageFullError:
            with self._lock:
                if not self._shrink():
                    raise
                try:
                    return act()
                finally:
                    self._fill()

    def _shrink(self) -> bool:
        """Whether there was something to give up."""
        try:
            left = self._path.stat().st_size - _SLICE_BYTES
            if left < 0:
                return False
            os.truncate(self._path, left)
        except OSError:
            return False
        return True

    def _fill(self) -> None:
        """Take the room again, as far as there is any."""
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        try:
            size = os.fstat(fd).st_size
            for at in range(size, SIZE_BYTES, _SLICE_BYTES):
                os.posix_fallocate(fd, at, _SLICE_BYTES)
        except OSError:
            return  # the disk is full; whoever cancels next tries again
        finally:
            os.close(fd)
