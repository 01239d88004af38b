"""Locks held together with others for as long as this process lives."""

import fcntl
import os
import time
from collections.abc import Iterable
from typing import Final

from headway.errors import StorageError

_PATIENCE_S: Final = 10.0
_PAUSE_S: Final = 0.02


def hold(paths: Iterable[str], patience_s: float = _PATIENCE_S) -> list[int]:
    """Lock these files, and return the descriptors; the kernel lets go of them at the end.

    Raises:
        StorageError: One cannot be opened, or somebody holds it alone for longer than that.
    """
    return [_hold(path, time.monotonic() + patience_s) for path in paths]


def _hold(path: str, give_up_at: float) -> int:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be opened: {error.strerror}; what it guards was removed: submit again"
        ) from error
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > give_up_at:
                os.close(fd)
                raise StorageError(
                    f"what {path} guards is being made or removed: submit again when that is over"
                ) from error
            time.sleep(_PAUSE_S)
        else:
            return fd
