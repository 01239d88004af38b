"""An export as it lies in a folder.

<folder>/manifest.json            what there is, with sizes and hashes; written last
<folder>/<table>-00000.<format>   the rows of a table, a million a file
<folder>/files/ab/<blake3>        bytes of runs' files, where they were asked for
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from headway.engines import document
from headway.errors import InvalidValueError, NotFoundError
from headway.snapshots.blobs import hash_blocks, read_blocks
from headway.transfer.formats import Format, read_rows
from headway.transfer.tables import TABLES, Row, Table

MANIFEST: Final = "manifest.json"
_MOST_MANIFEST_BYTES: Final = 1 << 26
_PART: Final = re.compile(r"[a-z]+-\d{5,9}\.(?:csv|jsonl|parquet)")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class Part(msgspec.Struct, frozen=True):
    """One file of a table."""

    path: str
    rows: int
    size_bytes: int
    blake3: str


class ExportManifest(msgspec.Struct, frozen=True):
    """What an export holds."""

    format: Literal["headway-export"]
    version: Literal[1]
    tables_format: Format
    created_at: int
    """In microseconds since 1970 UTC."""
    workspace: str
    filter: str
    """The condition that its runs fulfil; empty for all."""
    with_metrics: bool
    with_files: bool
    tables: dict[str, list[Part]]
    left_out: list[str] = []
    """Files of runs that could not be exported, and why."""

    def rows(self, table: Table) -> int:
        """How many rows a table has."""
        return sum(part.rows for part in self.tables.get(table.name, []))


class Parcel:
    """An export that is read.

    Raises:
        NotFoundError: There is none in the folder.
        InvalidValueError: It is none of ours, or was changed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = _load(folder)
        self.id = hash_blocks([msgspec.json.encode(self.manifest.tables, order="sorted")])[0]

    def check(self, progress: Callable[[int, int], None]) -> None:
        """Compare every file with what the manifest says of it.

        Raises:
            InvalidValueError: One is missing, or is not what was exported.
        """
        parts = [part for parts in self.manifest.tables.values() for part in parts]
        for done, part in enumerate(parts):
            progress(done, len(parts))
            self._check(part.path, part.size_bytes, part.blake3)

    def rows(self, table: Table) -> Iterator[Row]:
        """The rows of a table in the order in which they were exported."""
        for part in self.manifest.tables.get(table.name, []):
            yield from read_rows(self.manifest.tables_format, self.folder / part.path, table)

    def content(self, digest: str, size: int) -> Path:
        """The bytes of a file, compared with its hash.

        Raises:
            InvalidValueError: They are missing, or are not what was exported.
        """
        if not _HASH.fullmatch(digest):
            raise InvalidValueError(f"{self.folder} names a file by {digest[:80]!r}, no hash")
        path = content_path(digest)
        self._check(path, size, digest)
        return self.folder / path

    def _check(self, path: str, size: int, digest: str) -> None:
        place = self.folder / path
        try:
            fd = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise InvalidValueError(
                f"the export lacks {place}: {error.strerror}; export again"
            ) from error
        with os.fdopen(fd, "rb", buffering=0) as stream:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode) or found.st_size != size:
                raise InvalidValueError(
                    f"{place} is not what was exported: it has {found.st_size} bytes and had "
                    f"{size}; export again"
                )
            if hash_blocks(read_blocks(stream, size))[0] != digest:
                raise InvalidValueError(
                    f"{place} is not what was exported: its hash is another one; export again"
                )


def content_path(digest: str) -> str:
    """Where the bytes of a file lie, relative to the export."""
    return f"files/{digest[:2]}/{digest}"


def _load(folder: Path) -> ExportManifest:
    path = folder / MANIFEST
    try:
        if path.stat().st_size > _MOST_MANIFEST_BYTES:
            raise InvalidValueError(f"{path} is too long to be the manifest of an export")
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(
            f"there is no export in {folder}: give the folder that was given to 'headway export'"
        ) from error
    except OSError as error:
        raise document.storage_error(path, error) from error
    try:
        manifest = msgspec.json.decode(text, type=ExportManifest)
    except msgspec.DecodeError as error:
        raise InvalidValueError(f"{path} is no manifest of an export: {error}") from error
    for table, parts in manifest.tables.items():
        for part in parts:
            named = part.path.startswith(f"{table}-") and _PART.fullmatch(part.path)
            if table not in TABLES or not named or not _HASH.fullmatch(part.blake3):
                raise InvalidValueError(
                    f"{path} names {part.path[:80]!r} as part of {table[:80]!r}"
                )
    return manifest
