"""Purges and collections of an embedded workspace: what goes, what stays, what interrupts them."""

import io
import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from headway.api import Api
from headway.assets import NewAsset
from headway.engines.folder import RunFolder
from headway.errors import StorageError
from headway.hosting.layout import Layout
from headway.metrics.journal import JournalWriter
from headway.model import MetricQuery, NewRun, RunChange, RunQuery, Status
from headway.service.upkeep import folders, purging
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.store import trash
from headway.store.sqlite import SqliteDatabase
from headway.testing.api.requests import log, open_writer
from headway.upkeep import PurgeOrder, RetentionRule

DAY_US = 86_400_000_000


class Clock:
    """The time, which goes on when it is told to."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return time.time_ns() // 1000 + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(tmp_path: Path, clock: Clock) -> Iterator[EmbeddedWorkspace]:
    workspace = open_workspace(tmp_path / "ws", load_settings({}), clock=clock)
    yield workspace
    workspace.close()


@pytest.fixture
def layout(api: EmbeddedWorkspace) -> Layout:
    return Layout(Path(api.info().location))


def ended(api: Api, run_id: str) -> str:
    api.runs.create([NewRun(run_id, api.experiments.ensure("e").id, started=True)])
    log(api, run_id, lambda writer: writer.log("x", 1.5))
    api.files.put(run_id, "a", io.BytesIO(b"x" * 1000))
    api.runs.end(run_id, Status.COMPLETED)
    return run_id


def kinds(api: Api, *, dry_run: bool = False) -> dict[str, list[str]]:
    return {one.kind: one.examples for one in api.upkeep.collect(dry_run=dry_run)}


def nothing_is_left_of(run_id: str, layout: Layout) -> bool:
    return not (layout.run(run_id).exists() or (layout.journals / run_id).exists())


# ---------------------------------------------------------------- purge


def test_a_purge_leaves_nothing_of_a_run(api: EmbeddedWorkspace, layout: Layout) -> None:
    ended(api, "r")
    with closing(SqliteDatabase(layout.database)) as database:
        api.runs.delete(["r"])
        api.upkeep.purge(PurgeOrder())
        with database.read() as tx:
            counts = {
                table: tx.all(f"select count(*) from {table}")[0][0]
                for (table,) in tx.all("select name from sqlite_master where type = 'table'")
            }
    left = {table for table, count in counts.items() if count}
    assert left == {"migrations", "workspace", "experiments"}
    assert nothing_is_left_of("r", layout)


def test_a_purge_that_was_interrupted_is_finished_by_the_next_one(
    api: EmbeddedWorkspace, layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    for run_id in ("r-1", "r-2"):
        ended(api, run_id)
    api.runs.delete(["r-1", "r-2"])

    def refuse(path: Path) -> None:
        raise StorageError(f"{path} is busy")

    with monkeypatch.context() as patch:
        patch.setattr(purging.folders, "remove", refuse)
        with pytest.raises(StorageError, match="busy"):
            api.upkeep.purge(PurgeOrder())
    assert [run.id for run in api.runs.list(RunQuery(deleted=True)).runs] == ["r-2"]
    assert layout.run("r-1").exists()
    assert kinds(api, dry_run=True) == {"purged runs": ["r-1"]}
    purged = api.upkeep.purge(PurgeOrder())
    assert purged.run_ids == ["r-2"]
    assert nothing_is_left_of("r-1", layout)
    assert kinds(api) == {}


def test_a_folder_that_a_program_made_read_only_goes_too(
    api: EmbeddedWorkspace, layout: Layout
) -> None:
    ended(api, "r")
    locked = layout.run("r") / "work" / "locked"
    locked.mkdir(parents=True)
    (locked / "file").touch()
    locked.chmod(0o500)
    api.runs.delete(["r"])
    api.upkeep.purge(PurgeOrder())
    assert nothing_is_left_of("r", layout)


def test_links_in_a_run_folder_are_not_followed(
    api: EmbeddedWorkspace, layout: Layout, tmp_path: Path
) -> None:
    ended(api, "r")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis").touch()
    (layout.run("r") / "out").symlink_to(tmp_path / "mine")
    api.runs.delete(["r"])
    api.upkeep.purge(PurgeOrder())
    assert (tmp_path / "mine" / "thesis").exists()


def test_source_that_only_purged_runs_had_goes_a_day_later(
    api: EmbeddedWorkspace, layout: Layout, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for run_id in ("r-1", "r-2"):
        (source / "own.py").write_text(run_id)
        (source / "same.py").write_text("same")
        ended(api, run_id)
        api.snapshots.take(run_id, source)
    api.runs.delete(["r-1"])
    assert api.upkeep.purge(PurgeOrder()).snapshots == 0
    _make_old(layout.snapshots)
    assert [one.count for one in api.upkeep.collect()] == [1]
    kept = api.runs.get("r-2").snapshot_id
    assert kept is not None
    api.snapshots.write_zip(kept, tmp_path / "a.zip")


def test_compacting_makes_the_database_smaller(api: EmbeddedWorkspace, layout: Layout) -> None:
    ended(api, "r")
    api.runs.create([NewRun("big", api.experiments.ensure("e").id, started=True)])
    log(
        api,
        "big",
        lambda writer: writer.log_values("t", ["x" * 900_000 + str(i) for i in range(3)]),
    )
    for i in range(5):
        text = os.urandom(400_000).hex()
        log(api, "big", lambda writer, text=text, i=i: writer.log(f"text-{i}", text))
    api.metrics.summarize(MetricQuery("big"))
    api.runs.end("big", Status.COMPLETED)
    api.runs.delete(["big"])
    purged = api.upkeep.purge(PurgeOrder(compact=True))
    assert purged.database_bytes > 1_000_000
    assert purged.compacted_bytes > 1_000_000
    assert layout.database.stat().st_size < 1_000_000


# ---------------------------------------------------------------- gc


def test_a_workspace_in_use_has_no_garbage(api: EmbeddedWorkspace, clock: Clock) -> None:
    ended(api, "r")
    api.runs.create([NewRun("living", api.experiments.ensure("e").id, started=True)])
    writer = open_writer(api.metrics.journal_dir, "living")
    writer.log("x", 1)
    clock.ahead = 2 * DAY_US
    assert kinds(api) == {}
    writer.close()
    assert api.metrics.read(MetricQuery("living"))[0].values == [1]
    with api.files.open("r", "a") as stream:
        assert len(stream.read()) == 1000


def test_what_is_young_stays_and_what_is_old_goes(
    api: EmbeddedWorkspace, layout: Layout, clock: Clock
) -> None:
    ended(api, "r")
    orphan = layout.run("r") / "files" / ("0" * 64)
    orphan.write_bytes(b"x" * 10)
    (layout.run("r") / "files" / ".part-1").write_bytes(b"x")
    asset = layout.assets / "content" / "files" / ("1" * 64)
    asset.parent.mkdir(parents=True)
    asset.write_bytes(b"x")
    stray = layout.run("never-made")
    stray.mkdir()
    (stray / "spec.json").write_text("{}")
    journal = layout.journals / "gone"
    journal.mkdir()
    (journal / "w.000000.hwj").write_bytes(b"")
    owner = layout.owners / "dead"
    owner.touch()
    assert kinds(api) == {"assets": ["1" * 64]}  # told for certain by the lock of all who register
    clock.ahead = 2 * DAY_US
    expected = {
        "run folders": ["never-made"],
        "uploads": [f"r/{'0' * 64}", "runs/r/files/.part-1"],
        "journals": ["gone"],
        "owner locks": ["dead"],
    }
    before = {path: path.lstat().st_ctime_ns for path in layout.root.rglob("*")}
    assert kinds(api, dry_run=True) == expected
    after = {path: path.lstat().st_ctime_ns for path in layout.root.rglob("*")}
    assert {path: at for path, at in after.items() if "headway.db" not in path.name} == {
        path: at for path, at in before.items() if "headway.db" not in path.name
    }
    assert kinds(api) == expected
    left = [path for path in (orphan, asset, stray, journal, owner) if path.exists()]
    assert left == []
    assert kinds(api) == {}


def test_names_of_journals_are_kept_for_months(
    api: EmbeddedWorkspace, layout: Layout, clock: Clock
) -> None:
    ended(api, "r")
    log(api, "r", _log_a_hundred)
    api.metrics.summarize(MetricQuery("r"))
    clock.ahead = 30 * DAY_US
    assert kinds(api) == {}
    clock.ahead = 100 * DAY_US
    [found] = api.upkeep.collect()
    assert (found.kind, found.count) == ("journal names", 1)
    assert found.size_bytes > 1000
    assert len(api.metrics.summarize(MetricQuery("r"))) == 101


def test_rules_spare_what_is_above_a_run_that_is_kept(
    api: EmbeddedWorkspace, tmp_path: Path
) -> None:
    experiment_id = api.experiments.ensure("e").id
    for parent, child in (("tagged", "a"), ("model", "b"), ("living", "c"), ("plain", "d")):
        api.runs.create([NewRun(parent, experiment_id, started=True)])
        api.runs.create([NewRun(child, experiment_id, parent_id=parent, started=True)])
        if child != "c":
            api.runs.end(child, Status.COMPLETED)
        api.runs.end(parent, Status.COMPLETED)
    api.runs.change("a", RunChange(set_tags={"keep": None}))
    (tmp_path / "weights").write_bytes(b"w")
    new = NewAsset(id="m", kind="model", name="best", run_id="b")
    api.assets.register(new, tmp_path / "weights")
    api.upkeep.set_rule(RetentionRule(keep_last=0))
    assert kinds(api, dry_run=True) == {"retention": ["plain"]}
    assert kinds(api) == {"retention": ["plain"]}
    assert len(api.runs.list(RunQuery()).runs) == 3


def test_a_folder_that_somebody_holds_stays(
    api: EmbeddedWorkspace, layout: Layout, clock: Clock
) -> None:
    folder = layout.run("being-made")
    folder.mkdir()
    fd = RunFolder(folder).hold()
    clock.ahead = 2 * DAY_US
    assert kinds(api) == {}
    os.close(fd)
    assert kinds(api) == {"run folders": ["being-made"]}


def test_a_tree_of_a_folder_that_vanishes_is_no_error(tmp_path: Path) -> None:
    folders.remove(tmp_path / "nothing")
    assert folders.size_of(tmp_path / "nothing") == 0
    assert folders.entries(tmp_path / "nothing") == []


def test_deleting_a_thousand_children_is_one_step(api: EmbeddedWorkspace, layout: Layout) -> None:
    experiment_id = api.experiments.ensure("e").id
    api.runs.create([NewRun("top", experiment_id, started=True)])
    children = [NewRun(f"c-{i}", experiment_id, parent_id="top", started=True) for i in range(1000)]
    api.runs.create(children)
    with closing(SqliteDatabase(layout.database)) as database, database.write() as tx:
        tx.run("update runs set status = 'Completed', ended_at = 5")
    assert len(api.runs.delete(["top"])) == 1001
    with closing(SqliteDatabase(layout.database)) as database, database.read() as tx:
        assert trash.tops(tx, 1 << 60) == ["top"]
    assert len(api.runs.restore(["top"])) == 1001


def _make_old(folder: Path) -> None:
    before = time.time() - 3 * 86400
    for path in folder.rglob("*"):
        os.utime(path, (before, before))


def _log_a_hundred(writer: JournalWriter) -> None:
    for i in range(100):
        writer.log(f"metric-{i}", i)
