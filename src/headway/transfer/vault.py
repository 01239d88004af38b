"""A folder of backups: contents by their hash, each once, and a list of files for each backup.

    <folder>/objects/ab/<blake3>      contents, each once, whatever backups hold it
    <folder>/backups/<time>-<hash>.json  what belongs to one backup; written last, so it is whole
    <folder>/incoming/                files being made
    <folder>/lock                     held by the one who writes

A list is named after its time and the hash of its text, so that it can be told whether it is whole.
"""

import os
import re
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from headway.engines import document
from headway.errors import ConflictError, NotFoundError, StorageCorruptError
from headway.locks import try_lock
from headway.snapshots.blobs import hash_blocks, read_blocks, write_all

_BLOCK_BYTES: Final = 1 << 20
_NAME: Final = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-([0-9a-f]{16})\.json")


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of a workspace."""

    path: str
    """Relative to the workspace's folder, with forward slashes; what is no UTF-8 escaped."""
    blake3: str = ""
    size_bytes: int = 0
    mtime_ns: int = 0
    mode: int = 0o600
    link: str = ""
    """Where a symbolic link points to; such an entry has no content."""


class Manifest(msgspec.Struct, frozen=True):
    """One backup."""

    format: Literal["headway-backup"]
    version: Literal[1]
    created_at: int
    """When the database was copied, in microseconds; files that it names were copied later."""
    workspace: str
    schema: int
    rows: dict[str, int]
    """By table."""
    entries: list[Entry]
    missing: list[str] = []
    """Files that the database names and that were not there: damage of before the backup."""

    @property
    def size_bytes(self) -> int:
        """The size of its files together."""
        return sum(one.size_bytes for one in self.entries)


class Content(msgspec.Struct, frozen=True):
    """What was kept of a file."""

    blake3: str
    size_bytes: int
    copied: bool
    """False where the same content was there before."""


