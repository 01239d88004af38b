"""Logs of runs: those that a run executed here writes itself, and those that are sent in."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from headway.engines import log_times
from headway.engines.folder import RunFolder
from headway.errors import InvalidValueError
from headway.files.base import Logs
from headway.files.log_reading import LogTimes, open_log
from headway.hosting import logs
from headway.hosting.layout import Layout
from headway.hosting.live_files import LOGS, PROGRAM_LOGS, RECORDS, LiveFiles
from headway.model import FileEntry, LogPart

_MOST_BYTES: Final = 1 << 62
_SENT: Final = (LOGS, PROGRAM_LOGS, RECORDS)


class RunLogs:
    """The logs of all runs of a workspace.

    Args:
        layout: Where runs that are executed here have their folders.
        kept: What was sent in.
        clock: The time now, in microseconds since the epoch.
    """

    def __init__(self, layout: Layout, kept: Logs, clock: Callable[[], int]) -> None:
        self._layout = layout
        self._kept = kept
        self._times = LogTimes(kept)
        self._clock = clock

    def append(
        self, run_id: str, path: str, offset: int, data: bytes, written_at: int | None
    ) -> int:
        """Take in a stretch of a log; the size after it."""
        if not path.startswith(_SENT):
            raise InvalidValueError(f"{path!r} is no log to append to: give a name under {LOGS}")
        if not path.startswith(LOGS) and RunFolder(self._layout.run(run_id)).spec_file.exists():
            raise InvalidValueError(
                f"{path!r} of run {run_id} is written where the run is executed, and that is in "
                f"this workspace: give a name under {LOGS}"
            )
        size = self._kept.append(run_id, path, offset, data)
        if size == offset + len(data):
            now = self._clock()
            self._times.note(run_id, path, now if written_at is None else written_at, size)
        return size

    def read(self, run_id: str, path: str, offset: int, limit: int) -> LogPart:
        """A stretch of a log; empty where it does not exist yet or has nothing more."""
        if not 0 <= offset <= _MOST_BYTES:
            raise InvalidValueError(
                f"the offset in {path!r} was given as {offset}: give 0 or where the part before "
                "ended"
            )
        where = self._written_here(run_id, path)
        if where is not None:
            return logs.read(self._layout.run(run_id), where, offset, limit)
        data = self._kept.read(run_id, path, offset, limit)
        return LogPart(data, offset + len(data))

    def offset_at(self, run_id: str, path: str, at: int) -> int:
        """Where in a log that stands which was written after a time."""
        where = self._written_here(run_id, path)
        here = 0
        if where is not None:
            file = log_times.times_file(self._layout.run(run_id), where.name)
            here = log_times.offset_at(file, at)
        return here or self._times.offset_at(run_id, path, at)

    def open(self, run_id: str, path: str) -> BinaryIO | None:
        """The bytes of a log, or of an output of a run that is executed here; None for none."""
        live = self._live(run_id)
        if path.startswith(PROGRAM_LOGS):
            where = live.find(path)
            if where is not None:
                return logs.open_log(self._layout.run(run_id), where)
        found = live.open(path)
        if found is None and self._is_kept(run_id, path):
            return open_log(self._kept, run_id, path)
        return found

    def has(self, run_id: str, path: str) -> bool:
        """Whether there is a log of this name."""
        return self._live(run_id).find(path) is not None or self._is_kept(run_id, path)

    def all(self, run_id: str) -> list[FileEntry]:
        """All of them, and the outputs of a run that is executed here."""
        found = {
            log.name: FileEntry(log.name, log.size_bytes, None, log.modified_at)
            for log in self._kept.list(run_id)
            if log.name.startswith(_SENT)
        }
        found.update((entry.path, entry) for entry in self._live(run_id).all())
        return [*found.values()]

    def _is_kept(self, run_id: str, path: str) -> bool:
        return path.startswith(_SENT) and self._kept.size(run_id, path) is not None

    def _written_here(self, run_id: str, path: str) -> Path | None:
        """Where a log stands; None where it does not stand in the folder of its run."""
        live = self._live(run_id)
        live.log(path)  # a log, if it stands anywhere
        return live.find(path)

    def _live(self, run_id: str) -> LiveFiles:
        return LiveFiles(self._layout.run(run_id))
