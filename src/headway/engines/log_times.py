"""When a log was how long: what lets ``headway logs --since`` know where to begin.

Programs write their logs themselves, so no line has a time. Instead the shim looks about once a
second, and where a log has grown it adds a record to ``log_times/<name of the log>``: the time, and
how long the log was then. So whatever stands before that length was written at that time or
earlier. Records are of one size and written where they belong, so that one that was written in part
(the disk was full) is replaced by the next. Their times never go back, even where the clock does:
then a search may find too early a place, but never one that is too late.

Standard library only: the shim writes it.
"""

import bisect
import os
import re
from pathlib import Path
from typing import Final

_FORMAT: Final = "{:017d} {:016d}\n"
_PATTERN: Final = re.compile(rb"(\d{17}) (\d{16})\n")
RECORD_BYTES: Final = len(_FORMAT.format(0, 0))


def times_file(folder: Path, log: str) -> Path:
    """Where the times of a log are, in the folder of its run."""
    return folder / "log_times" / Path(log).name


def append(path: Path, at: int, size: int) -> None:
    """Record how long a log was.

    Args:
        path: The file of the records.
        at: The time after its length was looked at, in microseconds since 1970 UTC.
        size: Its length in bytes.

    Raises:
        OSError: It cannot be written.
    """
    path.parent.mkdir(exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        count = os.fstat(fd).st_size // RECORD_BYTES
        last = _record(fd, count - 1) if count else (0, 0)
        os.pwrite(fd, _FORMAT.format(max(at, last[0]), size).encode(), count * RECORD_BYTES)
    finally:
        os.close(fd)


def offset_at(path: Path, at: int) -> int:
    """Where in the log that stands which was written after a time.

    At most about a second of what was written before stands there too; 0 where nothing is known.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        count = os.fstat(fd).st_size // RECORD_BYTES
        later = bisect.bisect_right(range(count), at, key=lambda index: _record(fd, index)[0])
        return _record(fd, later - 1)[1] if later else 0
    finally:
        os.close(fd)


def _record(fd: int, index: int) -> tuple[int, int]:
    """A time and a length; nothing where the record is damaged."""
    found = _PATTERN.fullmatch(os.pread(fd, RECORD_BYTES, index * RECORD_BYTES))
    return (int(found[1]), int(found[2])) if found else (0, 0)
