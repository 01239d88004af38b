"""A snapshot as one zip file."""

import os
import stat
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from headway.snapshots.base import Contents, SnapshotStorage
from headway.snapshots.store import storage_errors
from headway.snapshots.tree import Entry, unescape

_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The first that a zip file can say."""
_UNIX: Final = 3
_FOLDER_FLAG: Final = 0x10
_KINDS: Final = {"file": stat.S_IFREG, "folder": stat.S_IFDIR, "link": stat.S_IFLNK}


def write_zip(store: SnapshotStorage, snapshot_id: str, path: Path) -> None:
    r"""Write a snapshot as a zip file, which appears whole or not at all.

    Names are in order, times all the same, permissions kept, links are links: one snapshot always
    becomes the same bytes (as long as zlib stays the same). A name that is no UTF-8, which a zip
    file cannot hold, has ``\xNN`` for such bytes.

    Args:
        store: Where the snapshot is kept.
        snapshot_id: The snapshot.
        path: The file to make; one that is there is replaced.

    Raises:
        NotFoundError: There is no such snapshot.
        StorageCorruptError: A file of it is damaged.
        StorageError: The zip file cannot be written.
    """
    manifest = store.load(snapshot_id)
    part = path.parent / f".part-{os.urandom(8).hex()}"
    with storage_errors(path), store.contents() as blobs:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with zipfile.ZipFile(part, "x", zipfile.ZIP_DEFLATED) as archive:
                for name, entry in _named(manifest.entries):
                    _add(archive, name, entry, blobs)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _add(archive: zipfile.ZipFile, name: str, entry: Entry, blobs: Contents) -> None:
    info = zipfile.ZipInfo(name, _NO_TIME)
    info.create_system = _UNIX
    mode = 0o777 if entry.kind == "link" else entry.mode
    info.external_attr = (_KINDS[entry.kind] | mode) << 16
    if entry.kind == "file":
        info.compress_type = zipfile.ZIP_DEFLATED
        info.file_size = entry.size_bytes
        with archive.open(info, "w") as out:
            for block in blobs.blocks(entry):
                out.write(block)
    elif entry.kind == "link":
        archive.writestr(info, os.fsencode(unescape(entry.target)))
    else:
        info.external_attr |= _FOLDER_FLAG
        archive.writestr(info, b"")


def _named(entries: Iterable[Entry]) -> Iterator[tuple[str, Entry]]:
    """Every entry with its name as a zip file can hold it, each once."""
    real = {unescape(entry.path) for entry in entries}
    for entry in entries:
        name = unescape(entry.path)
        if not _is_text(name):
            name = entry.path
            while name in real:  # somebody has a file that is really called \xNN
                name += "_"
            real.add(name)
        yield name + ("/" if entry.kind == "folder" else ""), entry


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
