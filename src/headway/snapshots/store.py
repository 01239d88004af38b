"""Snapshots in a folder: blobs by the hash of their content, and a list of files for each tree.

<folder>/blobs/ab/<blake3>         contents, each once, whatever trees hold it
<folder>/trees/<snapshot id>.json  what belongs to one snapshot
<folder>/seen/<source>.msgpack     hashes of files that have not changed since, per source
<folder>/incoming/                 files being made
"""

import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from blake3 import blake3

from headway.errors import (
    NotFoundError,
    SnapshotError,
    StorageCorruptError,
    StorageError,
    StorageFullError,
)
from headway.snapshots.plan import PlannedFile, SnapshotPlan, unreadable
from headway.snapshots.seen import Seen, SeenFiles, write_whole
from headway.snapshots.tree import Entry, Manifest, decode, encode, escape, unescape

_BLOCK_BYTES: Final = 1 << 20
_READINGS: Final = 3
_RACY_NS: Final = 2_000_000_000
"""A file touched so shortly before it was read may change again under the same time stamp."""
_ABANDONED_S: Final = 86_400
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class _Kept(NamedTuple):
    blake3: str
    size_bytes: int
    is_new: bool


class SnapshotStore:
    """Keeps snapshots in a folder.

    Any thread and any number of processes may use one folder at once.

    Args:
        folder: Where; made when it is needed.
        clock_ns: The time, in nanoseconds since 1970.
    """

    def __init__(self, folder: Path, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._blobs = folder / "blobs"
        self._trees = folder / "trees"
        self._seen = folder / "seen"
        self._incoming = folder / "incoming"
        self._clock_ns = clock_ns

    def take(self, plan: SnapshotPlan) -> Manifest:
        """Keep what was planned. When this returns, a power cut does not undo it.

        A file that vanished since is left out, one that changes while it is read is kept as it
        was read.

        Raises:
            SnapshotError: A file cannot be read.
            StorageError: The folder of the snapshots cannot be written.
        """
        with _storage_errors(self._blobs.parent):
            self._make_folders()
            seen = SeenFiles(self._seen, plan.source)
            entries = [Entry(escape(path), "folder", mode) for path, mode in plan.folders.items()]
            entries += [
                Entry(escape(path), "link", target=escape(target))
                for path, target in plan.links.items()
            ]
            new: list[str] = []
            for file in plan.files:
                kept = self._known(file, seen) or self._keep(plan.source, file, seen)
                if kept is None:
                    continue
                entries.append(
                    Entry(escape(file.path), "file", file.mode, kept.size_bytes, kept.blake3)
                )
                if kept.is_new:
                    new.append(kept.blake3)
            _make_durable([self._blob(digest) for digest in new])
            manifest, content = encode(entries)
            self._write_tree(manifest.id, content)
            seen.save(self._incoming)
        return manifest

    def load(self, snapshot_id: str) -> Manifest:
        """What belongs to a snapshot.

        Raises:
            NotFoundError: There is no such snapshot.
            StorageCorruptError: It is damaged.
        """
        try:
            content = self._tree(snapshot_id).read_bytes() if _HASH.fullmatch(snapshot_id) else None
        except FileNotFoundError:
            content = None
        except OSError as error:
            raise StorageError(f"{self._tree(snapshot_id)} cannot be read: {error}") from error
        if content is None:
            raise NotFoundError(
                f"there is no snapshot {snapshot_id!r} in {self._trees}: give the snapshot_id of a "
                "submitted run of this workspace"
            )
        return decode(snapshot_id, content)

    def materialize(self, snapshot_id: str, target: Path) -> None:
        """Make the directory again, as copies that may be changed freely.

        It appears whole or not at all.

        Args:
            snapshot_id: The snapshot.
            target: The directory to make; it must not exist, or be empty.

        Raises:
            SnapshotError: There is something at the target.
            NotFoundError: There is no such snapshot.
            StorageCorruptError: A file of it is damaged.
            StorageError: The target cannot be written.
        """
        manifest = self.load(snapshot_id)
        part = target.parent / f".part-{secrets.token_hex(8)}"
        with _storage_errors(target):
            part.mkdir(parents=True)
            try:
                self._fill(part, manifest)
                _rename_folder(part, target)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise

    # ------------------------------------------------------------ taking

    def _make_folders(self) -> None:
        for folder in (self._blobs, self._trees, self._seen, self._incoming):
            folder.mkdir(parents=True, exist_ok=True)
        abandoned_before = self._clock_ns() / 1e9 - _ABANDONED_S
        for left in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < abandoned_before:
                    left.unlink()

    def _known(self, file: PlannedFile, seen: SeenFiles) -> _Kept | None:
        digest = seen.find(file)
        if digest is None or not self._has(digest, file.size_bytes):
            return None
        return _Kept(digest, file.size_bytes, is_new=False)

    def _keep(self, source: Path, file: PlannedFile, seen: SeenFiles) -> _Kept | None:
        """Read a file and keep its content; None where it vanished."""
        kept = None
        is_new = False
        for _ in range(_READINGS):
            began_ns = self._clock_ns()
            opened = _open_file(source, file.path)
            if opened is None:
                return None
            with opened:
                before = os.fstat(opened.fileno())
                kept = self._store(opened, before.st_size)
                after = os.fstat(opened.fileno())
            is_new = is_new or kept.is_new
            if _stamp(before) == _stamp(after) and kept.size_bytes == after.st_size:
                if max(after.st_mtime_ns, after.st_ctime_ns) + _RACY_NS <= began_ns:
                    seen.add(file.path, Seen(*_stamp(after), kept.blake3))
                break
        return kept._replace(is_new=is_new) if kept is not None else None

    def _store(self, source: BinaryIO, size: int) -> _Kept:
        """Keep the first ``size`` bytes: hash them, and copy them where nobody has them yet."""
        digest, count = _hash_blocks(_read_blocks(source, size))
        if self._has(digest, count):
            return _Kept(digest, count, is_new=False)
        source.seek(0)
        part = self._incoming / secrets.token_hex(16)
        try:
            with part.open("xb", buffering=0) as out:
                digest, count = _hash_blocks(_written(out, _read_blocks(source, size)))
            part.chmod(0o444)
            self._put(part, self._blob(digest))
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return _Kept(digest, count, is_new=True)

    def _put(self, part: Path, blob: Path) -> None:
        try:
            part.replace(blob)
        except FileNotFoundError:
            blob.parent.mkdir(exist_ok=True)
            part.replace(blob)

    def _write_tree(self, snapshot_id: str, content: bytes) -> None:
        tree = self._tree(snapshot_id)
        with suppress(FileNotFoundError):
            if tree.read_bytes() == content:
                return
        write_whole(tree, content, self._incoming)
        _make_durable([tree])

    # ------------------------------------------------------------ making again

    def _fill(self, folder: Path, manifest: Manifest) -> None:
        entries = [(folder / unescape(entry.path), entry) for entry in manifest.entries]
        folders = [(path, entry) for path, entry in entries if entry.kind == "folder"]
        for path, _ in folders:
            path.mkdir()
        for path, entry in entries:
            if entry.kind == "file":
                self._copy(entry, path)
        # Links come last: nothing is ever written through one.
        for path, entry in entries:
            if entry.kind == "link":
                path.symlink_to(unescape(entry.target))
        for path, entry in reversed(folders):
            # Without these bits the owner could not even delete it.
            path.chmod(entry.mode | stat.S_IRWXU)

    def _copy(self, entry: Entry, to: Path) -> None:
        blob = self._blob(entry.blake3)
        try:
            source = blob.open("rb", buffering=0)
        except FileNotFoundError as error:
            raise _damaged(entry, blob, "is missing") from error
        with source, to.open("xb", buffering=0) as out:
            size = os.fstat(source.fileno()).st_size
            if size != entry.size_bytes:
                raise _damaged(entry, blob, f"has {size} bytes instead of {entry.size_bytes}")
            _copy_bytes(source, out, size)
            os.fchmod(out.fileno(), entry.mode | stat.S_IRUSR)

    # ------------------------------------------------------------ places

    def _blob(self, digest: str) -> Path:
        return self._blobs / digest[:2] / digest

    def _tree(self, snapshot_id: str) -> Path:
        return self._trees / f"{snapshot_id}.json"

    def _has(self, digest: str, size: int) -> bool:
        # The size tells a blob that a power cut emptied.
        try:
            return self._blob(digest).stat().st_size == size
        except FileNotFoundError:
            return False


# ---------------------------------------------------------------- reading a source


def _open_file(source: Path, path: str) -> BinaryIO | None:
    """The file, or None where it is no longer there or no longer a file."""
    where = source / path
    # Since it was seen it may have become a link or a pipe: neither followed nor waited for.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        opened = os.fdopen(os.open(where, flags), "rb", buffering=0)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            return None
        raise unreadable(where, error) from error
    if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        return opened
    opened.close()
    return None


def _stamp(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _read_blocks(source: BinaryIO, size: int) -> Generator[bytes]:
    """At most ``size`` bytes: a log that grows faster than it is read has an end too."""
    while size > 0:
        try:
            block = source.read(min(_BLOCK_BYTES, size))
        except OSError as error:
            raise unreadable(Path(source.name), error) from error
        if not block:
            return
        size -= len(block)
        yield block


def _hash_blocks(blocks: Iterable[bytes]) -> tuple[str, int]:
    hasher = blake3()
    count = 0
    for block in blocks:
        hasher.update(block)
        count += len(block)
    return hasher.hexdigest(), count


# ---------------------------------------------------------------- writing


def _written(out: BinaryIO, blocks: Iterable[bytes]) -> Generator[bytes]:
    """The same blocks, each written before it is passed on."""
    for block in blocks:
        _write_all(out, block)
        yield block


def _write_all(out: BinaryIO, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[out.write(rest) :]


def _copy_bytes(source: BinaryIO, out: BinaryIO, size: int) -> None:
    """Copy within the kernel, sharing the blocks where the file system can."""
    try:
        while size > 0:
            count = os.copy_file_range(source.fileno(), out.fileno(), size)
            if count == 0:
                return
            size -= count
    except (OSError, AttributeError) as error:
        # Not every pair of file systems can; the two files stand where it stopped.
        if isinstance(error, OSError) and error.errno in _FULL:
            raise
    while block := source.read(_BLOCK_BYTES):
        _write_all(out, block)


def _make_durable(paths: list[Path]) -> None:
    if not paths:
        return
    # At once rather than in a row: the disk joins the waits into few.
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(_fsync, paths))
        folders = {folder for path in paths for folder in (path.parent, path.parent.parent)}
        list(pool.map(_fsync, folders))


def _fsync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _rename_folder(part: Path, target: Path) -> None:
    try:
        part.rename(target)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
            raise
        raise SnapshotError(
            f"the snapshot cannot be made at {str(target)!r}, where something is already: give a "
            "directory that does not exist"
        ) from error


def _damaged(entry: Entry, blob: Path, what: str) -> StorageCorruptError:
    return StorageCorruptError(
        f"the kept content of {entry.path!r} {what} ({blob}): submit the run again from its "
        "source directory, which keeps it anew"
    )


@contextmanager
def _storage_errors(place: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(
                f"no space is left under {place}: free some, then do it again"
            ) from error
        raise StorageError(f"{place} cannot be written: {error}") from error
