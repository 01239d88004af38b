"""Finding out what no run needs any more, while others take snapshots."""

import fcntl
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from headway.errors import StorageBusyError
from headway.locks import try_lock
from headway.snapshots.tree import Manifest

_PATIENCE_S: Final = 30.0
_TRY_EVERY_S: Final = 0.02


class References:
    """The snapshots that are kept, and all contents that they hold."""

    def __init__(self) -> None:
        self.snapshot_ids: set[str] = set()
        self.digests: set[str] = set()

    def add(self, manifest: Manifest) -> None:
        """Keep a snapshot."""
        self.snapshot_ids.add(manifest.id)
        self.digests.update(entry.blake3 for entry in manifest.entries if entry.kind == "file")


@contextmanager
def shared_lock(path: Path) -> Generator[None]:
    """Held by everyone who takes a snapshot; waits while something is being removed."""
    fd = _open(path)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)


@contextmanager
def exclusive_lock(
    path: Path, *, sleep: Callable[[float], None] = time.sleep, patience_s: float = _PATIENCE_S
) -> Generator[None]:
    """Held by the one who removes; given up where others take snapshots all the time."""
    fd = _open(path)
    try:
        deadline = time.monotonic() + patience_s
        # Asked again and again rather than waited for: a wait would not end if they never pause.
        while not try_lock(fd):
            if time.monotonic() > deadline:
                raise StorageBusyError(
                    f"snapshots were being taken for {patience_s:g} s without a pause ({path}): "
                    "do it again later"
                )
            sleep(_TRY_EVERY_S)
        yield
    finally:
        os.close(fd)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
