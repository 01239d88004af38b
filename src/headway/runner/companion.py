"""The shim's side of the reporter: started late, replaced when it dies, never waited for."""

import math
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from headway.engines import processes
from headway.engines.folder import RunFolder, RunSpec

if TYPE_CHECKING:
    from headway.engines.processes import Process

_START_AFTER_S: Final = 1.0
"""A run that is shorter than this pays nothing."""
_FIRST_RETRY_S: Final = 10.0
_LAST_RETRY_S: Final = 600.0
_END_PATIENCE_S: Final = 0.25


class Companion:
    """The reporter of a run, if it has one.

    Attributes:
        process: The living reporter; None where there is none.
        due_at: When ``attend`` has something to do, by the monotonic clock.
    """

    def __init__(self, spec: RunSpec, folder: RunFolder, say: Callable[[str], None]) -> None:
        self.process: Process | None = None
        self.due_at = math.inf
        self._folder = folder
        self._wanted = bool(spec.journal_dir) and spec.system_metrics_interval_s > 0
        self._retry_s = _FIRST_RETRY_S
        self._say = say

    def begin(self) -> None:
        """The program has started."""
        if self._wanted:
            self.due_at = time.monotonic() + _START_AFTER_S

    def attend(self) -> None:
        """Start the reporter where it is time to."""
        if time.monotonic() < self.due_at:
            return
        self.due_at = math.inf
        command = [sys.executable, "-P", "-m", "headway.runner.reporter"]
        try:
            pid = os.posix_spawn(sys.executable, [*command, str(self._folder.path)], os.environ)
        except OSError as error:
            self._say(f"the reporter cannot be started: {error.strerror}")
            self._try_again()
            return
        status = processes.status_of(pid)
        self.process = status.process if status is not None else None

    def reaped(self, pid: int, exit_code: int) -> None:
        """A child of the shim has ended; if it was the reporter, another one is due."""
        if self.process is None or pid != self.process.pid:
            return
        self.process = None
        if self._wanted:
            self._say(f"the reporter ended with {exit_code}; another one is started later")
            self._try_again()

    def end(self) -> None:
        """Kill the reporter: what it logged up to now is safe already."""
        self._wanted = False
        self.due_at = math.inf
        if self.process is not None:
            processes.send_signal(self.process, signal.SIGKILL)

    def wait(self) -> None:
        """Give the killed reporter a moment to be gone, for the sake of who looks at once."""
        deadline = time.monotonic() + _END_PATIENCE_S
        while self.process is not None and time.monotonic() < deadline:
            try:
                pid, _ = os.waitpid(self.process.pid, os.WNOHANG)
            except ChildProcessError:
                return
            if pid:
                return
            time.sleep(0.001)

    def _try_again(self) -> None:
        self.due_at = time.monotonic() + self._retry_s
        self._retry_s = min(2 * self._retry_s, _LAST_RETRY_S)
