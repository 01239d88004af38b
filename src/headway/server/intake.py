"""Stretches of journals that arrive at the same moment, taken in together.

A transaction waits for the disk, whether it holds one point or a million. So those who come while
one is being made wait for it, and go into the next one all together. It also bounds the memory:
one batch of points is decoded at a time in each workspace.
"""

import threading
import weakref
from collections import deque
from collections.abc import Sequence
from typing import Final

from headway.api import Metrics
from headway.errors import HeadwayError, StorageError
from headway.model import JournalStretch

_BATCH_BYTES: Final = 8 << 20
"""So much is taken in at once, unless a single request is larger."""


class _Waiting:
    """What one request brings, and what became of it."""

    def __init__(self, stretches: Sequence[JournalStretch]) -> None:
        self.stretches = stretches
        self.size_bytes = sum(len(one.records) for one in stretches)
        self.offsets: list[int] | None = None
        self.error: HeadwayError | None = None

    @property
    def done(self) -> bool:
        return self.offsets is not None or self.error is not None


class Intake:
    """Takes in what journals of one workspace say. Any thread may call."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._waiting: deque[_Waiting] = deque()

    def take(self, metrics: Metrics, stretches: Sequence[JournalStretch]) -> list[int]:
        """As ``headway.api.Metrics.append_many``; ``metrics`` is always that of the workspace."""
        mine = _Waiting(stretches)
        self._waiting.append(mine)
        while not mine.done:
            with self._turn:
                if not mine.done:
                    _take_together(metrics, self._next())
        if mine.error is not None:
            raise mine.error
        return mine.offsets or []

    @property
    def waiting(self) -> int:
        """How many requests wait for a transaction."""
        return len(self._waiting)

    def _next(self) -> list[_Waiting]:
        """Those who wait longest, no two of one journal, up to the size of a batch."""
        batch: list[_Waiting] = []
        journals: set[str] = set()
        size_bytes = 0
        while self._waiting:
            first = self._waiting[0]
            names = {one.writer_id for one in first.stretches}
            full = size_bytes + first.size_bytes > _BATCH_BYTES
            if batch and (full or not journals.isdisjoint(names)):
                break
            batch.append(self._waiting.popleft())
            journals |= names
            size_bytes += first.size_bytes
        return batch


class Intakes:
    """The intake of each workspace, for as long as it is open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: weakref.WeakKeyDictionary[Metrics, Intake] = weakref.WeakKeyDictionary()

    def take(self, metrics: Metrics, stretches: Sequence[JournalStretch]) -> list[int]:
        """Take in what journals of a workspace say."""
        return self._intake(metrics).take(metrics, stretches)

    def waiting(self, metrics: Metrics) -> int:
        """How many requests wait for a transaction of a workspace."""
        return self._intake(metrics).waiting

    def _intake(self, metrics: Metrics) -> Intake:
        with self._lock:
            intake = self._of.get(metrics)
            if intake is None:
                intake = self._of[metrics] = Intake()
            return intake


def _take_together(metrics: Metrics, batch: Sequence[_Waiting]) -> None:
    try:
        _take(metrics, batch)
    except HeadwayError as error:
        if len(batch) == 1:
            batch[0].error = error
            return
        for one in batch:  # what is wrong with one is not the fault of the others
            try:
                _take(metrics, [one])
            except HeadwayError as own:
                one.error = own
    finally:
        for one in batch:
            if not one.done:  # something unforeseen, which goes up from here
                one.error = StorageError("points could not be taken in: send them again")


def _take(metrics: Metrics, batch: Sequence[_Waiting]) -> None:
    offsets = iter(metrics.append_many([one for each in batch for one in each.stretches]))
    for each in batch:
        each.offsets = [next(offsets) for _ in each.stretches]
