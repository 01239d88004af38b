"""Locks on files, which the kernel lets go of when their last holder is dead.

A program that is started with the descriptor holds the lock as well: where a builder is killed,
what it started keeps others out until it has ended.
"""

import fcntl
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def exclusive(path: Path, waiting: Callable[[], None]) -> Generator[int]:
    """Hold a lock alone, which is waited for.

    Args:
        path: The file; made where there is none.
        waiting: Called where somebody else holds it.
    """
    fd = _open(path)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield fd
    finally:
        os.close(fd)


@contextmanager
def exclusive_if_free(path: Path) -> Generator[bool]:
    """Hold a lock alone if nobody else holds it; says whether."""
    fd = _open(path)
    try:
        held = False
        with suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = True
        yield held
    finally:
        os.close(fd)


def shared(path: Path) -> int:
    """Hold a lock together with others; let go of it by closing the descriptor, everywhere."""
    fd = _open(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
