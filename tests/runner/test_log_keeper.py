"""Logs that grow beyond their cap, on disks with and without space."""

import errno
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.engines import log_cut
from headway.engines.log_cut import Cut
from headway.hosting import logs
from headway.runner import log_keeper
from headway.runner.log_keeper import LogKeeper, LogKeepers

CAP = 4 << 20
LINE = b"x" * 99 + b"\n"


class OneLog:
    """A log and what looks after it."""

    def __init__(self, folder: Path, cap: int | None = CAP) -> None:
        self.folder = folder
        self.path = folder / "user_logs" / "std_log.txt"
        self.path.parent.mkdir(parents=True)
        self.path.touch()
        self.said: list[str] = []
        self.keeper = LogKeeper(folder, self.path, cap, self.said.append)
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data
        with self.path.open("ab") as file:
            file.write(data)

    @property
    def cut(self) -> Cut:
        return log_cut.read(log_cut.cut_file(self.folder, self.path.name))

    def read(self) -> bytes:
        with logs.open_log(self.folder, self.path) as stream:
            return stream.read()

    def expected(self) -> bytes:
        cut = self.cut
        if not cut.missing:
            return self.written
        marker = b"[headway: %d bytes of output were cut here]\n" % cut.missing
        head = self.written[: cut.begin]
        return head + b"\n" * (not head.endswith(b"\n")) + marker + self.written[cut.end :]

    @property
    def blocks_bytes(self) -> int:
        return self.path.stat().st_blocks * 512


@pytest.fixture
def log(tmp_path: Path) -> OneLog:
    return OneLog(tmp_path / "run")


def numbered(count: int) -> bytes:
    return b"".join(b"line %07d %s\n" % (i, b"." * 80) for i in range(count))


def test_a_log_below_its_cap_is_left_alone(log: OneLog) -> None:
    log.write(numbered(1000))
    log.keeper.look()
    log.keeper.close()
    assert log.path.read_bytes() == log.read() == log.written
    assert not (log.folder / "log_cut").exists()


def test_head_and_tail_stay_and_the_cut_is_marked(log: OneLog) -> None:
    log.write(numbered(100_000))
    log.keeper.close()
    cut = log.cut
    assert log.path.stat().st_size == len(log.written)
    assert 0 < log.blocks_bytes <= CAP
    assert cut.begin > CAP // 5
    assert log.written[cut.begin - 1 : cut.begin] == log.written[cut.end - 1 : cut.end] == b"\n"
    assert log.read() == log.expected()


def test_a_log_that_goes_on_growing_is_cut_again_behind_the_same_head(log: OneLog) -> None:
    for _ in range(12):
        log.write(numbered(20_000))
        log.keeper.look()
        assert log.blocks_bytes <= CAP + log_keeper._MOST_AHEAD_BYTES  # pyright: ignore[reportPrivateUsage]
        assert log.read() == log.expected()
    log.keeper.close()
    assert log.blocks_bytes <= CAP
    assert len(log.written) - log.cut.missing > CAP // 2


def test_a_line_longer_than_everything_is_cut_in_its_middle(log: OneLog) -> None:
    log.write(b"\xff" * (10 << 20))
    log.keeper.close()
    assert log.blocks_bytes <= CAP
    assert log.read() == log.expected()
    assert b"\xff\n[headway: " in log.read()


def test_a_log_that_is_gone_is_no_error(log: OneLog) -> None:
    log.path.unlink()
    log.keeper.look()
    log.keeper.close()
    assert log.said == []


def test_space_is_allocated_ahead_and_given_back(log: OneLog) -> None:
    log.write(LINE)
    log.keeper.look()
    assert log.blocks_bytes > 1 << 17
    assert log.path.stat().st_size == len(LINE)
    log.keeper.close()
    assert log.blocks_bytes <= 1 << 13
    assert log.read() == log.written


def test_where_a_file_system_cannot_cut_the_log_grows_and_it_is_said_once(
    log: OneLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, mode: int, offset: int, length: int) -> int:
        return errno.EOPNOTSUPP

    monkeypatch.setattr(log_keeper, "_fallocate", refuse)
    log.write(numbered(60_000))
    log.keeper.look()
    log.keeper.look()
    assert [said for said in log.said if "without a cap" in said] == log.said
    assert len(log.said) == 1


