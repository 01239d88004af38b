"""What a move to any kind of database must do, and back."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import Make, fill
from tests.transfer.test_exports import told

from headway.errors import ConflictError, RunStateError, StorageCorruptError
from headway.hosting.layout import Layout
from headway.model import NewRun, RunQuery, Status
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.store import schema
from headway.store.base import Database
from headway.store.sqlite import SqliteDatabase
from headway.transfer import moving
from headway.transfer.moving import Moved, move


def moved(source: Database, target: Database) -> Moved:
    return move(source, target, lambda table, done, count: None)


def counts(database: Database) -> dict[str, int]:
    with database.read() as tx:
        return schema.count_rows(tx)


class MoveContract:
    """Subclass it and give it a fixture ``target``: an empty database with the schema."""

    @pytest.fixture
    def target(self) -> Database:
        raise NotImplementedError("give a fixture 'target' that yields an empty database")

    @pytest.fixture
    def idle(self, make: Make) -> EmbeddedWorkspace:
        """A workspace in which nothing goes on."""
        api = make()
        fill(api)
        api.runs.end("living", Status.CANCELED)
        api.runs.delete(["failed"])
        api.metrics.drain_all()
        return api

    @pytest.fixture
    def source(self, idle: EmbeddedWorkspace) -> Iterator[Database]:
        with closing(SqliteDatabase(Layout(Path(idle.info().location)).database)) as database:
            yield database

    def test_a_workspace_is_the_same_in_the_other_database(
        self, idle: EmbeddedWorkspace, source: Database, target: Database
    ) -> None:
        result = moved(source, target)
        assert result.rows == counts(source) == counts(target)
        folder = Path(idle.info().location)
        other = open_workspace(folder, load_settings({}), database=target)
        for run_id in ("parent", "child", "failed", "living"):
            expected = {**told(idle, run_id), "run": idle.runs.get(run_id)}
            assert {**told(other, run_id), "run": other.runs.get(run_id)} == expected

    def test_keys_and_numbers_go_on_after_those_that_came(
        self, idle: EmbeddedWorkspace, source: Database, target: Database
    ) -> None:
        moved(source, target)
        other = open_workspace(Path(idle.info().location), load_settings({}), database=target)
        [experiment] = other.experiments.list(name="explore")
        [run] = other.runs.create([NewRun("after", experiment.id)])
        assert run.number == 3
        newest = other.runs.list(RunQuery(include_children=True)).runs[0]
        assert newest.id == "after"

    def test_there_and_back_is_where_it_was(
        self, source: Database, target: Database, tmp_path: Path
    ) -> None:
        there = moved(source, target)
        with closing(SqliteDatabase(tmp_path / "back.db")) as back:
            assert moved(target, back) == there
            assert _rows(back) == _rows(source)

    def test_a_target_with_rows_is_refused(self, source: Database, target: Database) -> None:
        moved(source, target)
        with pytest.raises(ConflictError, match="not empty"):
            moved(source, target)
        assert counts(target) == counts(source)

    def test_a_workspace_in_which_runs_go_on_is_refused(
        self, idle: EmbeddedWorkspace, source: Database, target: Database
    ) -> None:
        [experiment] = idle.experiments.list(name="explore")
        idle.runs.create([NewRun("going-on", experiment.id, started=True)])
        with pytest.raises(RunStateError, match="going-on"):
            moved(source, target)
        assert set(counts(target).values()) == {0}

    def test_what_reads_back_otherwise_is_not_kept(
        self, source: Database, target: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        insert: Callable[..., None] = schema.insert

        def lossy(tx: Any, table: schema.Table, rows: Any) -> None:
            insert(tx, table, rows[1:] if table.name == "labels" else rows)

        monkeypatch.setattr(moving.schema, "insert", lossy)
        with pytest.raises(StorageCorruptError, match="labels"):
            moved(source, target)
        assert set(counts(target).values()) == {0}


def _rows(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as tx:
        return {table.name: schema.rows_after(tx, table, None, 10_000) for table in schema.tables()}
