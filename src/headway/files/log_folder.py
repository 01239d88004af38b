"""Logs in a folder of this machine: ``<root>/<holder>/<name>``, a file each."""

import fcntl
import os
import shutil
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from headway.checks import check_run_id
from headway.errors import InvalidValueError
from headway.files.base import StoredLog, behind_the_end, check_log_name
from headway.files.beneath import UNREACHABLE, open_beneath
from headway.files.local import storage_errors, sync_folder

_MODE: Final = os.O_RDWR | os.O_CREAT


class FolderLogs:
    """``Logs`` in a folder.

    Args:
        root: The folder that holds one folder a holder.
        only: Where else something lies beside the logs: the folders of a holder that are theirs.
        durable: Whether a power cut does not undo an append.
    """

    def __init__(self, root: Path, *, only: Sequence[str] = (), durable: bool = False) -> None:
        self._root = root
        self._only = only
        self._durable = durable

    def append(self, holder: str, name: str, offset: int, data: bytes) -> int:
        """See ``Logs.append``."""
        folder = self._folder(holder)
        with _opened(folder, self._name(name), _MODE, make=offset == 0) as fd:
            if fd is None:
                raise behind_the_end(name, offset, 0)
            fcntl.flock(fd, fcntl.LOCK_EX)
            size = os.fstat(fd).st_size
            if not 0 <= offset <= size:
                raise behind_the_end(name, offset, size)
            rest = memoryview(data)[size - offset :]
            with storage_errors(folder):
                while rest:
                    written = os.pwrite(fd, rest, size)
                    rest, size = rest[written:], size + written
                if self._durable:
                    os.fsync(fd)
                    if offset == 0:  # its name is as new as it is, perhaps
                        sync_folder((folder / name).parent)
            return size

    def read(self, holder: str, name: str, offset: int, limit: int) -> bytes:
        """See ``Logs.read``."""
        with _opened(self._folder(holder), self._name(name)) as fd:
            return b"" if fd is None else os.pread(fd, limit, offset)

    def size(self, holder: str, name: str) -> int | None:
        """See ``Logs.size``."""
        with _opened(self._folder(holder), self._name(name)) as fd:
            return None if fd is None else os.fstat(fd).st_size

    def list(self, holder: str) -> list[StoredLog]:
        """See ``Logs.list``."""
        found: list[StoredLog] = []
        folder = self._folder(holder)
        for name in _names(folder, self._only):
            with _opened(folder, name) as fd:
                if fd is not None:
                    at = os.fstat(fd)
                    found.append(StoredLog(name, at.st_size, at.st_mtime_ns // 1000))
        return sorted(found, key=lambda log: log.name)

    def remove(self, holder: str, name: str | None = None) -> None:
        """See ``Logs.remove``."""
        folder = self._folder(holder)
        with storage_errors(folder):
            if name is not None:
                (folder / self._name(name)).unlink(missing_ok=True)
                return
            for place in [folder / one for one in self._only] or [folder]:
                with suppress(FileNotFoundError):
                    shutil.rmtree(place)

    def holders(self) -> Iterator[str]:
        """See ``Logs.holders``."""
        with suppress(FileNotFoundError):
            for entry in sorted(self._root.iterdir()):
                if next(_names(entry, self._only), None) is not None:
                    yield entry.name

    def _folder(self, holder: str) -> Path:
        return self._root / check_run_id(holder)

    def _name(self, name: str) -> str:
        check_log_name(name)
        if self._only and name.partition("/")[0] not in self._only:
            raise InvalidValueError(
                f"{name!r} is no name for a log: give one under "
                f"{' or '.join(f'{only}/' for only in self._only)}"
            )
        return name


@contextmanager
def _opened(
    folder: Path, name: str, flags: int = os.O_RDONLY, *, make: bool = False
) -> Generator[int | None]:
    """A log, while it is open; None where there is none, unless it is to be made."""
    if not make:
        flags &= ~os.O_CREAT
    with storage_errors(folder):
        try:
            fd = open_beneath(folder, name, flags, make=make)
        except OSError as error:
            if error.errno not in UNREACHABLE:
                raise
            if make:
                raise InvalidValueError(
                    f"{name!r} cannot be the name of a log here, for a part of it is too long, is "
                    f"a log itself or is no file ({error.strerror}): give another name"
                ) from error
            fd = None
    try:
        yield fd
    finally:
        if fd is not None:
            os.close(fd)


def _names(root: Path, only: Sequence[str]) -> Iterator[str]:
    """The names of all files below a folder, or below these folders in it."""
    for top in [root / one for one in only] or [root]:
        with suppress(FileNotFoundError, NotADirectoryError):
            if not stat.S_ISDIR(top.lstat().st_mode):
                continue
            for folder, _, names in os.walk(top):
                for name in names:
                    yield Path(folder, name).relative_to(root).as_posix()
