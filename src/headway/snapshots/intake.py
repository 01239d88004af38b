"""Taking up the files of a source directory.

Contents are first written beside their place, then made durable all together, and only then put
in place. So whoever finds a content there may rely on it, also one that another process put
there a moment ago.
"""

import errno
import itertools
import os
import stat
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from blake3 import blake3

from headway.snapshots.blobs import BLOCK_BYTES, Blobs, hash_blocks, place, read_blocks, write_all
from headway.snapshots.durable import fsync_all
from headway.snapshots.plan import PlannedFile, SnapshotPlan, refuse_size, unreadable
from headway.snapshots.seen import Seen, SeenFiles
from headway.snapshots.tree import Entry, escape

_READINGS: Final = 3
_RACY_NS: Final = 2_000_000_000
"""A file touched so shortly before it was read may change again under the same time stamp."""


class _Kept(NamedTuple):
    blake3: str
    size_bytes: int
    stamp: tuple[int, int, int, int]
    """What the file looked like before it was read."""


class Intake:
    """Takes up files one by one; ``commit`` makes them durable, all or none.

    Args:
        plan: What is taken.
        blobs: Where contents are kept.
        incoming: Where they are made, on the same file system.
        seen: What is known of this source.
        clock_ns: The time, in nanoseconds since 1970.
    """

    def __init__(
        self,
        plan: SnapshotPlan,
        blobs: Blobs,
        incoming: Path,
        seen: SeenFiles,
        clock_ns: Callable[[], int],
    ) -> None:
        self._plan = plan
        self._blobs = blobs
        self._incoming = incoming
        self._seen = seen
        self._clock_ns = clock_ns
        self._mark = os.urandom(8).hex()
        self._numbers = itertools.count()
        self._made: dict[str, Path] = {}
        self._read: set[str] = set()
        self._spare_bytes = plan.max_bytes - plan.size_bytes

    def take(self, file: PlannedFile) -> Entry | None:
        """Keep one file; None where it vanished since it was planned."""
        path = escape(file.path)
        digest = self._seen.find(path, file)
        if digest is not None and self._blobs.has(digest, file.size_bytes):
            return Entry(path, "file", file.mode, file.size_bytes, digest)
        kept = self._keep(file, path)
        if kept is None:
            return None
        self._spare_bytes -= kept.size_bytes - file.size_bytes
        return Entry(path, "file", file.mode, kept.size_bytes, kept.blake3)

    def commit(self) -> None:
        """Put what was made in its place; when this returns, a power cut does not undo it."""
        fsync_all(self._made.values())
        for digest, part in self._made.items():
            target = place(digest)
            try:
                os.rename(part, target, dst_dir_fd=self._blobs.fd)
            except FileNotFoundError:
                with suppress(FileExistsError):
                    os.mkdir(digest[:2], dir_fd=self._blobs.fd)
                os.rename(part, target, dst_dir_fd=self._blobs.fd)
        self._made.clear()
        if self._read:
            # Also of those that somebody else put there: perhaps only just now.
            folders = {digest[:2] for digest in self._read}
            fsync_all([*folders, "."], dir_fd=self._blobs.fd)

    def discard(self) -> None:
        """Remove what was made and has not been put in place."""
        for part in self._made.values():
            part.unlink(missing_ok=True)
        self._made.clear()

    # ------------------------------------------------------------ one file

    def _keep(self, file: PlannedFile, path: str) -> _Kept | None:
        kept = None
        for _ in range(_READINGS):
            began_ns = self._clock_ns()
            opened = _open_file(self._plan.source, file.path)
            if opened is None:
                return None
            if kept is not None:
                self._forget(kept.blake3)
            with opened:
                kept = self._store(opened, file)
                after = os.fstat(opened.fileno())
            if kept.stamp == _stamp(after) and kept.size_bytes == after.st_size:
                if max(after.st_mtime_ns, after.st_ctime_ns) + _RACY_NS <= began_ns:
                    self._seen.add(path, Seen(*kept.stamp, kept.blake3))
                break
        if kept is not None:
            self._read.add(kept.blake3)
        return kept

    def _store(self, source: BinaryIO, file: PlannedFile) -> _Kept:
        before = os.fstat(source.fileno())
        size = before.st_size
        where = self._plan.source / file.path
        if size - file.size_bytes > self._spare_bytes:
            refuse_size(self._plan, grown={file.path: size - file.size_bytes})
        if size <= BLOCK_BYTES:
            content = b"".join(_readable(source, size, where))
            digest, count = blake3(content).hexdigest(), len(content)
            if not self._has(digest, count):
                self._make([content])
        else:
            digest, count = hash_blocks(_readable(source, size, where))
            if not self._has(digest, count):
                source.seek(0)
                digest, count = self._make(_readable(source, size, where))
        return _Kept(digest, count, _stamp(before))

    def _has(self, digest: str, size: int) -> bool:
        return digest in self._made or self._blobs.has(digest, size)

    def _make(self, blocks: Iterable[bytes]) -> tuple[str, int]:
        """Write a content; its hash is that of what was written, whatever was read before."""
        part = self._incoming / f"{self._mark}-{next(self._numbers)}"
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444)
        try:
            digest, count = hash_blocks(_written(fd, blocks))
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)
        if self._made.setdefault(digest, part) is not part:
            part.unlink()
        return digest, count

    def _forget(self, digest: str) -> None:
        """Drop what was read of a file that changed meanwhile, unless another file needs it."""
        if digest not in self._read and (part := self._made.pop(digest, None)) is not None:
            part.unlink(missing_ok=True)


def _open_file(source: Path, path: str) -> BinaryIO | None:
    """The file, or None where it is no longer there or no longer a file."""
    where = f"{source}/{path}"
    # Since it was seen it may have become a link or a pipe: neither followed nor waited for.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        opened = os.fdopen(os.open(where, flags), "rb", buffering=0)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            return None
        raise unreadable(Path(where), error) from error
    if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        return opened
    opened.close()
    return None


def _stamp(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _readable(source: BinaryIO, size: int, where: Path) -> Generator[bytes]:
    try:
        yield from read_blocks(source, size)
    except OSError as error:
        raise unreadable(where, error) from error


def _written(out: int, blocks: Iterable[bytes]) -> Generator[bytes]:
    """The same blocks, each written before it is passed on."""
    for block in blocks:
        write_all(out, block)
        yield block
