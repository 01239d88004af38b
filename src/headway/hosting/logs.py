"""Reading logs, of which the middle may have been cut out: a line says so in its place."""

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from headway.engines import log_cut
from headway.model import LogPart

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES: Final = 1 << 17


def read(folder: Path, log: Path, offset: int, limit: int) -> LogPart:
    """A stretch of a log; empty where it does not exist yet or has nothing more.

    Where something was cut, the stretch begins with a line that says how much, however small the
    limit is, and the next offset lies behind the cut.

    Args:
        folder: That of the run.
        log: The file.
        offset: Where to begin, in bytes of what the program wrote.
        limit: Most bytes to return, that line apart.
    """
    record = log_cut.cut_file(folder, log.name)
    try:
        fd = os.open(log, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return LogPart(b"", offset)
    try:
        while True:
            cut = log_cut.read(record)
            part = _read(fd, cut, offset, limit)
            # A cut is recorded before it is made. If it is the same still, no hole was read.
            if log_cut.read(record) == cut:
                return part
    finally:
        os.close(fd)


def open_log(folder: Path, log: Path) -> BinaryIO:
    """A log as a stream, from its beginning to where it ends when that is reached."""
    return cast("BinaryIO", io.BufferedReader(_LogStream(folder, log), _BUFFER_BYTES))


def _read(fd: int, cut: log_cut.Cut, offset: int, limit: int) -> LogPart:
    if offset < cut.begin:
        data = os.pread(fd, min(limit, cut.begin - offset), offset)
        return LogPart(data, offset + len(data))
    if cut.begin <= offset < cut.end:
        data = os.pread(fd, limit, cut.end)
        return LogPart(_marker(fd, cut) + data, cut.end + len(data))
    data = os.pread(fd, limit, offset)
    return LogPart(data, offset + len(data))


def _marker(fd: int, cut: log_cut.Cut) -> bytes:
    """The line in the place of what was cut."""
    before = os.pread(fd, 1, cut.begin - 1) if cut.begin else b"\n"
    begin = b"" if before == b"\n" else b"\n"
    return begin + b"[headway: %d bytes of output were cut here]\n" % cut.missing


class _LogStream(io.RawIOBase):
    def __init__(self, folder: Path, log: Path) -> None:
        super().__init__()
        self._folder = folder
        self._log = log
        self._offset = 0
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        if not self._left:
            part = read(self._folder, self._log, self._offset, _BUFFER_BYTES)
            self._left, self._offset = part.data, part.next_offset
        taken, self._left = self._left[: len(view)], self._left[len(view) :]
        view[: len(taken)] = taken
        return len(taken)
