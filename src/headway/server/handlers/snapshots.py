"""Snapshots: contents, lists of files, patches."""

import contextlib
import io
import tempfile
from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Final

from headway.files.iterated import stream_of
from headway.server.context import Context
from headway.server.handlers.binding import bind, bind_stream
from headway.wire import snapshots as row
from headway.wire.operation import Done


def _put_blobs(context: Context, ask: row.PutBlobs) -> Done:
    context.api.snapshots.put_blobs(ask.blobs)
    return Done()


def _commit(context: Context, ask: row.Commit) -> row.SnapshotId:
    return row.SnapshotId(context.api.snapshots.commit(ask.data, ask.run_id))


def _manifest(context: Context, ask: row.SnapshotRequest) -> AbstractContextManager[BinaryIO]:
    return io.BytesIO(context.api.snapshots.manifest(ask.snapshot_id))


@contextlib.contextmanager
def _zip(context: Context, ask: row.SnapshotRequest) -> Generator[BinaryIO]:
    with tempfile.TemporaryDirectory(prefix="headway-zip-") as folder:
        target = Path(folder) / "snapshot.zip"
        context.api.snapshots.write_zip(ask.snapshot_id, target)
        with target.open("rb") as stream:
            yield stream


def _diff(context: Context, ask: row.Compare) -> AbstractContextManager[BinaryIO]:
    lines = context.api.snapshots.diff(ask.before, ask.after)
    return stream_of(line.encode("utf-8", "surrogateescape") + b"\n" for line in lines)


HANDLERS: Final = (
    bind(row.MISSING, lambda c, ask: c.api.snapshots.missing(ask.contents)),
    bind(row.PUT_BLOBS, _put_blobs),
    bind_stream(row.OPEN_BLOB, lambda c, ask: c.api.snapshots.open_blob(ask.blake3)),
    bind_stream(row.MANIFEST, _manifest),
    bind(row.COMMIT, _commit),
    bind_stream(row.ZIP, _zip),
    bind_stream(row.DIFF, _diff),
)
