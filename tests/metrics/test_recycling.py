"""Files of a journal that are used again: nothing old is read as new, nothing is read twice."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pytest

from headway import locks
from headway.api import Metrics
from headway.metrics import drain
from headway.metrics.journal import JournalWriter
from headway.metrics.moving import Mover
from headway.metrics.records import NameTable, decode
from headway.metrics.slots import HEADER_BYTES
from headway.model import JournalStretch, Scalar
from headway.testing.journals import SetClock, open_journal, points_of, read_journals

PER_SEGMENT = 128


class Taken:
    """As much of a workspace as takes journals in, with the values of ``m``."""

    def __init__(self, folder: Path) -> None:
        self.journal_dir = folder
        self.values = list[Scalar]()
        self.lost = 0
        self._offsets: dict[str, int] = {}
        self._names: dict[str, NameTable] = {}
        self._lock = threading.Lock()

    def offset(self, run_id: str, writer_id: str) -> int:
        return self._offsets.get(writer_id, 0)

    def append_many(self, stretches: Sequence[JournalStretch]) -> list[int]:
        with self._lock:
            return [self._append(stretch) for stretch in stretches]

    def _append(self, given: JournalStretch) -> int:
        taken = self._offsets.get(given.writer_id, 0)
        assert given.offset <= taken
        fresh = given.records[taken - given.offset :]
        names = self._names.get(given.writer_id, NameTable())
        stretch = decode(fresh, names, torn=given.torn)
        self._names[given.writer_id] = stretch.names
        self._offsets[given.writer_id] = taken + stretch.consumed
        self.lost += stretch.lost
        for column in stretch.columns:
            if column.name == "m":
                self.values += [value for _, value in points_of(column)]
        return self._offsets[given.writer_id]


def mover(taken: Taken, journal: JournalWriter | None = None) -> Mover:
    """One of the process of this journal, or of another process."""

    def recycle(run_id: str, writer_id: str, offset: int) -> None:
        if journal is not None:
            journal.recycle(writer_id, offset)

    return Mover(cast(Metrics, taken), recycle)


def drained(taken: Taken, journal: JournalWriter, own: Mover) -> list[str]:
    """What the run's folder holds after a second of the process's thread."""
    journal.sync()
    own.drain("run-1")
    return sorted(path.name for path in (taken.journal_dir / "run-1").iterdir())


def test_a_segment_that_was_taken_in_becomes_the_next_one(tmp_path: Path) -> None:
    taken, journal = Taken(tmp_path), open_journal(tmp_path)
    own = mover(taken, journal)
    for i in range(PER_SEGMENT + 10):
        journal.log("m", i)
    first = (tmp_path / "run-1" / "w1.000000.hwj").stat().st_ino
    assert drained(taken, journal, own) == ["w1.000000.new", "w1.000001.hwj"]
    for i in range(PER_SEGMENT + 10, 2 * PER_SEGMENT + 10):
        journal.log("m", i)
    assert (tmp_path / "run-1" / "w1.000002.hwj").stat().st_ino == first
    assert drained(taken, journal, own) == ["w1.000001.new", "w1.000002.hwj"]
    for i in range(2 * PER_SEGMENT + 10, 9 * PER_SEGMENT):
        journal.log("m", i)
        if i % 50 == 0:
            drained(taken, journal, own)
    assert len(drained(taken, journal, own)) <= 2
    assert taken.values == list(range(9 * PER_SEGMENT))
    assert taken.lost == 0
    journal.close()
    assert [path.suffix for path in (tmp_path / "run-1").iterdir()] == [".hwj"]


def test_no_file_is_added_while_points_come_slowly(tmp_path: Path) -> None:
    taken, journal = Taken(tmp_path), open_journal(tmp_path)
    own = mover(taken, journal)
    seen: set[int] = set()
    for i in range(40 * PER_SEGMENT):
        journal.log("m", i)
        if i % (PER_SEGMENT // 2) == 0:
            drained(taken, journal, own)
            seen |= {path.stat().st_ino for path in (tmp_path / "run-1").iterdir()}
    assert len(seen) == 2
    journal.close()


def test_a_segment_in_which_a_taken_slot_was_given_up_is_not_used_again(tmp_path: Path) -> None:
    clock = SetClock()
    taken, journal = Taken(tmp_path), open_journal(tmp_path, clock=clock)
    own = mover(taken, journal)
    journal.log("m", 0)
    late = journal.pen.tape.slot
    at = late[1]()  # its taker is held up, in a signal handler for one
    for i in range(1, PER_SEGMENT + 10):
        journal.log("m", i)
    drained(taken, journal, own)
    clock.advance(0.6)
    assert drained(taken, journal, own) == ["w1.000001.hwj"]
    with pytest.raises(ValueError, match="closed"):
        late[0][at : at + 32] = bytes(32)  # and comes to write it now
    for i in range(PER_SEGMENT + 10, 4 * PER_SEGMENT):
        journal.log("m", i)
        if i % 50 == 0:
            drained(taken, journal, own)
    drained(taken, journal, own)
    assert taken.values == list(range(4 * PER_SEGMENT))
    assert taken.lost == 1
    journal.close()


def during_reads(monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], None]) -> None:
    """Have something happen before a file of a journal is read the n-th time from now on."""
    pread, count = os.pread, iter(range(1_000_000))

    def interrupted(fd: int, size: int, at: int) -> bytes:
        if next(count) == number:
            act()
        return pread(fd, size, at)

    monkeypatch.setattr(drain.os, "pread", interrupted)


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize("refilled", [0, 20, PER_SEGMENT + 20])
def test_a_reader_that_is_overtaken_takes_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, refilled: int
) -> None:
    taken, journal = Taken(tmp_path), open_journal(tmp_path)
    own = mover(taken, journal)
    logged = iter(range(10_000))

    def log(count: int) -> None:
        for _ in range(count):
            journal.log("m", next(logged))

    def overtake() -> None:
        monkeypatch.undo()
        drained(taken, journal, own)
        log(PER_SEGMENT - 20)  # enters the recycled segment
        log(refilled)

    log(PER_SEGMENT + 10)
    during_reads(monkeypatch, number, overtake)
    mover(taken).drain("run-1")
    monkeypatch.undo()
    drained(taken, journal, own)
    assert taken.values == list(range(next(logged)))
    assert taken.lost == 0
    journal.close()


def test_several_that_drain_at_once_take_every_point_once(tmp_path: Path) -> None:
    taken, journal = Taken(tmp_path), open_journal(tmp_path)
    own = mover(taken, journal)
    done = threading.Event()
    failures: list[BaseException] = []

    def drain_all_along(by: Callable[[], object]) -> None:
        try:
            while not done.is_set():
                by()
        except BaseException as error:  # noqa: BLE001 - told in the main thread
            failures.append(error)

    foreign = mover(taken)
    threads = [
        threading.Thread(target=drain_all_along, args=(by,))
        for by in (lambda: (journal.sync(), own.drain("run-1")), lambda: foreign.drain("run-1"))
    ]
    for thread in threads:
        thread.start()
    for i in range(60 * PER_SEGMENT):
        journal.log("m", i)
    done.set()
    for thread in threads:
        thread.join()
    journal.close()
    foreign.drain("run-1")
    assert failures == []
    assert taken.values == list(range(60 * PER_SEGMENT))
    assert taken.lost == 0
    assert not (tmp_path / "run-1").exists()


def test_where_the_spare_was_deleted_a_new_file_is_made(tmp_path: Path) -> None:
    taken, journal = Taken(tmp_path), open_journal(tmp_path)
    own = mover(taken, journal)
    for i in range(PER_SEGMENT + 10):
        journal.log("m", i)
    drained(taken, journal, own)
    (tmp_path / "run-1" / "w1.000000.new").unlink()
    for i in range(PER_SEGMENT + 10, 3 * PER_SEGMENT):
        journal.log("m", i)
    drained(taken, journal, own)
    assert taken.values == list(range(3 * PER_SEGMENT))
    journal.close()


@pytest.mark.parametrize("step", range(2))
def test_a_segment_may_be_made_while_another_is_recycled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    taken, journal = Taken(tmp_path), open_journal(tmp_path)
    own = mover(taken, journal)
    for i in range(PER_SEGMENT + 10):
        journal.log("m", i)
    journal.sync()
    name = ("fsync", "fdatasync")[step]
    sync = getattr(os, name)

    def overtaken(fd: int) -> None:
        monkeypatch.undo()
        for i in range(PER_SEGMENT + 10, 3 * PER_SEGMENT):
            journal.log("m", i)
        sync(fd)

    monkeypatch.setattr(os, name, overtaken)
    own.drain("run-1")
    for i in range(3 * PER_SEGMENT, 6 * PER_SEGMENT):
        journal.log("m", i)
    drained(taken, journal, own)
    assert taken.values == list(range(6 * PER_SEGMENT))
    journal.close()


def test_another_journal_that_was_taken_in_is_none_of_its_business(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    for i in range(PER_SEGMENT + 10):
        journal.log("m", i)
    journal.sync()
    journal.recycle("another", 1 << 30)
    journal.recycle("w1", PER_SEGMENT * 32 - 32)
    assert read_journals(tmp_path).values("m") == list(range(PER_SEGMENT + 10))
    journal.recycle("w1", PER_SEGMENT * 32)
    assert (tmp_path / "run-1" / "w1.000000.new").exists()
    journal.close()
    journal.recycle("w1", 1 << 30)
    assert not (tmp_path / "run-1" / "w1.000000.new").exists()


KILLED = """
import os, sys
from pathlib import Path
from headway.testing.journals import open_journal
journal = open_journal(Path(sys.argv[1]))
for i in range(200):
    journal.log("m", i)
