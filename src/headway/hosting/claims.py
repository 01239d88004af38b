"""Who may make a run: the one that holds the lock of its folder.

A run is made before the lock is handed on to its shim. So while somebody holds the lock and the run
is not known, nobody else makes it; and of those who submit one id at once, none takes another's
folder for what an interrupted submission left behind.
"""

import os
import shutil
import time
import weakref
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, Self

from headway.engines.folder import RunFolder
from headway.errors import RunExistsError, StorageError
from headway.model import Run

_PATIENCE_S: Final = 2.0
_PAUSE_S: Final = 0.005


class Claim:
    """A run's lock, until it is handed on or given up."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        _claims.add(self)

    @classmethod
    def of(cls, folder: RunFolder) -> Self | None:
        """The lock of a folder, which is made if there is none; None where somebody has it."""
        folder.path.mkdir(exist_ok=True)
        try:
            fd = folder.try_hold()
        except StorageError:
            if folder.path.exists():
                raise
            return None  # a rival that failed has removed the folder meanwhile
        if fd is None:
            return None
        claim = cls(fd)
        try:
            if os.path.samestat(os.fstat(fd), folder.lock_file.stat()):
                return claim
        except FileNotFoundError:
            pass
        claim.close()  # of a folder that was removed
        return None

    def close(self) -> None:
        """Let go; where a shim has taken the lock over, it keeps it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def take(folder: RunFolder, run_id: str, known: Callable[[], Run | None]) -> Claim | Run:
    """The folder of a new run for this process alone, emptied; or the run that a rival has made.

    Args:
        folder: The folder, which need not exist.
        run_id: The run.
        known: The run if it was made from this very request.

    Raises:
        RunExistsError: A rival is still about to make it.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        with ExitStack() as unless_taken:
            claim = Claim.of(folder)
            if claim is not None:
                unless_taken.callback(claim.close)
            run = known()
            if run is not None:
                return run
            if claim is not None:
                _empty(folder)
                unless_taken.pop_all()
                return claim
        if time.monotonic() > deadline:
            raise RunExistsError(
                f"a run with the id {run_id!r} is being submitted by another process: choose "
                "another id, or leave it out"
            )
        time.sleep(_PAUSE_S)


def _empty(folder: RunFolder) -> None:
    """Remove what an interrupted submission left, but for the lock."""
    for path in folder.path.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != folder.lock_file:
            path.unlink()


_claims: Final[weakref.WeakSet[Claim]] = weakref.WeakSet()


def _forget_all() -> None:
    """A child that kept the descriptor would keep the run held after the death of its shim."""
    for claim in list(_claims):
        claim.close()


os.register_at_fork(after_in_child=_forget_all)
