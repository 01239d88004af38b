"""The times of logs, as the shim notes them."""

from pathlib import Path

import pytest

from headway.engines import log_times
from headway.runner.log_index import LogIndex

LOG = "user_logs/std_log.txt"


def test_what_changed_is_noted_once(tmp_path: Path) -> None:
    now = [10]
    log = tmp_path / LOG
    log.parent.mkdir()
    log.write_bytes(b"12345")
    index = LogIndex(tmp_path, LOG, pytest.fail, clock=lambda: now[0])
    index.look()
    index.look()  # too early for another one
    now[0] = 20
    index.note()  # nothing has changed
    times = log_times.times_file(tmp_path, LOG)
    assert times.stat().st_size == log_times.RECORD_BYTES
    log.write_bytes(b"1234567")
    (log.parent / "other.txt").write_bytes(b"x")
    index.note()
    assert [log_times.offset_at(times, at) for at in (9, 10, 19, 20)] == [0, 5, 5, 7]
    assert log_times.offset_at(log_times.times_file(tmp_path, "other.txt"), 20) == 1


def test_trouble_is_told_once_and_never_raised(tmp_path: Path) -> None:
    told: list[str] = []
    index = LogIndex(tmp_path, LOG, told.append)
    index.note()
    (tmp_path / "user_logs").mkdir()
    (tmp_path / LOG).write_bytes(b"x")
    (tmp_path / "log_times").write_bytes(b"a file where the folder should be")
    index.note()
    assert len(told) == 1
