"""Which stretch of a log was cut out, so that the log stays below its cap.

The stretch becomes a hole in the file, and its offsets stay: followers never lose their place. For
each log that was cut there is one small file, ``log_cut/<name of the log>``, written in place, so
that it can be written on a full disk too. Standard library only: the shim writes it.
"""

import os
import re
from pathlib import Path
from typing import Final, NamedTuple

MAIN_LOG: Final = "std_log.txt"
SECOND_NAME: Final = "std_log_process_0.txt"
"""Under which the main log is found, too, in a run of several processes."""

_FORMAT: Final = "{0:020d} {1:020d} {0:020d} {1:020d}\n"
_PATTERN: Final = re.compile(rb"(\d{20} \d{20}) \1\n")
_BYTES: Final = len(_FORMAT.format(0, 0))
_READ_TRIES: Final = 1000


class Cut(NamedTuple):
    """What is missing of a log: nothing where both are equal."""

    begin: int = 0
    end: int = 0

    @property
    def missing(self) -> int:
        """How many bytes were cut."""
        return self.end - self.begin


NOTHING: Final = Cut()


def cut_file(folder: Path, log: str) -> Path:
    """Where the cut of a log is recorded, in the folder of its run."""
    name = Path(log).name
    return folder / "log_cut" / (MAIN_LOG if name == SECOND_NAME else name)


def prepare(path: Path) -> None:
    """Make the file as long as the disk still has space for it.

    Raises:
        OSError: It has none.
    """
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        write(path, NOTHING)


def remove(path: Path) -> None:
    """Remove the record of a log that was not cut."""
    try:
        path.unlink(missing_ok=True)
        path.parent.rmdir()
    except OSError:
        return  # another log was cut


def write(path: Path, cut: Cut) -> None:
    """Record a cut, before the bytes are gone.

    Raises:
        OSError: It cannot be written.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.pwrite(fd, _FORMAT.format(*cut).encode(), 0)
    finally:
        os.close(fd)


def read(path: Path) -> Cut:
    """The cut of a log; where nothing is recorded that can be read, nothing is missing."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return NOTHING
    try:
        for _ in range(_READ_TRIES):
            found = _PATTERN.fullmatch(os.pread(fd, _BYTES, 0))
            if found:  # else it is just being written
                return Cut(*map(int, found[1].split()))
    finally:
        os.close(fd)
    return NOTHING
