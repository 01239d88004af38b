"""What a journal stands: being killed, forked, starved of space, deleted, interrupted."""

import errno
import fcntl
import gc
import os
import resource
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.errors import InvalidValueError
from headway.metrics import journal as journal_module
from headway.metrics.drain import discard, journals, journals_of, read
from headway.metrics.records import NameTable, decode
from headway.metrics.segment import Segment, SegmentHeader
from headway.metrics.slots import SLOT
from headway.testing.journals import SetClock, open_journal, read_journals

LOG_AND_WAIT = """
import sys
import tracemalloc
from pathlib import Path
from headway.testing.journals import open_journal
journal = open_journal(Path(sys.argv[1]), segment_bytes=65536)
for i in range(10_000):
    journal.log("m", i * 0.5, step=i)
print("logged", flush=True)
sys.stdin.read()
"""


def start(program: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_sigkill_right_after_log_loses_nothing(tmp_path: Path) -> None:
    with start(LOG_AND_WAIT, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "logged\n"
        assert [journal.alive for journal in journals(tmp_path)] == [True]
        process.send_signal(signal.SIGKILL)
        process.wait()
    (journal,) = journals(tmp_path)
    assert not journal.alive
    assert journal.segments == [0, 1, 2, 3, 4, 5]
    told = read_journals(tmp_path)
    assert told.lost == 0
    assert told.points["m", "", "scalar"] == [(i, i * 0.5) for i in range(10_000)]


def test_sigkill_while_logging_leaves_a_whole_beginning(tmp_path: Path) -> None:
    program = LOG_AND_WAIT.replace('print("logged"', 'print("logged", i').replace(
        "for i in range(10_000)",
        "import itertools\nprint('begun', flush=True)\nfor i in itertools.count()",
    )
    with start(program, tmp_path) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while not (found := journals(tmp_path)) or len(found[0].segments) < 3:
            pass
        process.kill()
        process.wait()
    told = read_journals(tmp_path)
    points = told.points["m", "", "scalar"]
    assert points == [(i, i * 0.5) for i in range(len(points))]
    assert len(points) >= 2 * 1920 - 2  # two segments, less the records that define the name
    assert told.lost <= 1


def test_a_child_after_fork_has_a_journal_of_its_own(tmp_path: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from headway.testing.journals import open_journal
journal = open_journal(Path(sys.argv[1]))
journal.log("m", "of the parent")
pid = os.fork()
if pid == 0:
    assert journal.writer_id != "w1"
    journal.log("m", "of the child")
    journal.log_values("list", [1, 2])
    os._exit(journal.lost)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
journal.log("m", "of the parent again")
print("logged", flush=True)
sys.stdin.read()
"""
    with start(program, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "logged\n"
        alive = {each.writer_id: each.alive for each in journals(tmp_path)}
    assert alive.pop("w1") is True
    assert list(alive.values()) == [False]
    told = read_journals(tmp_path)
    assert sorted(map(str, told.values("m"))) == [
        "of the child",
        "of the parent",
        "of the parent again",
    ]
    assert told.points["list", "", "list"] == [(None, 1), (None, 2)]


def test_forks_from_threads_that_log_leave_whole_journals(tmp_path: Path) -> None:
    program = """
import os, sys, threading
from pathlib import Path
from headway.testing.journals import open_journal
journal = open_journal(Path(sys.argv[1]))

def work(number):
    for i in range(400):
        journal.log(f"thread {number}", i)
        if i % 100 == 0:
            pid = os.fork()
            if pid == 0:
                for j in range(200):
                    journal.log("child", j)
                os._exit(journal.lost)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("logged", flush=True)
"""
    with start(program, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.read() == "logged\n"
    told = read_journals(tmp_path)
    for number in range(3):
        assert told.values(f"thread {number}") == list(range(400))
    assert len(told.values("child")) == 12 * 200
    assert told.lost == 0


def test_a_child_that_outlives_its_parent_does_not_hold_its_lock(tmp_path: Path) -> None:
    program = LOG_AND_WAIT.replace("sys.stdin.read()", "").replace(
        'print("logged", flush=True)',
        "import os\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    print('child', flush=True)\n"
        "    sys.stdin.read()\n"
        "    os._exit(0)\n"
        "os.kill(os.getpid(), 9)\n",
    )
    with start(program, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "child\n"
        process.wait()
        assert [journal.alive for journal in journals(tmp_path)] == [False]


def test_a_writer_that_is_gone_after_exec_of_another_program_is_dead(tmp_path: Path) -> None:
    program = LOG_AND_WAIT.replace(
        'print("logged", flush=True)',
        "import os\nos.execv(sys.executable, [sys.executable, '-c', "
        "\"import sys; print('other', flush=True); sys.stdin.read()\"])",
    )
    with start(program, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "other\n"
        assert [journal.alive for journal in journals(tmp_path)] == [False]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, or a limit on the size of files where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    gc.collect()
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_is_counted_told_once_and_left_behind(small_disk: Path) -> None:
    clock = SetClock()
    warnings: list[str] = []
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(44_000))  # leaves room for two segments, not for three
    journal = open_journal(small_disk, segment_bytes=8192, clock=clock, warn=warnings.append)
    for i in range(300):
        journal.log("m", i)
    kept = len(read_journals(small_disk).values("m"))
    assert 0 < kept < 300
    assert journal.lost == 300 - kept
    journal.log("a text", "x" * 500)
    journal.log_values("a list", [1, 2])
    journal.log("m", 300)
    assert journal.lost == 300 - kept + 4
    assert len(warnings) == 1
    assert "No space left on device" in warnings[0]
    ballast.unlink()
    journal.log("m", 301)  # within a second of the last try: not tried again
    assert journal.lost == 300 - kept + 5
    clock.advance(1.1)
    journal.log("m", 302)
    journal.log("a text", "y" * 500)
    told = read_journals(small_disk)
    assert told.values("m") == [*range(kept), 302]
    assert told.values("a text") == ["y" * 500]
    assert told.lost == journal.lost
    assert len(warnings) == 1
    journal.close()


def test_a_limit_on_the_size_of_files_does_not_raise(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    warnings: list[str] = []
    journal = open_journal(tmp_path, segment_bytes=1 << 20, warn=warnings.append)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        journal.log("m", 1.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert journal.lost == 1
    assert len(warnings) == 1
    assert not list(tmp_path.rglob("*.*"))


def test_sync_brings_the_count_of_lost_points_into_the_journal(tmp_path: Path) -> None:
    blocked = tmp_path / "journals"
    blocked.write_text("a file where the folder should be")
    clock = SetClock()
    journal = open_journal(blocked, clock=clock, warn=lambda _: None)
    for i in range(5):
        journal.log("m", i)
    blocked.unlink()
    clock.advance(-3600)  # a clock set back does not postpone the next try
    journal.sync()
    assert read_journals(blocked).lost == 5
    journal.close()


def test_misuse_is_told_even_where_nothing_can_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "journals"
    blocked.write_text("")
    journal = open_journal(blocked, warn=lambda _: None)
    with pytest.raises(InvalidValueError):
        journal.log("m", [1])
    assert journal.lost == 0


def test_a_deleted_file_is_noticed_and_a_new_journal_begun(tmp_path: Path) -> None:
    warnings: list[str] = []
    journal = open_journal(tmp_path, warn=warnings.append)
    journal.log("m", 1)
    (path,) = tmp_path.rglob("*.hwj")
    path.unlink()
    path.parent.rmdir()
    journal.sync()
    journal.log("m", 2)
    told = read_journals(tmp_path)
    assert told.values("m") == [2]
    assert told.lost == journal.lost > 0
    assert len(warnings) == 1
    assert "was deleted" in warnings[0]
    journal.close()


def test_a_sync_that_fails_is_told_and_does_not_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(fd: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    warnings: list[str] = []
    journal = open_journal(tmp_path, warn=warnings.append)
    journal.log("m", 1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        journal.sync()
        journal.sync()
    assert journal.lost == 0
    assert len(warnings) == 1
    assert "could not be carried to the disk: [Errno 5]" in warnings[0]
    journal.close()
    assert read_journals(tmp_path).values("m") == [1]


def test_a_living_writer_holds_the_lock_of_its_newest_segment(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    for i in range(300):
        journal.log("m", i)
        assert [each.alive for each in journals_of(tmp_path, "run-1")] == [True]
    with open(max(tmp_path.rglob("*.hwj")), "rb") as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        journal.close()
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    assert [each.alive for each in journals(tmp_path)] == [False]


def test_a_writer_that_is_dropped_is_dead(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    for i in range(300):
        journal.log("m", i)
    del journal
    gc.collect()
    assert [each.alive for each in journals(tmp_path)] == [False]


def test_a_slot_that_was_taken_and_never_written_does_not_hold_up_readers(tmp_path: Path) -> None:
    clock = SetClock()
    journal = open_journal(tmp_path, clock=clock)
    journal.log("m", 1.0)
    segment = journal._tape.segment  # pyright: ignore[reportPrivateUsage]
    segment.take()  # and then a signal handler raised
    journal.log("m", 2.0)
    journal.sync()
    assert read_journals(tmp_path).values("m") == [1.0]
    clock.advance(0.3)
    journal.sync()
    assert read_journals(tmp_path).values("m") == [1.0]
    clock.advance(0.3)
    journal.sync()
    told = read_journals(tmp_path)
    assert told.values("m") == [1.0, 2.0]
    assert told.lost == 1
    journal.close()


def test_a_text_whose_writing_was_interrupted_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SetClock()
    journal = open_journal(tmp_path, clock=clock)
    journal.log("m", "first")
    with monkeypatch.context() as patch:
        left = iter([True, True])

        def interrupted(mapped: bytearray, at: int, crc: int, body: bytes) -> None:
            if not next(left, False):
                raise KeyboardInterrupt
            SLOT.pack_into(mapped, at, crc, body)

        patch.setattr(journal_module, "_pack_slot_into", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.log("m", "x" * 100)
    journal.log("m", "second")
    journal.sync()
    told = read_journals(tmp_path)
    assert told.values("m") == ["first"]  # a slot was taken and not written
    clock.advance(0.6)
    journal.sync()
    told = read_journals(tmp_path)
    assert told.values("m") == ["first", "second"]
    assert told.lost == 1
    journal.close()


def test_logging_in_a_signal_handler_while_a_segment_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = open_journal(tmp_path)
    journal.log("m", 0)
    create = Segment.create

    def interrupted(folder: Path, header: SegmentHeader) -> Segment:
        journal.log("m", -header.number)
        return create(folder, header)

    monkeypatch.setattr(Segment, "create", interrupted)
    for i in range(1, 300):
        journal.log("m", i)
    told = read_journals(tmp_path)
    assert told.lost == journal.lost == 0
    values = [value for value in told.values("m") if isinstance(value, int)]
    assert sorted(values) == [-2, -1, *range(300)]
    journal.close()


def test_segments_that_nobody_syncs_are_given_up_in_time(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, segment_bytes=8192)
    before = len(os.listdir("/proc/self/fd"))
    for i in range(128 * 60):
        journal.log("m", i)
    assert len(os.listdir("/proc/self/fd")) - before < 40
    journal.sync()
    assert len(os.listdir("/proc/self/fd")) - before <= 2
    assert read_journals(tmp_path).values("m") == list(range(128 * 60))
    journal.close()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_drained_files_go_while_the_writer_lives(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    for i in range(300):
        journal.log("m", i)
    (found,) = journals(tmp_path)
    data = read(tmp_path, found, 0, 1 << 20)
    stretch = decode(data, NameTable(), torn=False)
    discard(tmp_path, found, stretch.consumed, finished=False)
    assert journals(tmp_path)[0].segments == [2]
    journal.log("m", 300)
    rest = decode(read(tmp_path, found, stretch.consumed, 1 << 20), stretch.names, torn=False)
    assert list(rest.columns[0].values) == [300]
    journal.close()


def test_memory_does_not_grow_with_what_is_logged(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, segment_bytes=65_536)
    metrics = {f"metric {i}": i * 0.5 for i in range(10)}

    def log_many() -> None:
        for i in range(3000):
            journal.log("m", i * 0.5, step=i)
            journal.log("text", f"text {i}")
            journal.log_metrics(metrics, step=i)
            if i % 1000 == 0:
                journal.sync()

    log_many()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        log_many()
        assert tracemalloc.get_traced_memory()[0] - before < 20_000
    finally:
        tracemalloc.stop()
    journal.close()


def test_the_training_loop_never_waits_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    journal = open_journal(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", synced.append)
        patch.setattr(os, "fdatasync", synced.append)
        for i in range(128 * 40):  # more segments than are kept open
            journal.log("m", i)
        assert synced == []
        journal.sync()
    assert len(synced) == 40 + 1 + 2  # each file once, and the two folders
    journal.close()


def test_what_the_workspace_has_taken_in_is_not_carried_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    journal = open_journal(tmp_path)
    for i in range(128 * 5):
        journal.log("m", i)
    with monkeypatch.context() as patch:
        journal.settle()
        for number in range(5):
            (tmp_path / "run-1" / f"w1.{number:06d}.hwj").unlink()
        journal.recycle("w1", 5 * 128 * 32)
        patch.setattr(os, "fdatasync", synced.append)
        journal.sync()
    assert len(synced) == 1
    journal.close()


def test_a_sync_with_nothing_new_does_not_touch_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    clock = SetClock()
    journal = open_journal(tmp_path, clock=clock)
    journal.log("m", 1)
    journal.sync()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", synced.append)
        patch.setattr(os, "fdatasync", synced.append)
        journal.sync()
        assert synced == []
        journal.log("m", 2)
        journal.pen.tape.segment.take()  # and then a signal handler raised
        journal.log("m", 3)
        journal.sync()
        journal.sync()  # what is behind a hole may be new
        assert len(synced) == 2
        clock.advance(0.6)
        journal.sync()
        journal.sync()
        assert len(synced) == 3
        journal.close()
        assert len(synced) == 3
