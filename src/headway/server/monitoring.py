"""The thread of a server that looks after the runs of all of its workspaces, in turn."""

import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from headway.errors import HeadwayError
from headway.service.monitoring import Monitor
from headway.service.workspace import EmbeddedWorkspace

INTERVAL_S: Final = 3.0
_log: Final = logging.getLogger(__name__)


class Monitoring:
    """Looks after workspaces from ``start`` to ``stop``.

    Of several servers over one database, one at a time looks after each workspace.

    Args:
        workspaces: What there is, by name.
        interval_s: Between two looks at one workspace, in seconds.
    """

    def __init__(
        self,
        workspaces: Callable[[], Mapping[str, EmbeddedWorkspace]],
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._workspaces = workspaces
        self._interval_s = interval_s
        self._holder = str(uuid.uuid4())
        self._monitors: dict[str, Monitor] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="headway-monitor", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and let another server go on at once."""
        self._stopping.set()
        self._thread.join()
        for name, monitor in self._monitors.items():
            self._attempt(name, monitor.close)

    def _run(self) -> None:
        while True:
            self._look()
            if self._stopping.wait(self._interval_s):
                return

    def _look(self) -> None:
        try:
            found = self._workspaces()
        except HeadwayError as error:
            _log.warning("the workspaces cannot be looked after: %s", error)
            return
        for name, workspace in found.items():
            if name not in self._monitors:
                self._monitors[name] = workspace.monitor(self._holder)
            monitor = self._monitors[name]
            self._attempt(name, lambda monitor=monitor: _look(monitor))

    def _attempt(self, name: str, act: Callable[[], object]) -> None:
        try:
            act()
        except HeadwayError as error:
            _log.warning("the runs of workspace %s cannot be looked after: %s", name, error)


def _look(monitor: Monitor) -> None:
    """A workspace in which nothing goes on is not written to."""
    if monitor.is_needed():
        monitor.look()
    else:
        monitor.close()
