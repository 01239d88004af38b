"""Logs of interactive runs, kept on this machine until the server has them.

What a run prints goes into a file here first, which costs what writing a local file costs, and is
sent from there: a server that is away or slow holds up nobody, and what a killed process had
printed is sent by whoever comes next. A process has a folder of its own, with a lock that it holds
for life, and in it a file for each log: a line of JSON that says which, then the bytes.
"""

import fcntl
import os
import shutil
import threading
import uuid
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from headway.api import Files
from headway.engines.document import storage_error
from headway.errors import InvalidValueError, StorageCorruptError
from headway.locks import try_lock

_LOCK: Final = "lock"
_UNFINISHED: Final = ".new-"
_SUFFIX: Final = ".log"
_PART_BYTES: Final = 1 << 20
"""Most that is sent at once."""


class LogHeader(msgspec.Struct, frozen=True):
    """The first line of a file: which log it is a part of."""

    run_id: str
    path: str
    base: int
    """How long the log was when this file was begun."""


class _Kept:
    """A log that this process writes."""

    def __init__(self, file: Path, header: LogHeader) -> None:
        self.file = file
        self.header = header
        self.line = msgspec.json.encode(header) + b"\n"
        self.end = header.base
        self.sent = header.base

    @property
    def waiting_bytes(self) -> int:
        return self.end - self.sent

    def write(self, data: bytes) -> None:
        with self.file.open("ab") as stream:
            stream.write(data if self.end > self.header.base else self.line + data)
        self.end += len(data)


class KeptLogs:
    """The logs that this process writes. Any thread may call; a child made by fork begins anew.

    Args:
        folder: That of all processes.
        files: Where they are sent.
    """

    def __init__(self, folder: Path, files: Files) -> None:
        self._folder = folder
        self._files = files
        self._mine: Path | None = None
        self._fd = -1
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        _open_logs.add(self)

    def size(self, run_id: str, path: str) -> int:
        """How long a log is that only this process writes; 0 for one that it has not begun."""
        kept = self._kept.get((run_id, path))
        return kept.end if kept is not None else 0

    def append(self, run_id: str, path: str, offset: int, data: bytes) -> int:
        """Keep a stretch of a log as ``headway.api.Files.append`` takes it in, and return its size.

        Raises:
            StorageError: It cannot be written.
        """
        with self._lock:
            kept = self._kept.get((run_id, path))
            try:
                if kept is None:
                    kept = self._begin(LogHeader(run_id, path, offset))
                if offset > kept.end:
                    raise InvalidValueError(
                        f"the stretch of {path!r} begins at {offset}, but it has {kept.end} bytes: "
                        "send what comes between first"
                    )
                if offset + len(data) > kept.end:
                    kept.write(data[kept.end - offset :])
            except OSError as error:
                raise storage_error(self._folder, error) from error
            return kept.end

    def waiting_bytes(self, run_id: str | None = None) -> int:
        """How much of one run's logs, or of all, was not sent."""
        return sum(
            kept.waiting_bytes
            for kept in list(self._kept.values())
            if run_id in (None, kept.header.run_id)
        )

    def send(self, run_id: str | None = None) -> None:
        """Send what the server has not got of the logs of one run, or of all.

        Raises:
            HeadwayError: It cannot be sent; it is kept.
        """
        with self._sending:
            for kept in list(self._kept.values()):
                if kept.waiting_bytes and run_id in (None, kept.header.run_id):
                    kept.sent = send_file(self._files, kept.file, kept.sent)

    def drop(self, run_id: str) -> None:
        """The run has ended: forget those of its logs that were sent to the end."""
        with self._sending, self._lock:
            for key, kept in list(self._kept.items()):
                if kept.header.run_id == run_id and not kept.waiting_bytes:
                    kept.file.unlink(missing_ok=True)
                    del self._kept[key]

    def close(self) -> None:
        """Let go. What was not sent is sent by the next one; where all was, nothing is left."""
        with self._sending, self._lock:
            if self._mine is not None and not self.waiting_bytes():
                shutil.rmtree(self._mine, ignore_errors=True)
            self._kept.clear()
            self.forget()

    def forget(self) -> None:
        """Drop the lock's descriptor, leaving the files: what a forked child does with a copy."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._mine = -1, None

    def begin_in_child(self) -> None:
        """Leave all to the parent."""
        self.forget()
        self._kept = {}
        self._lock, self._sending = threading.Lock(), threading.Lock()

    def _begin(self, header: LogHeader) -> _Kept:
        if self._mine is None:
            self._mine, self._fd = _claim(self._folder)
        kept = _Kept(self._mine / f"{uuid.uuid4().hex}{_SUFFIX}", header)
        self._kept[header.run_id, header.path] = kept
        return kept


def _claim(folder: Path) -> tuple[Path, int]:
    """A folder of one's own, locked before it can be seen."""
    name = uuid.uuid4().hex
    unfinished = folder / f"{_UNFINISHED}{name}"
    unfinished.mkdir(parents=True, mode=0o700)
    fd = os.open(unfinished / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        unfinished.rename(folder / name)
    except BaseException:
        os.close(fd)
        raise
    return folder / name, fd


_open_logs: Final[weakref.WeakSet[KeptLogs]] = weakref.WeakSet()


def _forget_all() -> None:
    for logs in list(_open_logs):
        logs.begin_in_child()


os.register_at_fork(after_in_child=_forget_all)


# ---------------------------------------------------------------- what processes left


class LeftLog(msgspec.Struct, frozen=True):
    """A file that a dead process left."""

    file: Path
    header: LogHeader
    size_bytes: int


def send_file(files: Files, file: Path, offset: int) -> int:
    """Send what a file here holds of a log, from an offset of the log on; the log's size then.

    Raises:
        HeadwayError: The server does not take it.
        StorageError: The file cannot be read.
    """
    try:
        with file.open("rb") as stream:
            header = _header(file, stream.readline())
            begin = stream.tell()
            offset = max(offset, header.base)
            stream.seek(begin + offset - header.base)
            while data := stream.read(_PART_BYTES):
                offset += len(data)
                files.append(header.run_id, header.path, offset - len(data), data)
    except OSError as error:
        raise storage_error(file, error) from error
    return offset


def left_logs(folder: Path) -> Iterator[tuple[Path, list[LeftLog]]]:
    """What dead processes left, by process, under its lock: two who look do not get the same."""
    for one in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            fd = os.open(one / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            continue
        try:
            if try_lock(fd) and one.is_dir():
                yield one, [_left(file) for file in sorted(one.glob(f"*{_SUFFIX}"))]
        finally:
            os.close(fd)


def sweep(folder: Path) -> None:
    """Remove the folder of a dead process, if nothing is left in it but the lock."""
    if not any(folder.glob(f"*{_SUFFIX}")):
        shutil.rmtree(folder, ignore_errors=True)


def _left(file: Path) -> LeftLog:
    with file.open("rb") as stream:
        line = stream.readline()
    return LeftLog(file, _header(file, line), file.stat().st_size - len(line))


def _header(file: Path, line: bytes) -> LogHeader:
    try:
        return msgspec.json.decode(line, type=LogHeader)
    except msgspec.MsgspecError as error:
        raise StorageCorruptError(
            f"{file} does not say which log it belongs to: read it by hand, then remove it"
        ) from error