def test_every_log_of_a_folder_is_looked_after(tmp_path: Path) -> None:
    folder = tmp_path / "user_logs"
    folder.mkdir()
    for name in ("std_log.txt", "std_log_process_1.txt"):
        (folder / name).write_bytes(numbered(100_000))
    LogKeepers(tmp_path, "user_logs/std_log.txt", CAP, print).close()
    for path in folder.iterdir():
        assert path.stat().st_blocks * 512 <= CAP
        assert log_cut.read(log_cut.cut_file(tmp_path, path.name)).missing > 0


def test_a_follower_sees_every_kept_line_and_where_some_are_missing(log: OneLog) -> None:
    log.write(numbered(100_000))
    log.keeper.close()
    followed, offset = b"", 0
    while (part := logs.read(log.folder, log.path, offset, 100_000)).data:
        followed += part.data
        offset = part.next_offset
    assert followed == log.expected()
    assert offset == len(log.written)


def test_a_follower_whose_place_was_cut_goes_on_behind_the_cut(log: OneLog) -> None:
    log.write(numbered(100_000))
    log.keeper.close()
    part = logs.read(log.folder, log.path, log.cut.begin + 12345, 1000)
    assert part.data.startswith(b"[headway: %d bytes" % log.cut.missing)
    assert part.next_offset == log.cut.end + 1000


def test_a_reader_meets_no_hole_while_the_log_is_cut(log: OneLog) -> None:
    stop = threading.Event()

    def write_on() -> None:
        with log.path.open("ab", buffering=0) as file:
            while not stop.is_set():
                file.write(LINE * 1000)
                log.keeper.look()

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        chance = random.Random(1)
        while log.path.stat().st_size < 5 * CAP:
            offset = chance.randrange(log.path.stat().st_size + 1)
            assert b"\0" not in logs.read(log.folder, log.path, offset, 1 << 16).data
    finally:
        stop.set()
        writer.join()


def test_a_log_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    part = logs.read(tmp_path, tmp_path / "user_logs" / "none.txt", 7, 10)
    assert (part.data, part.next_offset) == (b"", 7)


@given(begin=st.integers(0, 10**19), more=st.integers(0, 10**19))
def test_a_recorded_cut_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, begin: int, more: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "log.txt"
    log_cut.write(path, Cut(begin, begin + more))
    assert log_cut.read(path) == Cut(begin, begin + more)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"0" * 84, b"1 2 1 2\n"])
def test_a_record_that_cannot_be_read_says_that_nothing_is_missing(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "log.txt").write_bytes(content)
    assert log_cut.read(tmp_path / "log.txt") == log_cut.NOTHING


def fill(disk: Path) -> Path:
    path = disk / "filling"
    with path.open("wb", buffering=0) as file:
        for size in (1 << 16, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return path


def test_on_a_full_disk_a_little_can_be_written_and_then_it_is_said(
    small_disk: Callable[[str], Path],
) -> None:
    log = OneLog(small_disk("2m") / "run")
    log.write(LINE)
    log.keeper.look()
    fill(log.folder.parent)
    for _ in range(1000):
        log.write(LINE)
    log.keeper.look()
    assert log.keeper.full_at is None
    with log.path.open("ab", buffering=0) as file:
        while file.write(LINE * 1000) == len(LINE) * 1000:
            continue  # the last one finds no space for all of it
    log.keeper.look()
    assert log.keeper.full_at is not None
    assert any("the disk is full" in said for said in log.said)


def test_a_log_that_fills_the_disk_makes_room_for_itself(
    small_disk: Callable[[str], Path],
) -> None:
    log = OneLog(small_disk("4m") / "run", cap=None)
    for _ in range(200):
        log.write(LINE * 1000)
        log.keeper.look()
    assert log.keeper.full_at is None
    log.keeper.close()
    assert len(log.written) == 20_000_000
    assert log.read() == log.expected()
    assert log.cut.missing > 15_000_000
    assert os.statvfs(log.folder).f_bfree > 0
