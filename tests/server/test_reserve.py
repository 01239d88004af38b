"""Room that is kept for canceling runs."""

from pathlib import Path

import pytest

from headway.errors import StorageFullError
from headway.server.reserve import SIZE_BYTES, Reserve


def full() -> str:
    raise StorageFullError("no space")


def test_room_is_taken_at_once_and_not_twice(tmp_path: Path) -> None:
    path = tmp_path / "reserve"
    for _ in range(2):
        Reserve(path)
        assert path.stat().st_size == SIZE_BYTES
        assert path.stat().st_blocks * 512 >= SIZE_BYTES


def test_room_is_given_up_for_what_is_urgent_and_taken_again(tmp_path: Path) -> None:
    path = tmp_path / "reserve"
    reserve = Reserve(path)
    sizes: list[int] = []

    def act() -> str:
        sizes.append(path.stat().st_size)
        return full() if len(sizes) == 1 else "done"

    assert reserve.urgently(act) == "done"
    assert sizes[0] == SIZE_BYTES > sizes[1]
    assert path.stat().st_size == SIZE_BYTES


def test_without_a_reserve_the_error_is_that_of_the_full_disk(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "absent" / "reserve")
    with pytest.raises(StorageFullError):
        reserve.urgently(full)
    assert reserve.urgently(lambda: 1) == 1
