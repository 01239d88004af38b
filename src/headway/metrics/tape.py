"""Slots one after another, over as many segments as are needed: one writer's journal."""

import threading
import zlib
from collections import deque
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

from headway.metrics.segment import (
    FULL,
    Segment,
    SegmentHeader,
    segment_path,
    sync_file,
    sync_folder,
)
from headway.metrics.slots import HEADER_BYTES, INT_BODY, SLOT, SLOT_BYTES, Kind

_SECOND: Final = 1_000_000_000
_RETRY_AFTER: Final = _SECOND
_HOLE_PATIENCE: Final = _SECOND // 2
_MAX_RETIRED: Final = 16
_MAX_UNSYNCED: Final = 1024


class TapeClosedError(Exception):
    """The journal was closed while a record was on its way to it: write it to the next one."""


class Tape:
    """The journal of one writer id. Any number of threads may write.

    Storage that fails is never an error here: what cannot be written is counted, and a new segment
    is tried about once a second.

    Attributes:
        segment: Where records go now.
        slot: What records are written into, and what hands out the place of the next. ``put`` is
            the way to write; ``headway.metrics.point_log`` does the same by hand.
        clock: Nanoseconds since the epoch.
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
        self.slot = (self.segment.map, self.segment.take)
        self.clock = clock
        self.names: dict[str, int] = {}
        self.columns: dict[tuple[str, str, str], int] = {}
        self.name_ids = count()
        self.text_ids = count()
        self.lost = unreported
        self.unreported = unreported
        self.closed = False
        self._folder = folder
        self._header = header
        self._failed = failed
        self._lock = threading.RLock()
        self._sync_lock = threading.Lock()
        self._retired: list[Segment] = []  # full, but not known to be settled
        # Segments that were closed before they were carried to the disk: number and file.
        self._unsynced: deque[tuple[int, Path]] = deque(maxlen=_MAX_UNSYNCED)
        self._entered = 0  # so many segments are known to be in their folder on the disk
        self._awaited: list[Segment] = []  # settled, to be recycled when the workspace has it
        self._recycled: Segment | None = None  # at this moment
        self._spare: Segment | None = None  # for the next number, made of such a one
        self._taken = 0  # so many bytes are known to be in the workspace
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

    def settle(self) -> None:
        """Mend what interrupted writers left open, and let go of segments that are whole."""
        with self._sync_lock:
            self._settle()

    def sync(self) -> None:
        """``settle``, and carry everything to the disk that the workspace has not taken in."""
        with self._sync_lock:
            self._settle()
            with self._lock:
                if self.closed or self._taken >= self.written:
                    return
                segments = [*self._retired, self.segment]
                number = self._next_number
            while self._unsynced:
                sync_file(self._unsynced[0][1])
                self._unsynced.popleft()
            for segment in segments:
                segment.sync()
            if number != self._entered:
                sync_folder(self._folder / self._header.run_id)
                sync_folder(self._folder)
                self._entered = number

    def recycle(self, offset: int) -> None:
        """Make the next segment of one that the workspace has taken in, up to this offset."""
        with self._sync_lock:
            self._taken = offset
            while self._unsynced and self._unsynced[0][0] < offset // self._header.slots_bytes:
                self._unsynced.popleft()
            for segment in list(self._awaited):
                if (segment.number + 1) * self._header.slots_bytes <= offset:
                    self._prepare(segment)

    def close(self) -> None:
        """Give up the files; the lock is free from now on."""
        with self._sync_lock, self._lock:
            self._written_at_close = self.written
            if self._spare is not None and not self.closed:
                self._spare.delete()
            self.abandon()

    def abandon(self) -> None:
        """Close without taking locks: for a child after fork, where they may be held for ever."""
        self.closed = True
        for segment in (*self._retired, *self._awaited, self._recycled, self._spare, self.segment):
            if segment is not None:
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
            now = self.clock()
            # A signal handler that logs while its own thread is in here finds _opening set.
            if self._opening or not self._may_try(now):
                return False
            self._opening = True
            try:
                opened = self._spare_entered() or Segment.create(
                    self._folder, self._next_header(now)
                )
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

    def _spare_entered(self) -> Segment | None:
        spare, self._spare = self._spare, None
        try:
            if spare is not None:
                header = self._header
                number = self._next_number
                spare.enter(segment_path(self._folder, header.run_id, header.writer_id, number))
        except OSError:  # as when somebody has deleted the folder
            return None
        return spare

    def _settle(self) -> None:
        with self._lock:
            if self.closed:
                return
            if self.unreported:
                self._open_after(self.segment)
            segments = [*self._retired, self.segment]
        now = self.clock()
        for segment in segments:
            if segment.settle(now, _HOLE_PATIENCE):
                self._let_go(segment)

    def _let_go(self, segment: Segment) -> None:
        """All slots of a segment are written: its file is enough."""
        with self._lock:
            if segment not in self._retired:
                return
            self._retired.remove(segment)
            self._unsynced.append((segment.number, segment.path))
            if not self._awaited and not segment.mended:
                self._awaited.append(segment)

    def _prepare(self, segment: Segment) -> None:
        # At each moment one of the attributes refers to it: a child made by fork closes them all.
        with self._lock:
            header = self._next_header(self.clock())
            self._recycled = segment
            self._awaited.remove(segment)
        try:
            spare = segment.recycle(header) if self._spare is None else None
        except OSError:  # whoever else took it in has deleted it, or the disk fails
            spare = None
        with self._lock:
            fits = spare is not None and header.number == self._next_number
            if fits:
                self._spare = spare
                segment.give_up()
            self._recycled = None
        if not fits:
            segment.delete()

    def _install(self, opened: Segment) -> None:
        if self._next_number:
            self._retired.append(self.segment)
        self._failed_at = None
        self._next_number += 1
        self.segment = opened
        self.slot = (opened.map, opened.take)
        if self.unreported:
            body = INT_BODY.pack(Kind.LOST, self.clock() // 1000, 0, self.unreported)
            self.unreported = 0
            self.put(body, 0)
        late, self._late = self._late, []
        for body in late:
            self.put(body)
        if len(self._retired) > _MAX_RETIRED:  # nobody calls sync, or not often enough
            oldest = self._retired.pop(0)
            oldest.settle(self.clock(), 0)
            self._unsynced.append((oldest.number, oldest.path))

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
