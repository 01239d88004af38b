"""Source directories, kept in the folder of an embedded workspace."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from headway.contents import Content
from headway.errors import ConflictError, TooLargeError
from headway.files.base import open_source
from headway.files.checking import checked_stream
from headway.hosting.layout import Layout
from headway.service.creation import SNAPSHOT_PROPERTY
from headway.service.lookup import find_run
from headway.settings import Settings
from headway.snapshots import SnapshotStore, plan_snapshot
from headway.snapshots.arriving import check_manifest
from headway.snapshots.base import SnapshotStorage
from headway.snapshots.carrying import carry
from headway.snapshots.tree import encode
from headway.store import labels, runs
from headway.store.base import Database, Transaction
from headway.store.runs import StoredRun

_AT_ONCE: Final = 16


class SnapshotService:
    """Implements ``headway.api.Snapshots``."""

    def __init__(
        self, database: Database, layout: Layout, storage: SnapshotStorage, settings: Settings
    ) -> None:
        self._database = database
        self._layout = layout
        self._settings = settings
        self._storage = storage
        # Sources are taken on a disk, which may be all there is.
        self._store = SnapshotStore(layout.snapshots)

    def take(self, run_id: str, source: Path) -> str:
        """Keep a directory, or one file, as what a run was made from, and return the id."""
        with self._database.read() as tx:
            _without_snapshot(tx, run_id)
        snapshot_id = self.keep(source)
        self._set(run_id, snapshot_id)
        return snapshot_id

    def write_zip(self, snapshot_id: str, target: Path) -> None:
        """Write a snapshot as a zip file."""
        from headway.snapshots.archive import write_zip  # noqa: PLC0415  (seldom needed)

        write_zip(self._storage, snapshot_id, target)

    def diff(self, before: str, after: str) -> Iterator[str]:
        """What changed from one snapshot to another, as lines of a patch that git can read."""
        from headway.snapshots.diff import diff, unified  # noqa: PLC0415  (seldom needed)

        changes = diff(self._storage.load(before), self._storage.load(after))
        return unified(changes, self._storage)

    def missing(self, contents: Sequence[Content]) -> list[str]:
        """The hashes of those contents that are not kept here."""
        most = self._settings.max_snapshot_files
        if len(contents) > most:
            raise TooLargeError(
                f"{len(contents)} contents were asked for at once; at most {most} are accepted, as "
                "many as a snapshot may have files"
            )
        return self._storage.missing(contents)

    def put_blob(self, blake3: str, source: Path | BinaryIO) -> None:
        """Keep a content of a snapshot under its hash."""
        with open_source(source) as stream:
            most = self._settings.max_snapshot_bytes
            self._storage.put_blob(blake3, stream, max_bytes=most)

    def put_blobs(self, blobs: Mapping[str, bytes]) -> None:
        """Keep many short contents under their hashes."""
        streams = map(BytesIO, blobs.values())
        # Each waits most of the time, for a disk that joins the waits or for an object store.
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="headway-blobs") as pool:
            list(pool.map(self.put_blob, blobs, streams))

    def open_blob(self, blake3: str) -> AbstractContextManager[BinaryIO]:
        """A content of a snapshot, to be read in order."""
        return checked_stream(self._storage.open_blob(blake3), blake3, f"the content {blake3}")

    def manifest(self, snapshot_id: str) -> bytes:
        """The list of files of a snapshot."""
        return encode([*self._storage.load(snapshot_id).entries])[1]

    def commit(self, manifest: bytes, run_id: str | None = None) -> str:
        """Keep a snapshot whose contents are kept already, and return its id."""
        snapshot = check_manifest(
            manifest,
            max_bytes=self._settings.max_snapshot_bytes,
            max_files=self._settings.max_snapshot_files,
        )
        if run_id is not None:
            with self._database.read() as tx:
                if find_run(tx, run_id).run.snapshot_id == snapshot.id:
                    return snapshot.id
                _without_snapshot(tx, run_id)
        self._storage.commit(snapshot, manifest)
        if run_id is not None:
            self._set(run_id, snapshot.id)
        return snapshot.id

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
        snapshot_id = self._store.take(plan).id
        if not isinstance(self._storage, SnapshotStore):
            carry(snapshot_id, self._store, self._storage)
        return snapshot_id

    def _set(self, run_id: str, snapshot_id: str) -> None:
        with self._database.write() as tx:
            stored = _without_snapshot(tx, run_id)
            runs.set_snapshot(tx, stored.rid, snapshot_id)
            labels.put(tx, stored.rid, "p", {SNAPSHOT_PROPERTY: snapshot_id})


def _without_snapshot(tx: Transaction, run_id: str) -> StoredRun:
    stored = find_run(tx, run_id)
    if stored.run.snapshot_id is not None:
        raise ConflictError(
            f"Cannot take snapshot as the run already has one: {stored.run.snapshot_id}. Use "
            "another run for another state of the source"
        )
    return stored
