"""Snapshots in a folder: blobs by the hash of their content, and a list of files for each tree.

<folder>/blobs/ab/<blake3>         contents, each once, whatever trees hold it
<folder>/trees/<snapshot id>.json  what belongs to one snapshot
<folder>/seen/<source>.msgpack     hashes of files that have not changed since, per source
<folder>/incoming/                 files being made
<folder>/lock                      shared by those who take, alone by one who removes
"""

import errno
import os
import shutil
import stat
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from headway.contents import Content
from headway.errors import NotFoundError, SnapshotError, StorageError, StorageFullError
from headway.snapshots.arriving import (
    check_hash,
    contents_of,
    open_kept,
    receive,
    refuse_absent,
)
from headway.snapshots.blobs import FULL, Blob, Blobs
from headway.snapshots.durable import fsync_all, write_whole
from headway.snapshots.intake import Intake
from headway.snapshots.plan import SnapshotPlan
from headway.snapshots.seen import SeenFiles
from headway.snapshots.tree import HASH, Entry, Manifest, decode, encode, escape, unescape
from headway.snapshots.unused import References, exclusive_lock, shared_lock

_DAY_S: Final = 86_400
_HOUR_S: Final = 3_600
_SUFFIX: Final = ".json"


class SnapshotStore:
    """Keeps snapshots in a folder.

    Any thread and any number of processes may use one folder at once.

    Args:
        folder: Where; made when it is needed.
        clock_ns: The time, in nanoseconds since 1970.
    """

    def __init__(self, folder: Path, *, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._folder = folder
        self._blobs = folder / "blobs"
        self._trees = folder / "trees"
        self._seen = folder / "seen"
        self._incoming = folder / "incoming"
        self._lock = folder / "lock"
        self._clock_ns = clock_ns

    def take(self, plan: SnapshotPlan) -> Manifest:
        """Keep what was planned. When this returns, a power cut does not undo it.

        A file that vanished since is left out, one that changes while it is read is kept as it
        was read.

        Raises:
            SnapshotError: A file cannot be read, or files have grown beyond the limit.
            StorageError: The folder of the snapshots cannot be written.
        """
        with storage_errors(self._folder):
            self._make_folders()
            with shared_lock(self._lock), Blobs(self._blobs) as blobs:
                seen = SeenFiles(self._seen, plan.source)
                intake = Intake(plan, blobs, self._incoming, seen, self._clock_ns)
                try:
                    entries = _entries(plan, intake)
                    intake.commit()
                finally:
                    intake.discard()
                manifest, content = encode(entries)
                is_durable = seen.snapshot_id == manifest.id
                self._write_tree(manifest.id, content, is_durable=is_durable)
                seen.save(manifest.id, self._incoming)
        return manifest

    def load(self, snapshot_id: str) -> Manifest:
        """What belongs to a snapshot.

        Raises:
            NotFoundError: There is no such snapshot.
            StorageCorruptError: It is damaged.
        """
        try:
            content = self._tree(snapshot_id).read_bytes() if HASH.fullmatch(snapshot_id) else None
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

    @contextmanager
    def contents(self) -> Generator[Blobs]:
        """The contents of all files, to be read; each is checked as it is."""
        with storage_errors(self._folder):
            self._blobs.mkdir(parents=True, exist_ok=True)
            blobs = Blobs(self._blobs)
        with blobs:
            yield blobs

    def materialize(self, snapshot_id: str, target: Path) -> None:
        """Make the directory again, as copies that may be changed freely.

        It appears whole or not at all, and is checked against the hashes of what was taken.

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
        part = target.parent / f".part-{os.urandom(8).hex()}"
        with storage_errors(target):
            part.mkdir(parents=True)
            try:
                with self.contents() as blobs:
                    _fill(part, manifest, blobs)
                rename_folder(part, target)
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise

    def unused(self, kept_ids: Iterable[str], *, min_age_s: float = _DAY_S) -> list[Blob]:
        """The contents that ``remove_unused`` would remove now."""
        with storage_errors(self._folder):
            self._make_folders()
            references = self._references(kept_ids, min_age_s)
            with Blobs(self._blobs) as blobs:
                found = blobs.found(self._clock_ns() / 1e9 - min_age_s)
                return [blob for blob in found if blob.blake3 not in references.digests]

    def remove_unused(self, kept_ids: Iterable[str], *, min_age_s: float = _DAY_S) -> list[Blob]:
        """Remove the snapshots that no run has, and the contents that no other snapshot holds.

        Args:
            kept_ids: The snapshots of all runs.
            min_age_s: What was taken, asked for or kept more recently stays: its run may not have
                been written down when ``kept_ids`` was read.

        Returns:
            The contents that were removed.

        Raises:
            StorageBusyError: Snapshots are being taken all the time.
            StorageCorruptError: A snapshot that is kept is damaged; nothing was removed.
            StorageError: The folder of the snapshots cannot be written.
        """
        with storage_errors(self._folder):
            self._make_folders()
            # Reading all lists takes long, and nobody has to wait for it.
            references = self._references(kept_ids, min_age_s)
            with exclusive_lock(self._lock), Blobs(self._blobs) as blobs:
                for snapshot_id in self._tree_ids() - self._add_young(references, min_age_s):
                    self._tree(snapshot_id).unlink(missing_ok=True)
                found = blobs.found(self._clock_ns() / 1e9 - min_age_s)
                gone = [blob for blob in found if blob.blake3 not in references.digests]
                for blob in gone:
                    blobs.remove(blob.blake3)
        return gone

    # ------------------------------------------------------------ from elsewhere

    def missing(self, contents: Sequence[Content]) -> list[str]:
        """See ``SnapshotStorage.missing``."""
        lacking: list[str] = []
        with self._arriving() as blobs:
            for content in contents:
                if blobs.has(check_hash(content.blake3), content.size_bytes):
                    blobs.touch(content.blake3)
                else:
                    lacking.append(content.blake3)
        return lacking

    def put_blob(self, blake3: str, source: BinaryIO, *, max_bytes: int) -> None:
        """See ``SnapshotStorage.put_blob``."""
        check_hash(blake3)
        with self._arriving() as blobs:
            receive(blobs, self._incoming, blake3, source, max_bytes=max_bytes)

    @contextmanager
    def open_blob(self, blake3: str) -> Generator[BinaryIO]:
        """See ``SnapshotStorage.open_blob``."""
        check_hash(blake3)
        with self.contents() as blobs, open_kept(blobs, blake3) as stream:
            yield stream

    def commit(self, manifest: Manifest, content: bytes) -> None:
        """See ``SnapshotStorage.commit``."""
        with self._arriving() as blobs:
            wanted = contents_of(manifest)
            absent = [one.blake3 for one in wanted if not blobs.has(one.blake3, one.size_bytes)]
            refuse_absent(manifest, absent)
            self._write_tree(manifest.id, content, is_durable=False)

    @contextmanager
    def _arriving(self) -> Generator[Blobs]:
        """The contents, while nothing is removed."""
        with storage_errors(self._folder):
            self._make_folders()
            with shared_lock(self._lock), Blobs(self._blobs) as blobs:
                yield blobs

    # ------------------------------------------------------------ taking

    def _make_folders(self) -> None:
        made = False
        for folder in (self._blobs, self._trees, self._seen, self._incoming):
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
                made = True
        if made:
            fsync_all([self._folder, self._folder.parent])
        abandoned_before = self._clock_ns() / 1e9 - _DAY_S
        for left in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < abandoned_before:
                    left.unlink()

    def _write_tree(self, snapshot_id: str, content: bytes, *, is_durable: bool) -> None:
        tree = self._tree(snapshot_id)
        with suppress(FileNotFoundError):
            if tree.read_bytes() == content:
                if self._age_s(tree) > _HOUR_S:
                    os.utime(tree)  # it is young again for ``remove_unused``
                if not is_durable:
                    fsync_all([self._trees])  # perhaps another process put it there just now
                return
        write_whole(tree, content, self._incoming, durable=True)

    # ------------------------------------------------------------ removing

    def _references(self, kept_ids: Iterable[str], min_age_s: float) -> References:
        references = References()
        for snapshot_id in self._tree_ids() & set(kept_ids):
            with suppress(NotFoundError):
                references.add(self.load(snapshot_id))
        self._add_young(references, min_age_s)
        return references

    def _add_young(self, references: References, min_age_s: float) -> set[str]:
        """Keep the snapshots of runs that are not known yet too; return all that are kept."""
        for snapshot_id in self._tree_ids() - references.snapshot_ids:
            with suppress(NotFoundError, FileNotFoundError):
                if self._age_s(self._tree(snapshot_id)) < min_age_s:
                    references.add(self.load(snapshot_id))
        return references.snapshot_ids

    def _age_s(self, path: Path) -> float:
        return self._clock_ns() / 1e9 - path.stat().st_mtime

    # ------------------------------------------------------------ places

    def _tree(self, snapshot_id: str) -> Path:
        return self._trees / f"{snapshot_id}{_SUFFIX}"

    def _tree_ids(self) -> set[str]:
        return {path.stem for path in self._trees.glob(f"*{_SUFFIX}")}


# ---------------------------------------------------------------- taking and making again


def _entries(plan: SnapshotPlan, intake: Intake) -> list[Entry]:
    entries = [Entry(escape(path), "folder", mode) for path, mode in plan.folders.items()]
    entries += [
        Entry(escape(path), "link", target=escape(target)) for path, target in plan.links.items()
    ]
    entries += [entry for file in plan.files if (entry := intake.take(file)) is not None]
    return entries


def _fill(folder: Path, manifest: Manifest, blobs: Blobs) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        folders = [entry for entry in manifest.entries if entry.kind == "folder"]
        for entry in folders:
            os.mkdir(unescape(entry.path), dir_fd=fd)
        for entry in manifest.entries:
            if entry.kind == "file":
                _make_file(entry, blobs, fd)
        # Links come last: nothing is ever written through one.
        for entry in manifest.entries:
            if entry.kind == "link":
                os.symlink(unescape(entry.target), unescape(entry.path), dir_fd=fd)
        for entry in reversed(folders):
            # Without these bits the owner could not even delete it.
            os.chmod(unescape(entry.path), entry.mode | stat.S_IRWXU, dir_fd=fd)
    finally:
        os.close(fd)


def _make_file(entry: Entry, blobs: Blobs, folder: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    out = os.open(unescape(entry.path), flags, 0o600, dir_fd=folder)
    try:
        blobs.copy(entry, out)
        os.fchmod(out, entry.mode | stat.S_IRUSR)
    finally:
        os.close(out)


def rename_folder(part: Path, target: Path) -> None:
    """Give a folder that was made its name.

    Raises:
        SnapshotError: There is something of this name.
    """
    try:
        part.rename(target)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
            raise
        raise SnapshotError(
            f"the snapshot cannot be made at {str(target)!r}, where something is already: give a "
            "directory that does not exist"
        ) from error


@contextmanager
def storage_errors(place: Path) -> Generator[None]:
    """What the system refuses at a place, told as an error of Headway."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFullError(
                f"no space is left under {place}: free some, then do it again"
            ) from error
        raise StorageError(f"{place} cannot be written: {error}") from error
