"""Making written files last through a power cut, many at once."""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

_AT_ONCE: Final = 32
"""The disk joins the waits of so many into few: 2,000 files in a third of the time of 8."""


def fsync_all(paths: Iterable[str | Path], *, dir_fd: int | None = None) -> None:
    """Make files and folders durable."""
    every = list(paths)
    shares = [every[i::_AT_ONCE] for i in range(min(_AT_ONCE, len(every)))]
    if len(shares) < 2:
        _fsync_each(every, dir_fd)
        return
    with ThreadPoolExecutor(len(shares)) as pool:
        list(pool.map(partial(_fsync_each, dir_fd=dir_fd), shares))


def write_whole(path: Path, content: bytes, incoming: Path, *, durable: bool) -> None:
    """Write a file that appears whole or not at all; ``incoming`` is where it is made."""
    part = incoming / os.urandom(16).hex()
    try:
        part.write_bytes(content)
        if durable:
            _fsync_each([part])
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        _fsync_each([path.parent])


def _fsync_each(paths: list[str | Path], dir_fd: int | None = None) -> None:
    for path in paths:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=dir_fd)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