journal.sync()
journal.recycle("w1", 128 * 32)
for i in range(200, 280):  # fills the second segment, and enters the third
    journal.log("m", i)
journal.sync()
journal.recycle("w1", 256 * 32)
pid = os.fork()
if pid == 0:
    print("child", flush=True)
    sys.stdin.read()
    os._exit(0)
os.kill(os.getpid(), 9)
"""


def test_a_child_by_fork_holds_no_recycled_file_of_a_killed_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", KILLED, str(tmp_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "child\n"
        assert process.wait() == -signal.SIGKILL
        (found,) = drain.journals(tmp_path)
        assert not found.alive
        assert found.segments == [2]
        spare = tmp_path / "run-1" / "w1.000001.new"
        assert spare.exists()
        assert not locks.is_held(spare)
        taken = Taken(tmp_path)
        before = JournalStretch("run-1", "w1", 0, bytes(256 * 32), torn=True)
        taken.append_many([before])  # what was taken in and discarded
        mover(taken).drain("run-1")
        assert not (tmp_path / "run-1").exists()


def test_a_header_that_a_power_cut_took_is_known_by_name_and_size(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    for i in range(PER_SEGMENT + 10):
        journal.log("m", i)
    journal.close()
    with open(tmp_path / "run-1" / "w1.000001.hwj", "r+b") as file:
        file.write(bytes(HEADER_BYTES))
    assert read_journals(tmp_path).values("m") == list(range(PER_SEGMENT + 10))
