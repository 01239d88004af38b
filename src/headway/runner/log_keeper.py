"""Keeps the logs of a run below their cap, and writable on a full disk.

The program writes its log itself, and must never wait for anybody. So nothing stands in its way: of
a log that has become too long the middle is cut out, by a hole in the file. The head and the tail
stay where they are, and a cut begins and ends with a line where there is one.

Where the disk fills up, the same is done to make room. Besides, some blocks beyond the end of the
log are allocated ahead, so that a program that prints a line now and then can go on doing so.
"""

import ctypes
import errno
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from headway.engines import log_cut
from headway.engines.log_cut import Cut

_PUNCH_HOLE: Final = 2
_KEEP_SIZE: Final = 1
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

_HEAD_BYTES: Final = 1 << 20
_LEAST_KEPT_BYTES: Final = 1 << 17
_LEAST_CUT_BYTES: Final = 1 << 13
_LINE_BYTES: Final = 1 << 16
"""How far a cut is moved to fall between two lines."""
_PIECE_BYTES: Final = 16 << 20
_AHEAD_S: Final = 0.5
_AHEAD_BYTES: Final = 1 << 18
_LEAST_AHEAD_BYTES: Final = 1 << 16
_MOST_AHEAD_BYTES: Final = 16 << 20
_LONGEST_PAUSE_S: Final = 1.0
_SHORTEST_PAUSE_S: Final = 0.02


