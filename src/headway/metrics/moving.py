"""Moving what was logged on this machine from its journals into a workspace."""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from headway.api import Metrics
from headway.errors import HeadwayError, NotFoundError, StorageCorruptError
from headway.metrics import drain
from headway.metrics.drain import JournalInfo
from headway.model import JournalStretch

MOST_BYTES: Final = 4 << 20
"""Of slots that are read before they are taken in: what bounds memory, and the transaction."""
_OF_ONE_RUN: Final = (StorageCorruptError, NotFoundError)
"""Errors that say nothing of the other runs."""


def _nobody_asks(run_id: str, writer_id: str, offset: int) -> None:
    """What was taken in is deleted."""


class _Place(msgspec.Struct):
    """Where a journal is read."""

    journal: JournalInfo
    offset: int
    moved: bool
    """Whether there may be files to discard."""


class Mover:
    """Takes in what journals hold, and discards what was taken.

    Any number of processes may do this at once: the workspace's offset for each journal sees to it
    that every point is taken in once.

    Args:
        metrics: The workspace.
        taken: Told how far the journal of a living writer is in the workspace, before what was
            taken in is deleted: its writer may use the files again.
        most_bytes: So much is moved at once.
    """

    def __init__(
        self,
        metrics: Metrics,
        taken: Callable[[str, str, int], None] = _nobody_asks,
        *,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._metrics = metrics
        self._most_bytes = most_bytes
        self._taken = taken
        # Offsets only grow, so what they once were tells cheaply that there is nothing new.
        self._seen: dict[str, int] = {}

    def drain(self, run_id: str) -> None:
        """Move what the journals of a run hold: its processes', its workers', those of dead ones.

        Raises:
            StorageCorruptError: A file is no journal, or its header is damaged.
        """
        self._drain([run_id])

    def drain_many(self, run_ids: Iterable[str]) -> None:
        """The same for several runs, in few transactions.

        Raises:
            StorageCorruptError: A file of one run is no journal; those of the others are moved.
            NotFoundError: The workspace does not know one of the runs; those of the others are
                moved.
        """
        runs = list(run_ids)
        try:
            self._drain(runs)
        except _OF_ONE_RUN:
            if len(runs) < 2:
                raise
            self._drain_each(runs)

    def _drain_each(self, run_ids: list[str]) -> None:
        first: HeadwayError | None = None
        for run_id in run_ids:
            try:
                self._drain([run_id])
            except _OF_ONE_RUN as error:
                first = first or error
        if first is not None:
            raise first

    def _drain(self, run_ids: list[str]) -> None:
        waiting: deque[_Place] = deque()
        for run_id in run_ids:
            journals = drain.journals_of(self._metrics.journal_dir, run_id)
            waiting.extend(self._place(journal) for journal in journals)
            if not journals:
                drain.sweep(self._metrics.journal_dir, run_id)
        while waiting:
            self._take_in(waiting)

    def _place(self, journal: JournalInfo) -> _Place:
        run_id, writer_id, folder = journal.run_id, journal.writer_id, self._metrics.journal_dir
        seen = self._seen.get(writer_id)
        # Another process may have taken in more, and discarded files of which this one knows.
        if seen is None or not journal.alive or drain.is_discarded(folder, journal, seen):
            return _Place(journal, self._metrics.offset(run_id, writer_id), True)
        return _Place(journal, seen, False)

    def _take_in(self, waiting: deque[_Place]) -> None:
        """Read the journals that come first, as much as is taken in at once, and take it in."""
        places: list[_Place] = []
        stretches: list[JournalStretch] = []
        room = self._most_bytes
        while waiting and room:
            place = waiting.popleft()
            journal = place.journal
            records = drain.read(self._metrics.journal_dir, journal, place.offset, room)
            if not records:
                self._finish(place, finished=True)
                continue
            room -= len(records)
            places.append(place)
            stretches.append(
                JournalStretch(
                    journal.run_id, journal.writer_id, place.offset, records, not journal.alive
                )
            )
        offsets = self._metrics.append_many(stretches) if stretches else []
        for place, offset in zip(places, offsets, strict=True):
            if offset == place.offset:  # what follows is still being written
                self._finish(place, finished=False)
            else:
                place.offset, place.moved = offset, True
                waiting.append(place)

    def _finish(self, place: _Place, *, finished: bool) -> None:
        journal, offset = place.journal, place.offset
        if journal.alive:
            self._taken(journal.run_id, journal.writer_id, offset)
            self._seen[journal.writer_id] = offset
        else:
            self._seen.pop(journal.writer_id, None)
        if place.moved:
            drain.discard(self._metrics.journal_dir, journal, offset, finished=finished)
