import fcntl
import os
from pathlib import Path

import pytest

from headway.errors import StorageError
from headway.runner.holding import hold


def test_locks_are_held_together_with_others_until_they_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "guard"
    path.touch()
    mine, others = hold([str(path)]), hold([str(path)])
    assert not os.get_inheritable(mine[0])
    with path.open("rb") as alone:
        with pytest.raises(BlockingIOError):
            fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for fd in (*mine, *others):
            os.close(fd)
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_is_held_alone_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    path = tmp_path / "guard"
    with path.open("wb") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match="being made or removed"):
            hold([str(path)], patience_s=0.05)


def test_what_was_removed_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="submit again"):
        hold([str(tmp_path / "guard")])
