"""Whether something has changed in the folder of a run, told by a few calls of ``stat``."""

import os
from pathlib import Path
from typing import Final

from headway.engines.folder import RunFolder

Mark = tuple[object, ...]
_LOGS: Final = "user_logs"


class Glances:
    """What was seen of runs at the last glance."""

    def __init__(self) -> None:
        self._seen: dict[str, Mark] = {}

    def changed(self, folder: Path) -> bool:
        """Whether the state or a log of a run is another than at the last glance."""
        mark = (_mark(RunFolder(folder).state_file), *_sizes(folder / _LOGS))
        changed = self._seen.get(folder.name) != mark
        self._seen[folder.name] = mark
        return changed

    def forget(self, run_id: str) -> None:
        """It is looked at no more, or as if for the first time."""
        self._seen.pop(run_id, None)


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _sizes(folder: Path) -> list[tuple[str, int]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (entry.name, entry.stat(follow_symlinks=False).st_size) for entry in entries
            )
    except OSError:
        return []
