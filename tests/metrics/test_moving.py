"""Moving the journals of several runs at once."""

from pathlib import Path
from typing import cast

import pytest

from headway.api import Metrics
from headway.errors import RunNotFoundError, StorageCorruptError, StorageFullError
from headway.metrics.journal import JournalWriter
from headway.metrics.moving import Mover
from headway.model import JournalStretch


class Recorded:
    """Takes in whole stretches, and refuses what it is told to."""

    def __init__(self, folder: Path) -> None:
        self.journal_dir = folder
        self.calls = list[list[str]]()
        self.offsets = dict[str, int]()
        self.unknown = set[str]()
        self.full = False

    def offset(self, run_id: str, writer_id: str) -> int:
        return self.offsets.get(run_id, 0)

    def append_many(self, stretches: list[JournalStretch]) -> list[int]:
        runs = [stretch.run_id for stretch in stretches]
        self.calls.append(runs)
        if self.full:
            raise StorageFullError("the disk is full")
        if self.unknown & set(runs):
            raise RunNotFoundError(f"there are no runs {self.unknown}")
        for stretch in stretches:
            begin = self.offset(stretch.run_id, stretch.writer_id) - stretch.offset
            assert begin >= 0
            self.offsets[stretch.run_id] = stretch.offset + len(stretch.records)
        return [self.offsets[run_id] for run_id in runs]


@pytest.fixture
def workspace(tmp_path: Path) -> Recorded:
    folder = tmp_path / "journals"
    folder.mkdir()
    return Recorded(folder)


@pytest.fixture
def mover(workspace: Recorded) -> Mover:
    return Mover(cast(Metrics, workspace))


def log(folder: Path, run_id: str, count: int = 10) -> int:
    """The bytes of a journal, which is closed."""
    journal = JournalWriter(
        folder,
        run_id,
        f"writer of {run_id}",
        segment_bytes=8192,
        max_text_bytes=100,
        max_name_chars=100,
        warn=pytest.fail,
    )
    for i in range(count):
        journal.log("m", i)
    journal.close()
    return journal.written


def test_many_runs_are_moved_at_once(workspace: Recorded, mover: Mover) -> None:
    written = {f"run {i}": log(workspace.journal_dir, f"run {i}") for i in range(20)}
    mover.drain_many(written)
    assert len(workspace.calls) == 1
    assert workspace.offsets == written
    assert list(workspace.journal_dir.iterdir()) == []


def test_a_long_journal_is_moved_in_stretches(workspace: Recorded) -> None:
    written = {"long": log(workspace.journal_dir, "long", 1000)}
    written["short"] = log(workspace.journal_dir, "short")
    Mover(cast(Metrics, workspace), most_bytes=8192).drain_many(["long", "short"])
    assert workspace.calls[:2] == [["long"], ["short", "long"]]
    assert workspace.offsets == written
    assert list(workspace.journal_dir.iterdir()) == []


def test_one_damaged_run_does_not_keep_the_others(workspace: Recorded, mover: Mover) -> None:
    written = {run_id: log(workspace.journal_dir, run_id) for run_id in ("a", "c")}
    foreign = workspace.journal_dir / "b" / "w.000000.hwj"
    foreign.parent.mkdir()
    foreign.write_bytes(b"something else")
    with pytest.raises(StorageCorruptError, match="not a journal"):
        mover.drain_many(["a", "b", "c"])
    assert workspace.offsets == written
    assert [path.name for path in workspace.journal_dir.iterdir()] == ["b"]


def test_a_run_that_is_not_known_does_not_keep_the_others(
    workspace: Recorded, mover: Mover
) -> None:
    written = {run_id: log(workspace.journal_dir, run_id) for run_id in ("a", "b", "c")}
    workspace.unknown = {"b"}
    with pytest.raises(RunNotFoundError):
        mover.drain_many(written)
    del written["b"]
    assert workspace.offsets == written
    workspace.unknown = set()
    mover.drain("b")
    assert list(workspace.journal_dir.iterdir()) == []


def test_trouble_of_the_whole_workspace_ends_it(workspace: Recorded, mover: Mover) -> None:
    for run_id in ("a", "b"):
        log(workspace.journal_dir, run_id)
    workspace.full = True
    with pytest.raises(StorageFullError):
        mover.drain_many(["a", "b"])
    assert len(workspace.calls) == 1
    workspace.full = False
    mover.drain_many(["a", "b"])
    assert list(workspace.journal_dir.iterdir()) == []


def test_what_another_process_took_in_and_discarded_is_not_waited_for(
    workspace: Recorded, mover: Mover
) -> None:
    journal = JournalWriter(
        workspace.journal_dir,
        "run",
        "writer",
        segment_bytes=8192,
        max_text_bytes=100,
        max_name_chars=100,
        warn=pytest.fail,
    )
    journal.log("m", 0)
    mover.drain("run")
    for i in range(300):
        journal.log("m", i)
    Mover(cast(Metrics, workspace)).drain("run")
    journal.log("m", 300)
    mover.drain("run")
    assert workspace.offsets == {"run": journal.written}
    journal.close()
