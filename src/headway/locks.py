"""File locks of the kernel's (flock): whoever holds one lives, however it ends it lets go."""

import fcntl
import os
from pathlib import Path


def try_lock(fd: int, *, shared: bool = False) -> bool:
    """Take the lock on an open file if that needs no waiting.

    Args:
        fd: The file. All descriptors that are copies of this one hold the lock together.
        shared: Whether others may hold it at the same time.

    Returns:
        Whether it is held now.
    """
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock on a file alone; nobody does on one that is not there.

    Raises:
        OSError: The file cannot be opened.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # Shared, so that two who ask at once do not take each other for the holder.
        return not try_lock(fd, shared=True)
    finally:
        os.close(fd)
