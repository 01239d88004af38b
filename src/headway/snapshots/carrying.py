"""Bringing a snapshot from one place to another, which asks for what it lacks only."""

from concurrent.futures import ThreadPoolExecutor

from headway.snapshots.arriving import contents_of
from headway.snapshots.base import SnapshotStorage
from headway.snapshots.tree import encode

_AT_ONCE = 8


def carry(snapshot_id: str, source: SnapshotStorage, target: SnapshotStorage) -> None:
    """Keep a snapshot in another place too.

    Raises:
        NotFoundError: There is no such snapshot.
        StorageCorruptError: A content of it is damaged; the other place has no such snapshot then.
    """
    manifest = source.load(snapshot_id)
    contents = contents_of(manifest)
    sizes = {one.blake3: one.size_bytes for one in contents}

    def send(digest: str) -> None:
        with source.open_blob(digest) as stream:
            target.put_blob(digest, stream, max_bytes=sizes[digest])

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="headway-carry") as pool:
        list(pool.map(send, target.missing(contents)))
    target.commit(manifest, encode([*manifest.entries])[1])
