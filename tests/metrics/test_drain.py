"""Finding, reading and deleting the files of journals."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.errors import StorageCorruptError
from headway.metrics.drain import JournalInfo, discard, journals, journals_of, read
from headway.metrics.journal import JournalWriter
from headway.metrics.records import NameTable, decode
from headway.metrics.slots import HEADER_BYTES
from headway.testing.journals import open_journal, read_journals


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[JournalWriter]:
    writer = open_journal(tmp_path)
    for i in range(300):  # three segments of 128 slots
        writer.log("m", i)
    yield writer
    writer.close()


def only(folder: Path) -> JournalInfo:
    (found,) = journals(folder)
    return found


def test_no_folder_is_no_journals(tmp_path: Path) -> None:
    assert journals(tmp_path / "none") == []
    assert journals_of(tmp_path, "none") == []


def test_journals_are_found_by_run_and_writer(tmp_path: Path, journal: JournalWriter) -> None:
    other = open_journal(tmp_path, "w.2")
    other.log("m", 1)
    (tmp_path / "run-1" / "notes.txt").write_text("foreign")
    (tmp_path / "a file").write_text("foreign")
    assert journals(tmp_path) == [
        JournalInfo("run-1", "w.2", [0], alive=True),
        JournalInfo("run-1", "w1", [0, 1, 2], alive=True),
    ]
    other.close()
    assert [each.alive for each in journals(tmp_path)] == [False, True]
    assert [each.writer_id for each in journals_of(tmp_path, "run-1")] == ["w.2", "w1"]


def test_reading_ends_where_writing_has(tmp_path: Path, journal: JournalWriter) -> None:
    data = read(tmp_path, only(tmp_path), 0, 1 << 20)
    assert len(data) == journal.written == 302 * 32
    assert read(tmp_path, only(tmp_path), len(data), 1 << 20) == b""
    assert read(tmp_path, only(tmp_path), len(data) + 32 * 1000, 1 << 20) == b""
    journal.log("m", 300)
    assert len(read(tmp_path, only(tmp_path), len(data), 1 << 20)) == 32


@pytest.mark.parametrize("max_bytes", [32, 33, 96, 4096, 5000])
def test_any_size_of_stretch_reads_the_same(
    tmp_path: Path, journal: JournalWriter, max_bytes: int
) -> None:
    assert read_journals(tmp_path, max_bytes).values("m") == list(range(300))


def test_only_whole_segments_behind_the_offset_are_deleted(
    tmp_path: Path, journal: JournalWriter
) -> None:
    discard(tmp_path, only(tmp_path), 128 * 32 - 32, finished=False)
    assert only(tmp_path).segments == [0, 1, 2]
    discard(tmp_path, only(tmp_path), 2 * 128 * 32, finished=True)
    assert only(tmp_path).segments == [2]
    discard(tmp_path, only(tmp_path), 3 * 128 * 32, finished=True)
    assert only(tmp_path).segments == [2]
    assert len(read(tmp_path, only(tmp_path), 256 * 32, 1 << 20)) == 46 * 32


def test_a_dead_journal_goes_with_its_folder_once_all_is_taken(
    tmp_path: Path, journal: JournalWriter
) -> None:
    written = journal.written
    journal.close()
    (tmp_path / "run-1" / "w1.000003.new").write_bytes(b"was being made")
    discard(tmp_path, only(tmp_path), written - 32, finished=False)
    assert only(tmp_path).segments == [2]
    found = only(tmp_path)
    discard(tmp_path, found, written, finished=True)
    assert not (tmp_path / "run-1").exists()
    discard(tmp_path, found, written, finished=True)
    assert read(tmp_path, found, 0, 100) == b""


def test_the_folder_stays_while_others_are_in_it(tmp_path: Path, journal: JournalWriter) -> None:
    other = open_journal(tmp_path, "w2")
    other.log("m", 1)
    other.close()
    discard(tmp_path, journals(tmp_path)[1], other.written, finished=True)
    assert only(tmp_path).writer_id == "w1"


def test_what_a_missing_segment_held_is_lost_and_the_rest_is_read(
    tmp_path: Path, journal: JournalWriter
) -> None:
    (tmp_path / "run-1" / "w1.000001.hwj").unlink()
    first = read(tmp_path, only(tmp_path), 0, 1 << 20)
    assert len(first) == 128 * 32  # of a living writer, somebody may be deleting
    journal.close()
    told = read_journals(tmp_path, 1 << 20)
    assert told.values("m") == [*range(126), *range(254, 300)]
    assert told.lost == 128
    assert read_journals(tmp_path, 1024).lost == 128


def test_a_hole_in_the_middle_of_a_dead_journal_does_not_end_it(
    tmp_path: Path, journal: JournalWriter
) -> None:
    journal.close()
    with open(tmp_path / "run-1" / "w1.000002.hwj", "r+b") as file:  # a power cut lost a page
        file.seek(HEADER_BYTES + 5 * 32)
        file.write(bytes(20 * 32))
    for max_bytes in (1 << 20, 32 * 8):
        assert read_journals(tmp_path, max_bytes).values("m") == [*range(259), *range(279, 300)]
    assert read_journals(tmp_path).lost == 20


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


@pytest.mark.parametrize(
    ("at", "damage", "message"),
    [
        (0, b"something else", "is not a journal of metrics"),
        (16, b"9", "of format 9, this Headway reads format 1"),
        (17, b" ffffffff", "is damaged .its checksum does not match"),
        (30, b"\xff\xff", "is damaged"),
    ],
)
def test_a_damaged_header_is_named(
    tmp_path: Path, journal: JournalWriter, at: int, damage: bytes, message: str
) -> None:
    path = tmp_path / "run-1" / "w1.000002.hwj"
    overwrite(path, at, damage)
    with pytest.raises(StorageCorruptError, match=message) as caught:
        read(tmp_path, only(tmp_path), 0, 1 << 20)
    assert str(path) in caught.value.message


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\n\n", bytes(10_000)])
def test_a_foreign_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run-1" / "w1.000000.hwj"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(StorageCorruptError, match="not a journal"):
        read(tmp_path, only(tmp_path), 0, 1 << 20)
    with pytest.raises(StorageCorruptError):
        discard(tmp_path, only(tmp_path), 0, finished=False)
    assert path.exists()


def test_a_journal_under_another_name_is_refused(tmp_path: Path, journal: JournalWriter) -> None:
    journal.close()
    (tmp_path / "run-1").rename(tmp_path / "run-2")
    with pytest.raises(StorageCorruptError, match="for run 'run-1'"):
        read(tmp_path, only(tmp_path), 0, 100)


def test_a_segment_cut_short_reads_as_lost(tmp_path: Path, journal: JournalWriter) -> None:
    journal.close()
    with open(tmp_path / "run-1" / "w1.000000.hwj", "r+b") as file:
        file.truncate(HEADER_BYTES + 100 * 32)
    told = read_journals(tmp_path)
    assert told.values("m") == [*range(98), *range(126, 300)]
    assert told.lost == 28


def test_two_drains_of_one_journal_do_not_disturb_each_other(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, segment_bytes=8192)
    done = threading.Event()
    failures: list[BaseException] = []

    def drain() -> None:
        try:
            names, offset = NameTable(), 0
            while not done.is_set():
                for each in journals(tmp_path):
                    stretch = decode(read(tmp_path, each, offset, 4096), names, torn=False)
                    names, offset = stretch.names, offset + stretch.consumed
                    assert stretch.lost == 0
                    discard(tmp_path, each, offset, finished=False)
        except BaseException as error:  # noqa: BLE001 - told in the main thread
            failures.append(error)

    threads = [threading.Thread(target=drain) for _ in range(2)]
    for thread in threads:
        thread.start()
    for i in range(5000):
        journal.log("m", i)
    done.set()
    for thread in threads:
        thread.join()
    journal.close()
    assert failures == []