class LogKeeper:
    """Looks after one log.

    Attributes:
        due_at: When to look again, by the monotonic clock.
        full_at: When the disk was found full, in seconds since the epoch; None where it never was.
    """

    def __init__(
        self, folder: Path, log: Path, cap: int | None, say: Callable[[str], None]
    ) -> None:
        self.due_at = 0.0
        self.full_at: float | None = None
        self._log = log
        self._cap = cap
        self._say = say
        self._record = log_cut.cut_file(folder, log.name)
        self._cut = log_cut.read(self._record)
        self._told: set[str] = set()
        self._prepared = False
        self._can_cut = True
        self._can_allocate = True
        self._size = 0
        self._ahead = 0
        self._pause_s = _SHORTEST_PAUSE_S
        self._looked_at = time.monotonic()

    def look(self) -> None:
        """Cut what is too much, and say when to look again. Takes no time where nothing is."""
        try:
            fd = os.open(self._log, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            self.due_at = time.monotonic() + _LONGEST_PAUSE_S
            return
        try:
            self._attend(fd)
        except OSError as error:
            self._tell(f"{self._log} cannot be looked after: {error.strerror}")
            self.due_at = time.monotonic() + _LONGEST_PAUSE_S
        finally:
            os.close(fd)

    def close(self) -> None:
        """Cut once more and give back what was allocated ahead, when nobody writes any more."""
        self.look()
        if not self._cut.missing:
            log_cut.remove(self._record)
        try:
            size = self._log.stat().st_size
            if self._ahead > size:
                os.truncate(self._log, size)
        except OSError:
            return  # it is gone, and its blocks with it

    def _attend(self, fd: int) -> None:
        size = os.fstat(fd).st_size
        now = time.monotonic()
        rate = (size - self._size) / max(now - self._looked_at, 0.001)
        self._size, self._looked_at = size, now
        limit = math.inf if self._cap is None else self._cap
        self._prepare()
        if self._kept(size) > limit:
            self._cut_out(fd, size, int(limit))
        self._allocate_ahead(fd, size, rate)
        # Again before a program that goes on like this has used half of what it has.
        room = min(limit - self._kept(size), max(self._ahead - size, _AHEAD_BYTES))
        pause_s = room / 2 / rate if rate > 0 else _LONGEST_PAUSE_S
        longest_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        self._pause_s = min(max(pause_s, _SHORTEST_PAUSE_S), longest_s)
        self.due_at = now + self._pause_s

    def _kept(self, size: int) -> int:
        return size - self._cut.missing

    def _prepare(self) -> None:
        """Have the record early: when it is needed, the disk may be full."""
        if self._prepared:
            return
        try:
            log_cut.prepare(self._record)
            self._prepared = True
        except OSError as error:
            self._tell(f"{self._record} cannot be written: {error.strerror}")

    def _allocate_ahead(self, fd: int, size: int, rate: float) -> None:
        """Have blocks for what the program will write next; from the log's own, if need be."""
        wanted = int(min(max(rate * _AHEAD_S, _AHEAD_BYTES), _MOST_AHEAD_BYTES))
        if self._ahead >= size + wanted // 2 or not self._can_allocate:
            return
        problem = _fallocate(fd, _KEEP_SIZE, size, wanted)
        if problem in _FULL:
            self._note_full(fd, size)
            wanted = max(_LEAST_AHEAD_BYTES, min(wanted, self._kept(size) // 4))
            if self._kept(size) > wanted + _LEAST_KEPT_BYTES:
                self._cut_out(fd, size, self._kept(size) - wanted)
            problem = _fallocate(fd, _KEEP_SIZE, size, wanted)
        if not problem:
            self._ahead = size + wanted
        elif problem not in _FULL:
            self._can_allocate = False

    def _note_full(self, fd: int, size: int) -> None:
        """Where neither the disk nor the log has space left, a write may have failed already."""
        if self._ahead <= size and os.fstatvfs(fd).f_bavail <= 1 and self.full_at is None:
            self.full_at = time.time()
            self._tell("the disk is full: output of the program may be lost")

    def _cut_out(self, fd: int, size: int, limit: int) -> None:
        """Cut to less than the limit, so that it need not be done all the time."""
        if not self._can_cut:
            return
        goal = limit * 3 // 4
        begin = self._cut.begin or _line_end_before(fd, min(_HEAD_BYTES, limit // 4))
        end = _line_end_after(fd, size - max(goal - begin, limit // 4), size)
        if end - max(begin, self._cut.end) < _LEAST_CUT_BYTES:
            return
        cut = Cut(begin, end)
        log_cut.write(self._record, cut)  # first: readers must never take a hole for output
        before, self._cut = self._cut, cut
        if not _punch(fd, cut, max(before.end, begin)):
            self._tell(f"{self._log}: the file system cannot cut it; it grows without a cap")
            self._can_cut = False

    def _tell(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._say(what)


class LogKeepers:
    """Look after every log in the folder of a run's log: with several processes, one each."""

    def __init__(self, folder: Path, log: str, cap: int | None, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._logs = (folder / log).parent
        self._cap = cap
        self._say = say
        self._keepers: dict[str, LogKeeper] = {}

    @property
    def due_at(self) -> float:
        """When to look again, by the monotonic clock."""
        return min((keeper.due_at for keeper in self._keepers.values()), default=0.0)

    @property
    def full_at(self) -> float | None:
        """When the disk was first found full, in seconds since the epoch."""
        return min((k.full_at for k in self._keepers.values() if k.full_at), default=None)

    def look(self) -> None:
        """Look after those that are due."""
        now = time.monotonic()
        if now < self.due_at:
            return
        self._find_new()
        for keeper in self._keepers.values():
            if now >= keeper.due_at:
                keeper.look()

    def close(self) -> None:
        """Look once more, when nobody writes any more."""
        self._find_new()
        for keeper in self._keepers.values():
            keeper.close()

    def _find_new(self) -> None:
        try:
            names = os.listdir(self._logs)  # noqa: PTH208 - names are wanted, not paths
        except OSError:
            return
        for name in names:
            new = name not in self._keepers and name != log_cut.SECOND_NAME
            if new and name.endswith(".txt"):
                log = self._logs / name
                self._keepers[name] = LogKeeper(self._folder, log, self._cap, self._say)


def _line_end_before(fd: int, offset: int) -> int:
    begin = max(0, offset - _LINE_BYTES)
    at = os.pread(fd, offset - begin, begin).rfind(b"\n")
    return offset if at < 0 else begin + at + 1


def _line_end_after(fd: int, offset: int, size: int) -> int:
    at = os.pread(fd, min(_LINE_BYTES, size - offset), offset).find(b"\n")
    return offset if at < 0 else offset + at + 1


def _punch(fd: int, cut: Cut, done: int) -> bool:
    """Give the blocks back that lie in the cut as a whole, from what is done already on.

    Piece by piece: the program waits while one is taken out.
    """
    block = os.fstat(fd).st_blksize
    at = -(-cut.begin // block) * block if done <= cut.begin else done // block * block
    end = cut.end // block * block
    while at < end:
        length = min(_PIECE_BYTES, end - at)
        if _fallocate(fd, _PUNCH_HOLE | _KEEP_SIZE, at, length):
            return False
        at += length
    return True


def _fallocate(fd: int, mode: int, offset: int, length: int) -> int:
    """The number of the error, or 0."""
    libc = ctypes.CDLL(None, use_errno=True)
    done: int = libc.fallocate(fd, mode, ctypes.c_int64(offset), ctypes.c_int64(length))
    return 0 if done == 0 else ctypes.get_errno()
