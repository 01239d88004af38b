"""Contents by the hash of them, each once; what lies here is whole and was made durable."""

import errno
import os
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, NamedTuple, Self

from blake3 import blake3

from headway.errors import StorageCorruptError, StorageError
from headway.snapshots.tree import HASH, Entry

BLOCK_BYTES: Final = 1 << 18
"""Read and written at once; small enough for a processor's cache, where hashing is cheapest."""
FULL: Final = {errno.ENOSPC, errno.EDQUOT}


class Blob(NamedTuple):
    """One content that is kept."""

    blake3: str
    size_bytes: int


class Blobs:
    """The contents in one folder, while it is open.

    Everything is reached from the open folder: two thousand short paths cost half of what
    two thousand long ones do.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.fd)

    def has(self, digest: str, size: int) -> bool:
        """Whether this content is kept; its size tells a blob that a fault emptied."""
        try:
            return os.stat(place(digest), dir_fd=self.fd).st_size == size
        except FileNotFoundError:
            return False

    def read(self, entry: Entry) -> bytes:
        """The whole content of a file, checked."""
        with self._open(entry) as source:
            content = b"".join(read_blocks(source, entry.size_bytes))
        self._check(entry, blake3(content).hexdigest())
        return content

    def blocks(self, entry: Entry) -> Generator[bytes]:
        """The content of a file; that it is damaged is told when the last of it was read."""
        hasher = blake3()
        with self._open(entry) as source:
            for block in read_blocks(source, entry.size_bytes):
                hasher.update(block)
                yield block
        self._check(entry, hasher.hexdigest())

    def copy(self, entry: Entry, out: int) -> None:
        """Write the content of a file to an open one, checked."""
        if entry.size_bytes <= BLOCK_BYTES:
            write_all(out, self.read(entry))
            return
        with self._open(entry) as source:
            digest, _ = hash_blocks(read_blocks(source, entry.size_bytes))
            self._check(entry, digest)
            source.seek(0)
            _copy_bytes(source, out, entry.size_bytes)

    def found(self, before: float) -> Iterator[Blob]:
        """Every content that was put there, or wanted last, before a time in seconds."""
        for folder in sorted(self._folder.iterdir()):
            with suppress(NotADirectoryError), os.scandir(folder) as scan:
                for entry in scan:
                    if HASH.fullmatch(entry.name):
                        at = entry.stat(follow_symlinks=False)
                        if at.st_mtime <= before:
                            yield Blob(entry.name, at.st_size)

    def touch(self, digest: str) -> None:
        """Make a content young again."""
        with suppress(FileNotFoundError):
            os.utime(place(digest), dir_fd=self.fd)

    def remove(self, digest: str) -> None:
        """Remove a content that nobody needs."""
        with suppress(FileNotFoundError):
            os.unlink(place(digest), dir_fd=self.fd)

    def _open(self, entry: Entry) -> BinaryIO:
        try:
            fd = os.open(place(entry.blake3), os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.fd)
        except FileNotFoundError as error:
            raise self._damaged(entry, "is missing") from error
        except OSError as error:
            raise StorageError(f"{self._path(entry)} cannot be read: {error.strerror}") from error
        source = os.fdopen(fd, "rb", buffering=0)
        size = os.fstat(fd).st_size
        if size != entry.size_bytes:
            source.close()
            raise self._damaged(entry, f"has {size} bytes instead of {entry.size_bytes}")
        return source

    def _check(self, entry: Entry, digest: str) -> None:
        if digest != entry.blake3:
            raise self._damaged(entry, "is not what was put there")

    def _damaged(self, entry: Entry, what: str) -> StorageCorruptError:
        return StorageCorruptError(
            f"the kept content of {entry.path!r} {what} ({self._path(entry)}): remove that file if "
            "it is there, and submit the run again from its source directory, which keeps it anew"
        )

    def _path(self, entry: Entry) -> Path:
        return self._folder / place(entry.blake3)


def place(digest: str) -> str:
    """Where a content lies, below the folder of all."""
    return f"{digest[:2]}/{digest}"


def read_blocks(source: BinaryIO, size: int) -> Generator[bytes]:
    """At most ``size`` bytes: a log that grows faster than it is read has an end too."""
    while size > 0:
        block = source.read(min(BLOCK_BYTES, size))
        if not block:
            return
        size -= len(block)
        yield block


def hash_blocks(blocks: Iterable[bytes]) -> tuple[str, int]:
    """The hash and the size of a content."""
    hasher = blake3()
    count = 0
    for block in blocks:
        hasher.update(block)
        count += len(block)
    return hasher.hexdigest(), count


def write_all(out: int, block: bytes) -> None:
    """Write all of a block."""
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(out, rest) :]


def _copy_bytes(source: BinaryIO, out: int, size: int) -> None:
    """Copy within the kernel, sharing the blocks where the file system can."""
    try:
        while size > 0:
            count = os.copy_file_range(source.fileno(), out, size)
            if count == 0:
                return
            size -= count
    except (OSError, AttributeError) as error:
        # Not every pair of file systems can; the two files stand where it stopped.
        if isinstance(error, OSError) and error.errno in FULL:
            raise
    while block := source.read(BLOCK_BYTES):
        write_all(out, block)
