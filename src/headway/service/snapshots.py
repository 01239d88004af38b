"""Source directories, kept in the folder of an embedded workspace."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from headway.errors import ConflictError
from headway.service.creation import SNAPSHOT_PROPERTY
from headway.service.layout import Layout
from headway.service.lookup import find_run
from headway.settings import Settings
from headway.snapshots import SnapshotStore, plan_snapshot
from headway.store import labels, runs
from headway.store.base import Database, Transaction
from headway.store.runs import StoredRun


class SnapshotService:
    """Implements ``headway.api.Snapshots``."""

    def __init__(self, database: Database, layout: Layout, settings: Settings) -> None:
        self._database = database
        self._layout = layout
        self._settings = settings
        self._store = SnapshotStore(layout.snapshots)

    def take(self, run_id: str, source: Path) -> str:
        """Keep a directory, or one file, as what a run was made from, and return the id."""
        with self._database.read() as tx:
            _without_snapshot(tx, run_id)
        snapshot_id = self.keep(source)
        with self._database.write() as tx:
            stored = _without_snapshot(tx, run_id)
            runs.set_snapshot(tx, stored.rid, snapshot_id)
            labels.put(tx, stored.rid, "p", {SNAPSHOT_PROPERTY: snapshot_id})
        return snapshot_id

    def write_zip(self, snapshot_id: str, target: Path) -> None:
        """Write a snapshot as a zip file."""
        from headway.snapshots.archive import write_zip  # noqa: PLC0415  (seldom needed)

        write_zip(self._store, snapshot_id, target)

    def diff(self, before: str, after: str) -> Iterator[str]:
        """What changed from one snapshot to another, as lines of a patch that git can read."""
        from headway.snapshots.diff import diff, unified  # noqa: PLC0415  (seldom needed)

        changes = diff(self._store.load(before), self._store.load(after))
        return unified(changes, self._store)

    def keep(self, source: Path) -> str:
        """Keep a directory, or a directory with one file."""
        if not source.is_file():
            return self._keep_folder(source)
        with tempfile.TemporaryDirectory(dir=self._layout.snapshots) as folder:
            shutil.copy2(source, folder)
            return self._keep_folder(Path(folder))

    def materialize(self, snapshot_id: str, target: Path) -> None:
        """Make the directory again, in a folder that does not exist."""
        self._store.materialize(snapshot_id, target)

    def _keep_folder(self, source: Path) -> str:
        plan = plan_snapshot(
            source,
            max_bytes=self._settings.max_snapshot_bytes,
            max_files=self._settings.max_snapshot_files,
            exclude=(self._layout.root,),
        )
        return self._store.take(plan).id


def _without_snapshot(tx: Transaction, run_id: str) -> StoredRun:
    stored = find_run(tx, run_id)
    if stored.run.snapshot_id is not None:
        raise ConflictError(
            f"Cannot take snapshot as the run already has one: {stored.run.snapshot_id}. Use "
            "another run for another state of the source"
        )
    return stored
