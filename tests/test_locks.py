"""Whether somebody holds a lock, asked without getting in the way."""

import os
from pathlib import Path

import pytest

from headway import locks


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "lock"
    file.touch()
    return file


def test_a_lock_is_held_until_its_file_is_closed(path: Path) -> None:
    assert not locks.is_held(path)
    fd = os.open(path, os.O_RDWR)
    assert locks.try_lock(fd)
    assert locks.is_held(path)
    os.close(fd)
    assert not locks.is_held(path)


def test_of_two_only_one_holds_it_alone(path: Path) -> None:
    with path.open() as one, path.open() as other:
        assert locks.try_lock(one.fileno())
        assert locks.try_lock(one.fileno())  # its holder may ask again
        assert not locks.try_lock(other.fileno())
        assert not locks.try_lock(other.fileno(), shared=True)


def test_those_who_ask_do_not_take_each_other_for_the_holder(path: Path) -> None:
    with path.open() as asking:
        assert locks.try_lock(asking.fileno(), shared=True)
        assert not locks.is_held(path)


def test_nobody_holds_a_lock_that_is_not_there(tmp_path: Path) -> None:
    assert not locks.is_held(tmp_path / "none")


def test_a_lock_that_cannot_be_looked_at_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        locks.is_held(tmp_path / "file" / "lock")
