"""Snapshots of a workspace on a server: taken here, and what the server lacks of them sent."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Final

from headway.client.connection import Connection
from headway.client.downloads import opened
from headway.client.sending import send_file
from headway.client.uploads import RemoteUploads
from headway.contents import Content
from headway.files.iterated import stream_of
from headway.settings import Settings
from headway.snapshots import SnapshotStore, plan_snapshot
from headway.snapshots.tree import Entry, Manifest, encode
from headway.wire import snapshots as row
from headway.wire.operation import PART_BYTES

_BLOCK_BYTES: Final = 1 << 20


class RemoteSnapshots:
    """Implements ``headway.api.Snapshots``.

    Args:
        connection: The way to the server.
        uploads: For contents of more than one part.
        folder: Where snapshots of this machine are kept.
        settings: The limits of a snapshot.
    """

    def __init__(
        self, connection: Connection, uploads: RemoteUploads, folder: Path, settings: Settings
    ) -> None:
        self._connection = connection
        self._uploads = uploads
        self._folder = folder
        self._settings = settings
        self._store = SnapshotStore(folder)

    def take(self, run_id: str, source: Path) -> str:
        """Keep a directory, or one file, as what a run was made from, and return the id."""
        return self._keep(source, run_id)

    def keep(self, source: Path) -> str:
        """Keep a directory, or a directory with one file, and return the id."""
        return self._keep(source, None)

    def materialize(self, snapshot_id: str, target: Path) -> None:
        """Make the directory of a snapshot of this machine, in a folder that does not exist."""
        self._store.materialize(snapshot_id, target)

    def write_zip(self, snapshot_id: str, target: Path) -> None:
        """Write a snapshot as a zip file."""
        ask = row.SnapshotRequest(snapshot_id)
        with opened(self._connection, row.ZIP, ask) as stream, target.open("wb") as file:
            shutil.copyfileobj(stream, file, _BLOCK_BYTES)

    def diff(self, before: str, after: str) -> Iterator[str]:
        """What changed from one snapshot to another, as lines of a patch that git can read."""
        with opened(self._connection, row.DIFF, row.Compare(before, after)) as stream:
            for line in stream:
                yield line.removesuffix(b"\n").decode("utf-8", "surrogateescape")

    # ------------------------------------------------------------ from elsewhere

    def missing(self, contents: Sequence[Content]) -> list[str]:
        """The hashes of those contents that are not kept there."""
        return self._connection.call(row.MISSING, row.Contents([*contents]))

    def put_blob(self, blake3: str, source: Path | BinaryIO) -> None:
        """Keep a content of a snapshot under its hash; again, it does nothing."""

        def at_once(data: bytes) -> None:
            self.put_blobs({blake3: data})

        upload_id = send_file(self._uploads, source, at_once, blake3=blake3)
        if upload_id is not None:
            self._uploads.put_blob(upload_id)

    def put_blobs(self, blobs: Mapping[str, bytes]) -> None:
        """Keep many short contents under their hashes."""
        self._connection.call(row.PUT_BLOBS, row.PutBlobs({**blobs}))

    def open_blob(self, blake3: str) -> AbstractContextManager[BinaryIO]:
        """A content of a snapshot, to be read in order."""
        return opened(self._connection, row.OPEN_BLOB, row.OpenBlob(blake3))

    def manifest(self, snapshot_id: str) -> bytes:
        """The list of files of a snapshot."""
        with opened(self._connection, row.MANIFEST, row.SnapshotRequest(snapshot_id)) as stream:
            return stream.read()

    def commit(self, manifest: bytes, run_id: str | None = None) -> str:
        """Keep a snapshot whose contents are kept already, and return its id."""
        return self._connection.call(row.COMMIT, row.Commit(manifest, run_id)).snapshot_id

    # ------------------------------------------------------------ inside

    def _keep(self, source: Path, run_id: str | None) -> str:
        if source.is_file():
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                shutil.copy2(source, folder)
                return self._keep(Path(folder), run_id)
        settings = self._settings
        plan = plan_snapshot(
            source,
            max_bytes=settings.max_snapshot_bytes,
            max_files=settings.max_snapshot_files,
            exclude=(self._folder,),
        )
        return self._send(self._store.take(plan), run_id)

    def _send(self, manifest: Manifest, run_id: str | None) -> str:
        """Send what the server lacks of a snapshot of this machine, and have it kept there."""
        _, content = encode([*manifest.entries])
        files = {entry.blake3: entry for entry in manifest.entries if entry.kind == "file"}
        contents = [Content(digest, entry.size_bytes) for digest, entry in files.items()]
        self._send_contents([files[digest] for digest in self.missing(contents)])
        return self.commit(content, run_id)

    def _send_contents(self, entries: Iterable[Entry]) -> None:
        """Send contents, as many short ones at once as make up a part."""
        waiting: dict[str, bytes] = {}
        count = 0
        with self._store.contents() as blobs:
            for entry in entries:
                if entry.size_bytes > PART_BYTES // 2:
                    self.put_blob(entry.blake3, stream_of(blobs.blocks(entry)))
                    continue
                if count + entry.size_bytes > PART_BYTES:
                    self.put_blobs(waiting)
                    waiting, count = {}, 0
                waiting[entry.blake3] = blobs.read(entry)
                count += entry.size_bytes
        if waiting:
            self.put_blobs(waiting)
