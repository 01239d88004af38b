"""Moving what was logged on this machine from its journals into a workspace."""

from typing import Final

from headway.api import Metrics
from headway.metrics import drain
from headway.metrics.drain import JournalInfo
from headway.metrics.slots import SLOT_BYTES

_STRETCH_BYTES: Final = 4 << 20


class Mover:
    """Takes in what journals hold, and discards what was taken.

    Any number of processes may do this at once: the workspace's offset for each journal sees to it
    that every point is taken in once.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        # Offsets only grow, so what they once were tells cheaply that there is nothing new.
        self._seen: dict[str, int] = {}

    def drain(self, run_id: str) -> None:
        """Move what the journals of a run hold: its processes', its workers', those of dead ones.

        Raises:
            StorageCorruptError: A file is no journal, or its header is damaged.
        """
        journals = drain.journals_of(self._metrics.journal_dir, run_id)
        for journal in journals:
            if self._has_news(journal):
                self._drain_journal(journal)
        if not journals:
            drain.sweep(self._metrics.journal_dir, run_id)

    def _has_news(self, journal: JournalInfo) -> bool:
        seen = self._seen.get(journal.writer_id)
        if seen is None or not journal.alive:  # a dead one's files are to be discarded
            return True
        return bool(drain.read(self._metrics.journal_dir, journal, seen, SLOT_BYTES))

    def _drain_journal(self, journal: JournalInfo) -> None:
        metrics, folder = self._metrics, self._metrics.journal_dir
        run_id, writer_id = journal.run_id, journal.writer_id
        offset = metrics.offset(run_id, writer_id)
        while data := drain.read(folder, journal, offset, _STRETCH_BYTES):
            taken = metrics.append(run_id, writer_id, offset, data, torn=not journal.alive)
            if taken == offset:  # what follows is still being written
                break
            offset = taken
        drain.discard(folder, journal, offset)
        if journal.alive:
            self._seen[writer_id] = offset
        else:
            self._seen.pop(writer_id, None)
