"""Files of runs: statements."""

from typing import Any, Final

import msgspec

from headway.model import FileEntry
from headway.store.base import Transaction

_COLUMNS: Final = "path, size_bytes, blake3, created_at, storage_key"
_PUT: Final = """
insert into files (rid, path, storage_key, size_bytes, blake3, created_at)
values (:rid, :path, :storage_key, :size_bytes, :blake3, :created_at)
on conflict (rid, path) do update set storage_key = excluded.storage_key,
    size_bytes = excluded.size_bytes, blake3 = excluded.blake3, created_at = excluded.created_at"""
_ONE: Final = f"select {_COLUMNS} from files where rid = :rid and path = :path"
_LIST: Final = f"select {_COLUMNS} from files where rid = :rid order by path"


class StoredFileRow(msgspec.Struct, frozen=True):
    """A file with the key under which its bytes are kept."""

    entry: FileEntry
    storage_key: str


def put(tx: Transaction, rid: int, file: StoredFileRow) -> None:
    """Add a file, or replace the one of its name."""
    entry = file.entry
    tx.run(
        _PUT,
        {
            "rid": rid,
            "path": entry.path,
            "storage_key": file.storage_key,
            "size_bytes": entry.size_bytes,
            "blake3": entry.blake3,
            "created_at": entry.created_at,
        },
    )


def by_path(tx: Transaction, rid: int, path: str) -> StoredFileRow | None:
    """One file."""
    row = tx.one(_ONE, {"rid": rid, "path": path})
    return _file(row) if row else None


def of_run(tx: Transaction, rid: int) -> list[FileEntry]:
    """The files of a run by name."""
    return [_file(row).entry for row in tx.all(_LIST, {"rid": rid})]


def _file(row: tuple[Any, ...]) -> StoredFileRow:
    entry = FileEntry(path=row[0], size_bytes=row[1], blake3=row[2], created_at=row[3])
    return StoredFileRow(entry, storage_key=row[4])
