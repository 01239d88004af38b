"""Moving what was logged on this machine from its journals into a workspace."""

from pathlib import Path
from typing import Final

from headway.api import Metrics
from headway.metrics import drain
from headway.metrics.drain import JournalInfo

_STRETCH_BYTES: Final = 4 << 20


def drain_run(metrics: Metrics, run_id: str) -> None:
    """Take in what the journals of a run hold, and discard what was taken.

    Those of forked workers are among them, and those of processes that are gone. Any number of
    processes may do this at once: the workspace's offset for each journal sees to it that every
    point is taken in once.

    Raises:
        StorageCorruptError: A file is no journal, or its header is damaged.
    """
    folder = metrics.journal_dir
    for journal in drain.journals_of(folder, run_id):
        _drain_journal(metrics, folder, journal)


def _drain_journal(metrics: Metrics, folder: Path, journal: JournalInfo) -> None:
    run_id = journal.run_id
    offset = metrics.offset(run_id, journal.writer_id)
    while data := drain.read(folder, journal, offset, _STRETCH_BYTES):
        taken = metrics.append(run_id, journal.writer_id, offset, data, torn=not journal.alive)
        if taken == offset:  # what follows is still being written
            break
        offset = taken
    drain.discard(folder, journal, offset)
