"""Files of runs in a folder of this machine: ``<root>/<run id>/files/<hash>``."""

import errno
import fcntl
import os
import re
import secrets
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from blake3 import blake3

from headway.checks import check_run_id
from headway.errors import RunFileNotFoundError, StorageError, StorageFullError
from headway.files.base import (
    BLOCK_BYTES,
    FileStorage,
    KeptFile,
    OpenedFile,
    StoredFile,
    check_expected,
    no_key,
    open_source,
    read_block,
)

_KEY: Final = re.compile(r"[0-9a-f]{64}")
_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_CLONE: Final = 0x40049409
"""FICLONE of linux/fs.h, ``_IOW(0x94, 9, int)``."""


class LocalFiles:
    """A ``FileStorage`` in a folder.

    Args:
        root: The folder that holds one folder a run.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(
        self, run_id: str, source: Path | BinaryIO, *, expected: str | None = None
    ) -> StoredFile:
        """See ``FileStorage.write``."""
        folder = self._root / check_run_id(run_id) / "files"
        with open_source(source) as stream, storage_errors(folder):
            make_folder(folder)
            with _Part(folder) as part:
                stored = part.share(stream) or _copy(stream, part)
                check_expected(expected, stored.blake3)
                part.publish(stored.key)
        return stored

    @contextmanager
    def open(self, run_id: str, key: str) -> Generator[BinaryIO]:
        """See ``FileStorage.open``."""
        path = self._path(run_id, key)
        try:
            stream = path.open("rb")
        except FileNotFoundError as error:
            raise RunFileNotFoundError(
                f"run {run_id} has no file with the key {key} under {self._root}: it was removed, "
                "or the workspace's folder was changed by hand"
            ) from error
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error}") from error
        with stream:
            yield stream

    def link(self, run_id: str, key: str, source: FileStorage, source_id: str) -> bool:
        """See ``FileStorage.link``."""
        if not isinstance(source, LocalFiles):
            return False
        folder = self._root / check_run_id(run_id) / "files"
        with storage_errors(folder):
            make_folder(folder)
            try:
                os.link(source._path(source_id, key), folder / key)
            except FileExistsError:
                return True
            except OSError:  # another file system, or one without links
                return False
            sync_folder(folder)
        return True

    def remove(self, run_id: str, key: str) -> None:
        """See ``FileStorage.remove``."""
        path = self._path(run_id, key)
        with storage_errors(path):
            path.unlink(missing_ok=True)

    def find(self, run_id: str, key: str) -> KeptFile | None:
        """See ``FileStorage.find``."""
        path = self._path(run_id, key)
        try:
            at = path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error}") from error
        return KeptFile(key, at.st_size, at.st_mtime_ns // 1000)

    def found(self, run_id: str) -> Iterator[KeptFile]:
        """See ``FileStorage.found``."""
        folder = self._root / check_run_id(run_id) / "files"
        try:
            scan = os.scandir(folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StorageError(f"{folder} cannot be read: {error}") from error
        with scan:
            for entry in scan:
                with suppress(FileNotFoundError):  # removed meanwhile
                    if _KEY.fullmatch(entry.name):
                        at = entry.stat(follow_symlinks=False)
                        yield KeptFile(entry.name, at.st_size, at.st_mtime_ns // 1000)

    def holders(self) -> Iterator[str]:
        """See ``FileStorage.holders``."""
        with suppress(FileNotFoundError):
            for folder in self._root.glob("[!.]*/files"):
                if next(self.found(folder.parent.name), None) is not None:
                    yield folder.parent.name

    def _path(self, run_id: str, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise no_key(key)
        return self._root / check_run_id(run_id) / "files" / key


def _copy(stream: BinaryIO, part: "_Part") -> StoredFile:
    hasher = blake3()
    size = 0
    while block := read_block(stream):
        hasher.update(block)
        part.write(block)
        size += len(block)
    digest = hasher.hexdigest()
    return StoredFile(key=digest, size_bytes=size, blake3=digest)


class _Part:
    """A file being made, which nobody sees before it is whole.

    Where the file system can, it has no name until then: it goes when its writer is killed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f".part-{secrets.token_hex(8)}"
        try:
            self._fd = os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666)
            self._named = False
        except (OSError, AttributeError):  # an older or network file system; macOS
            flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC
            self._fd = os.open(self._path, flags, 0o666)
            self._named = True

    def __enter__(self) -> "_Part":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)
        if self._named:
            with suppress(FileNotFoundError):
                self._path.unlink()

    def write(self, block: bytes) -> None:
        rest = memoryview(block)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def share(self, stream: BinaryIO) -> StoredFile | None:
        """Take a whole file without copying it, where the file system shares blocks until written.

        Btrfs, XFS and others do. A hard link would not do: a program that writes to its file again
        would write to the kept one. Only what was given as a path: the descriptor of a stream may
        be that of something else, a compressed file for one. None where nothing was taken.
        """
        if not isinstance(stream, OpenedFile):
            return None
        try:
            fcntl.ioctl(self._fd, _CLONE, stream.fileno())
        except OSError:
            return None
        hasher = blake3()
        size = 0
        while block := os.pread(self._fd, BLOCK_BYTES, size):
            hasher.update(block)
            size += len(block)
        digest = hasher.hexdigest()
        return StoredFile(key=digest, size_bytes=size, blake3=digest)

    def publish(self, name: str) -> None:
        """Give the file its name, durably, in place of an equal one."""
        os.fsync(self._fd)
        with _opened(self._folder) as folder_fd:
            if not self._named:
                # A folder descriptor makes Python call linkat, which alone follows the link in
                # /proc. It cannot replace an existing name, hence the rename after it.
                os.link(f"/proc/self/fd/{self._fd}", self._path, src_dir_fd=folder_fd)
                self._named = True
            self._path.replace(self._folder / name)
            self._named = False
            os.fsync(folder_fd)


def make_folder(folder: Path) -> None:
    """Make a folder, durably."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for above in (folder.parent, folder.parent.parent):
        sync_folder(above)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    with _opened(folder) as fd:
        os.fsync(fd)


@contextmanager
def _opened(folder: Path) -> Generator[int]:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def storage_errors(place: Path) -> Generator[None]:
    """What the system refuses at a place, told as an error of Headway."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(
                f"no space is left under {place}: free some, then do it again; nothing half-made "
                "was left behind"
            ) from error
        raise StorageError(f"{place} cannot be written: {error}") from error
