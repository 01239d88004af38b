"""Slots one after another, over as many segments as are needed: one writer's journal."""

import threading
import zlib
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

from headway.metrics.segment import FULL, Segment, SegmentHeader
from headway.metrics.slots import HEADER_BYTES, INT_BODY, SLOT, SLOT_BYTES, Kind

_SECOND: Final = 1_000_000_000
_RETRY_AFTER: Final = _SECOND
_HOLE_PATIENCE: Final = _SECOND // 2
_MAX_RETIRED: Final = 16


class TapeClosedError(Exception):
    """The journal was closed while a record was on its way to it: write it to the next one."""


class Tape:
    """The journal of one writer id. Any number of threads may write.

    Storage that fails is never an error here: what cannot be written is counted, and a new segment
    is tried about once a second.

    Attributes:
        segment: Where records go now. ``put`` is the way to write; the hot path of
            ``JournalWriter`` does the same by hand.
        names: Heads of records by the name of the metric, as far as this journal defines them.
        columns: The same for lists and tables, by form, name and column.
        lost: How many points could not be written.
        unreported: How many of them no record in a journal tells of yet.
        closed: Whether writing raises.
    """

    def __init__(
        self,
        folder: Path,
        header: SegmentHeader,
        clock: Callable[[], int],
        failed: Callable[[OSError], None],
        unreported: int = 0,
    ) -> None:
        self.segment = Segment.none()
        self.names: dict[str, int] = {}
        self.columns: dict[tuple[str, str, str], int] = {}
        self.name_ids = count()
        self.text_ids = count()
        self.lost = unreported
        self.unreported = unreported
        self.closed = False
        self._folder = folder
        self._header = header
        self._clock = clock
        self._failed = failed
        self._lock = threading.RLock()
        self._sync_lock = threading.Lock()
        self._retired: list[Segment] = []  # full, but not known to be settled and on the disk
        self._next_number = 0
        self._written_at_close = 0
        self._opening = False
        self._late: list[bytes] = []
        self._failed_at: int | None = None

    @property
    def writer_id(self) -> str:
        """The name of the journal."""
        return self._header.writer_id

    @property
    def written(self) -> int:
        """Bytes of slots written so far, up to the first gap in the current segment."""
        with self._lock:
            if self.closed or not self._next_number:
                return self._written_at_close
            return (self._next_number - 1) * self._header.slots_bytes + self.segment.used

    @property
    def vanished(self) -> bool:
        """Whether somebody has deleted the file that is written."""
        with self._lock:
            return not self.closed and self.segment.vanished

    def put(self, body: bytes, points: int = 1) -> bool:
        """Write a record.

        Args:
            body: The 28 bytes behind the checksum.
            points: How many points are lost if it cannot be written.

        Returns:
            Whether it is written, or counted as lost.

        Raises:
            TapeClosedError: The journal is closed.
        """
        crc = zlib.crc32(body)
        while True:
            segment = self.segment
            try:
                SLOT.pack_into(segment.map, segment.take(), crc, body)
            except FULL:
                if self._open_after(segment):
                    continue
                if self._keep(body):
                    return True
                self.lose(points)
                return False
            return True

    def lose(self, points: int) -> None:
        """Count points that cannot be written."""
        with self._lock:
            self.lost += points
            self.unreported += points

    def sync(self) -> None:
        """Carry everything to the disk and mend what interrupted writers left open."""
        with self._sync_lock:
            with self._lock:
                if self.closed:
                    return
                if self.unreported:
                    self._open_after(self.segment)
                current = self.segment
                segments = [*self._retired, current]
            now = self._clock()
            for segment in segments:
                settled = segment.settle(now, _HOLE_PATIENCE)
                segment.sync()
                with self._lock:
                    if settled and segment in self._retired:
                        self._retired.remove(segment)

    def close(self) -> None:
        """Give up the files; the lock is free from now on."""
        with self._sync_lock, self._lock:
            self._written_at_close = self.written
            self.abandon()

    def abandon(self) -> None:
        """Close without taking locks: for a child after fork, where they may be held for ever."""
        self.closed = True
        for segment in (*self._retired, self.segment):
            segment.close()

    def hold(self) -> None:
        """Keep segments from being opened: a fork in the middle would leave the child the lock."""
        self._lock.acquire()

    def let_go(self) -> None:
        """End ``hold``."""
        self._lock.release()

    def _open_after(self, seen: Segment) -> bool:
        """Make sure that there is a segment after this one; False where storage fails."""
        with self._lock:
            if self.closed:
                raise TapeClosedError
            if self.segment is not seen:
                return True
            now = self._clock()
            # A signal handler that logs while its own thread is in here finds _opening set.
            if self._opening or not self._may_try(now):
                return False
            self._opening = True
            try:
                opened = Segment.create(self._folder, self._next_header(now))
            except OSError as error:
                self._failed_at = now
                self._failed(error)
                self.lose(len(self._late))
                self._late.clear()
                return False
            finally:
                self._opening = False
            self._install(opened)
        return True

    def _install(self, opened: Segment) -> None:
        if self._next_number:
            self._retired.append(self.segment)
        self._failed_at = None
        self._next_number += 1
        self.segment = opened
        if self.unreported:
            body = INT_BODY.pack(Kind.LOST, self._clock() // 1000, 0, self.unreported)
            self.unreported = 0
            self.put(body, 0)
        late, self._late = self._late, []
        for body in late:
            self.put(body)
        if len(self._retired) > _MAX_RETIRED:  # nobody calls sync, or not often enough
            oldest = self._retired.pop(0)
            oldest.settle(self._clock(), 0)
            oldest.sync()

    def _may_try(self, now: int) -> bool:
        # A clock set back must not postpone the next try.
        return self._failed_at is None or not 0 <= now - self._failed_at < _RETRY_AFTER

    def _next_header(self, now: int) -> SegmentHeader:
        header = self._header
        return SegmentHeader(
            run_id=header.run_id,
            writer_id=header.writer_id,
            number=self._next_number,
            slots_bytes=header.slots_bytes,
            pid=header.pid,
            boot_id=header.boot_id,
            created_at=now // 1000,
        )

    def _keep(self, body: bytes) -> bool:
        with self._lock:
            if self._opening:
                self._late.append(body)
            return self._opening


def slots_bytes(segment_bytes: int) -> int:
    """The room for slots in a segment of about this size."""
    return max(segment_bytes - HEADER_BYTES, 128 * SLOT_BYTES) // SLOT_BYTES * SLOT_BYTES
