"""What a run writes itself: its logs, and its outputs where it is executed in a folder of its own.

These files are read where they stand, so they are there while the run lives and whatever ends it.
A user's program chooses what is there, so only regular files are seen that no link leads to.
"""

import os
import shutil
import stat
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final, NamedTuple

import msgspec

from headway.engines import document
from headway.engines.folder import RunFolder
from headway.errors import RunFileNotFoundError
from headway.files.beneath import UNREACHABLE, open_beneath
from headway.model import FileEntry

PROGRAM_LOGS: Final = "user_logs/"
"""What the program of a submitted run prints."""
RECORDS: Final = "system_logs/"
"""What was noted when the run was submitted."""
LOGS: Final = "logs/"
"""Logs that the program keeps itself, and what an interactive run prints."""
OUTPUTS: Final = "outputs/"

_SOURCE_FILE: Final = "source_files.json"
_Marks = dict[str, tuple[int, int, int]]
"""Size and times of files by name: another one is another file, or was written to."""
_NO_MARKS: Final[_Marks] = {}


class _Place(NamedTuple):
    """A folder whose files belong to a run, under a prefix."""

    prefix: str
    root: Path
    source: _Marks = _NO_MARKS
    """Files that came with the source, which are the run's only if it wrote to them."""

    def below(self, folder: Path) -> str:
        """The name of the root in a folder above it."""
        return self.root.relative_to(folder).as_posix()


class LiveFiles:
    """The files that one run writes itself.

    Args:
        path: The run's folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = RunFolder(path)

    def all(self, prefixes: Collection[str] | None = None) -> Iterator[FileEntry]:
        """Every file there is now.

        Args:
            prefixes: Look only at what has one of these; None for all of them.
        """
        seen: set[str] = set()
        for place in self._places():
            if prefixes is not None and place.prefix not in prefixes:
                continue
            for name in _names(place.root):
                path = f"{place.prefix}{name}"
                found = _regular(place, name)
                if found is not None and path not in seen:
                    seen.add(path)
                    yield _entry(path, found)

    def find(self, path: str) -> Path | None:
        """Where a file stands."""
        for place in self._places():
            name = path.removeprefix(place.prefix)
            if name != path and _regular(place, name) is not None:
                return place.root / name
        return None

    def open(self, path: str) -> BinaryIO | None:
        """A file as it is found, by no link; None where there is none."""
        for place in self._places():
            name = path.removeprefix(place.prefix)
            if name == path:
                continue
            try:
                fd = open_beneath(self._path, f"{place.below(self._path)}/{name}")
            except OSError as error:
                if error.errno not in UNREACHABLE:
                    raise document.storage_error(place.root / name, error) from error
                continue
            stream = os.fdopen(fd, "rb")
            if place.source.get(path) != _mark(os.fstat(fd)):
                return stream
            stream.close()
        return None

    def log(self, path: str) -> Path:
        """Where a log stands or will stand.

        Raises:
            RunFileNotFoundError: It is not among the logs.
        """
        if path.startswith(PROGRAM_LOGS):
            return self._path / path
        if path.startswith(LOGS):
            return self.find(path) or self._path / path
        raise RunFileNotFoundError(
            f"{path!r} is not a log: the logs of a run are under {PROGRAM_LOGS} and {LOGS}"
        )

    def clean(self) -> list[str]:
        """Remove what is left of the source in the run's own working directory.

        Its logs and outputs stay.

        Returns:
            The names of what was removed, relative to that directory.
        """
        kept = {OUTPUTS.rstrip("/"), LOGS.rstrip("/")}
        removed: list[str] = []
        root = self._folder.work_dir
        for entry in sorted(root.iterdir()) if root.is_dir() else ():
            if entry.name in kept:
                continue
            if entry.is_dir() and not entry.is_symlink():
                removed += [f"{entry.name}/{name}" for name in _names(entry)]
                shutil.rmtree(entry, ignore_errors=True)
            else:
                removed.append(entry.name)
                entry.unlink(missing_ok=True)
        return removed

    def prepare(self) -> None:
        """Before the program begins: make the folder for outputs, note what came with the source.

        Raises:
            StorageError: It cannot be written.
        """
        try:
            (self._folder.work_dir / OUTPUTS).mkdir(exist_ok=True)
        except FileExistsError:
            pass  # a file of the source: the program's business
        except OSError as error:
            raise document.storage_error(self._folder.work_dir, error) from error
        marks = {
            f"{prefix}{name}": _mark(found)
            for prefix in (OUTPUTS, LOGS)
            for name in _names(self._folder.work_dir / prefix)
            if (found := _regular(_Place(prefix, self._folder.work_dir / prefix), name))
        }
        if marks:
            document.replace(self._path / _SOURCE_FILE, {"files": marks}, durable=False)

    def renew_marks(self) -> None:
        """After the folder was copied: the files that came with the source are known as before.

        A copy has the size and the time of writing of a file, and another time of change.
        """
        marks = self._noted_source()
        root = self._folder.work_dir
        renewed = {
            path: _mark(found) if _mark(found)[:2] == mark[:2] else mark
            for path, mark in marks.items()
            for prefix in [f"{path.partition('/')[0]}/"]
            if (found := _regular(_Place(prefix, root / prefix), path.removeprefix(prefix)))
        }
        if renewed:
            document.replace(self._path / _SOURCE_FILE, {"files": renewed}, durable=False)

    def _places(self) -> Iterator[_Place]:
        yield _Place(PROGRAM_LOGS, self._path / PROGRAM_LOGS)
        yield _Place(RECORDS, self._path / RECORDS)
        yield _Place(LOGS, self._path / LOGS)
        source = self._noted_source()
        for prefix in (OUTPUTS, LOGS):
            yield _Place(prefix, self._folder.work_dir / prefix, source)

    def _noted_source(self) -> _Marks:
        try:
            content = (self._path / _SOURCE_FILE).read_bytes()
        except FileNotFoundError:
            return _NO_MARKS
        return msgspec.json.decode(content, type=dict[str, _Marks]).get("files", _NO_MARKS)


def _mark(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _names(root: Path) -> Iterator[str]:
    if root.is_symlink():
        return
    for folder, _, names in os.walk(root):
        below = Path(folder).relative_to(root).as_posix()
        for name in names:
            yield name if below == "." else f"{below}/{name}"


def _regular(place: _Place, name: str) -> os.stat_result | None:
    """What is known of a file; None unless it is a regular one to which no link leads."""
    where = place.root
    try:
        found = where.lstat()
        owner = found.st_uid
        for part in PurePosixPath(name).parts:
            if not stat.S_ISDIR(found.st_mode):
                return None
            where /= part
            found = where.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode) or ".." in PurePosixPath(name).parts:
        return None
    if found.st_nlink > 1 and found.st_uid != owner:
        return None  # a hard link to what belongs to somebody else
    return None if place.source.get(f"{place.prefix}{name}") == _mark(found) else found


def _entry(path: str, found: os.stat_result) -> FileEntry:
    return FileEntry(
        path=path,
        size_bytes=found.st_size,
        blake3=None,
        created_at=found.st_mtime_ns // 1000,
    )
