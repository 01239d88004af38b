"""Keeps the times of a run's logs: how long each was, noted about once a second while it grows."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from headway.engines import log_times

_INTERVAL_S: Final = 0.9
"""A little under the second after which the shim looks around at the latest."""
_MOST_LOGS: Final = 256


class LogIndex:
    """The times of all logs of one run.

    Args:
        folder: That of the run.
        log: The name of its main log, relative to the folder; its other logs stand beside it.
        say: Told once where the times cannot be written.
        clock: Microseconds since 1970 UTC.
    """

    def __init__(
        self,
        folder: Path,
        log: str,
        say: Callable[[str], None],
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._folder = folder
        self._logs = (folder / log).parent
        self._say = say
        self._clock = clock
        self._sizes: dict[str, int] = {}
        self._due_at = 0.0
        self._told = False

    def look(self) -> None:
        """Note what has changed, if the last look is long enough ago."""
        if time.monotonic() >= self._due_at:
            self.note()

    def note(self) -> None:
        """Note what has changed."""
        self._due_at = time.monotonic() + _INTERVAL_S
        for name, size in self._changed():
            try:
                log_times.append(log_times.times_file(self._folder, name), self._clock(), size)
            except OSError as error:
                self._tell(f"the times of the log cannot be written: {error.strerror}")
                return  # the next look tries again
            self._sizes[name] = size

    def _changed(self) -> Iterator[tuple[str, int]]:
        try:
            with os.scandir(self._logs) as entries:
                for entry in entries:
                    known = self._sizes.get(entry.name, 0)
                    if entry.name not in self._sizes and len(self._sizes) >= _MOST_LOGS:
                        continue
                    if entry.is_file(follow_symlinks=False):
                        size = entry.stat(follow_symlinks=False).st_size
                        if size != known:
                            yield entry.name, size
        except OSError as error:
            self._tell(f"the logs cannot be looked at: {error.strerror}")

    def _tell(self, what: str) -> None:
        if not self._told:
            self._told = True
            self._say(what)
