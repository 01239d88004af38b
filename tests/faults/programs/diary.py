"""What a program knows for certain: a number is in the diary once Headway or the log had it."""

import os
from pathlib import Path


class Diary:
    """The files of one writer in a folder: points, lines, processes.

    Opened anew by every process. One write a number: whoever is killed has written it or not.
    """

    def __init__(self, folder: Path, run_id: str, writer: str) -> None:
        self._points = _appending(folder / f"{run_id}.{writer}.points")
        self._lines = _appending(folder / f"{run_id}.{writer}.lines")
        self._processes = _appending(folder / f"{run_id}.processes")
        self.process()

    def point(self, number: int) -> None:
        """The point with this number was logged."""
        os.write(self._points, b"%d\n" % number)

    def line(self, number: int) -> None:
        """The line with this number was written and flushed."""
        os.write(self._lines, b"%d\n" % number)

    def process(self) -> None:
        """This process exists: its pid and start time."""
        stat = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        os.write(self._processes, b"%d %s\n" % (os.getpid(), stat[19]))


def _appending(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