class Vault:
    """The backups in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._objects = folder / "objects"
        self._backups = folder / "backups"
        self.incoming = folder / "incoming"

    @contextmanager
    def writing(self) -> Generator[None]:
        """Make the folders, and be the only one who writes.

        Raises:
            ConflictError: Another backup is being written there, or the folder holds other things.
        """
        with _errors(self.folder):
            self._refuse_foreign()
            for folder in (self._objects, self._backups, self.incoming):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fd = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not try_lock(fd):
                raise ConflictError(
                    f"another backup is being written to {self.folder}: wait for its end, or give "
                    "another folder"
                )
            with _errors(self.folder):
                for left in self.incoming.iterdir():
                    left.unlink()
                yield
        finally:
            os.close(fd)

    def names(self) -> list[str]:
        """The backups, the oldest first."""
        with suppress(FileNotFoundError, NotADirectoryError):
            return sorted(one for one in os.listdir(self._backups) if _NAME.fullmatch(one))  # noqa: PTH208  (names)
        return []

    def load(self, name: str | None = None) -> Manifest:
        """One backup; None for the newest.

        Raises:
            NotFoundError: There is none.
            StorageCorruptError: Its list is damaged.
        """
        names = self.names()
        if name is not None:
            names = [one for one in names if one.startswith(name)]
        if not names:
            wanted = "no backup" if name is None else f"no backup {name!r}"
            raise NotFoundError(
                f"there is {wanted} in {self.folder}: give the folder that was given to 'headway "
                f"backup'; it holds {', '.join(self.names()) or 'none'}"
            )
        path = self._backups / names[-1]
        with _errors(path):
            text = path.read_bytes()
        match = _NAME.fullmatch(path.name)
        if match is None or hash_blocks([text])[0][:16] != match[2]:
            raise StorageCorruptError(
                f"the backup {path} is not what was written there: use another one, with --at; "
                f"there are {', '.join(self.names())}"
            )
        try:
            return msgspec.json.decode(text, type=Manifest)
        except msgspec.DecodeError as error:
            raise StorageCorruptError(f"the backup {path} cannot be read: {error}") from error

    def commit(self, manifest: Manifest) -> str:
        """Write down a backup whose contents are all kept, durably; its name."""
        text = msgspec.json.encode(manifest)
        when = datetime.fromtimestamp(manifest.created_at / 1e6, UTC)
        name = f"{when:%Y%m%dT%H%M%S.%fZ}-{hash_blocks([text])[0][:16]}.json"
        part = self.incoming / name
        with part.open("wb") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.sync()  # the contents, which were not waited for one by one
        part.replace(self._backups / name)
        for folder in (self._backups, self.folder):
            _sync_folder(folder)
        return name

    def keep(self, source: Path) -> Content:
        """Keep the bytes that a file has now, up to the size that it has when it is opened."""
        part = self.incoming / os.urandom(8).hex()
        fd = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            with part.open("wb", buffering=0) as target:
                digest, size = hash_blocks(copied(fd, target.fileno(), os.fstat(fd).st_size))
                target.truncate(size)
            return self.take(part, digest, size)
        finally:
            os.close(fd)
            part.unlink(missing_ok=True)

    def take(self, part: Path, digest: str, size: int) -> Content:
        """Keep a file of ``incoming`` whose hash is known."""
        if self.has(digest, size):
            return Content(digest, size, copied=False)
        place = self.place(digest)
        place.parent.mkdir(exist_ok=True, mode=0o700)
        part.replace(place)
        return Content(digest, size, copied=True)

    def has(self, digest: str, size: int) -> bool:
        """Whether a content is kept; its size tells one that a power cut emptied."""
        try:
            return self.place(digest).stat().st_size == size
        except FileNotFoundError:
            return False

    def place(self, digest: str) -> Path:
        """Where a content lies."""
        return self._objects / digest[:2] / digest

    def remove_older(self, keep: int) -> list[str]:
        """Remove all but the newest backups, and what only those hold; their names."""
        names = self.names()
        gone = names[: max(0, len(names) - keep)]
        if not gone:
            return []
        for name in gone:
            (self._backups / name).unlink(missing_ok=True)
        _sync_folder(self._backups)
        held = {one.blake3 for name in self.names() for one in self.load(name).entries}
        for folder in self._objects.iterdir():
            for path in folder.iterdir():
                if path.name not in held:
                    path.unlink(missing_ok=True)
        return gone

    def damages(self, manifest: Manifest, progress: Callable[[int, int], None]) -> Iterator[str]:
        """What of a backup is missing or is not what was put there."""
        done = 0
        for entry in manifest.entries:
            progress(done, len(manifest.entries))
            done += 1
            if entry.link:
                continue
            found = _hash(self.place(entry.blake3))
            if found is None:
                yield f"{entry.path}: its content {entry.blake3} is missing"
            elif found != (entry.blake3, entry.size_bytes):
                yield f"{entry.path}: its content {entry.blake3} is damaged"

    def _refuse_foreign(self) -> None:
        if self._objects.is_dir() or not self.folder.exists():
            return
        if any(self.folder.iterdir()):
            raise ConflictError(
                f"the folder {self.folder} holds something else than backups: give a folder of its "
                "own for them"
            )


def copied(source: int, target: int, size: int) -> Generator[bytes]:
    """Copy so many bytes at most from one open file to another, and yield them.

    Where a block is all zeros, a hole is left: what follows must cut the target to its size.
    """
    while size > 0 and (block := os.read(source, min(_BLOCK_BYTES, size))):
        if block.strip(b"\0"):
            write_all(target, block)
        else:
            os.lseek(target, len(block), os.SEEK_CUR)
        size -= len(block)
        yield block


def _hash(path: Path) -> tuple[str, int] | None:
    try:
        with path.open("rb", buffering=0) as stream:
            return hash_blocks(read_blocks(stream, sys.maxsize))
    except OSError:
        return None


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def _errors(place: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise document.storage_error(place, error) from error
