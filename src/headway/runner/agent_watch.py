"""The shim's side of the agent: it is there as long as the run lives, whoever kills it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from headway.engines import agency

_INTERVAL_S: Final = 5.0


class AgentWatch:
    """Sees to it that somebody tells the server of a run what becomes of it.

    Args:
        spool: Whose agent; empty for a run whose workspace is on this machine.
        say: Told where one cannot be started.
    """

    def __init__(self, spool: str, say: Callable[[str], None]) -> None:
        self._spool = Path(spool) if spool else None
        self._say = say
        self._due_at = 0.0

    def look(self) -> None:
        """Start an agent where there is none, if the last look is long enough ago."""
        now = time.monotonic()
        if self._spool is not None and now >= self._due_at:
            self._due_at = now + _INTERVAL_S
            self._attempt(agency.keep)

    def wake(self) -> None:
        """Have the agent look now."""
        self._attempt(agency.wake)

    def _attempt(self, act: Callable[[Path], None]) -> None:
        if self._spool is None or not self._spool.exists():
            return
        try:
            act(self._spool)
        except OSError as error:
            self._say(f"the agent of {self._spool} cannot be started: {error.strerror}")
