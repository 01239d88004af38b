"""Runs of a workspace on a server."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from headway.api import CANCEL_WAIT_S
from headway.client.connection import Connection
from headway.client.execution import Execution
from headway.client.metrics import RemoteMetrics
from headway.errors import RunStateError
from headway.model import (
    CancelOutcome,
    Event,
    NewRun,
    Run,
    RunChange,
    RunError,
    RunPage,
    RunQuery,
    RunUpdate,
    Status,
    Submission,
)
from headway.wire import runs as row
from headway.wire.runs import LONGEST_WAIT_S

_EACH_WAIT_S: Final = LONGEST_WAIT_S - 5.0
_METRICS: Final = "metrics"
"""A word in every filter and order that looks at them."""
_ANY_LOG: Final = "user_logs/std_log.txt"
_NO_LOG: Final = 1 << 60
"""No log becomes so long: only the end of the run is waited for."""
_KILL_MARGIN_S: Final = 10.0
"""Beyond the grace period: what killing everything and recording it may take."""


class RemoteRuns:
    """Implements ``headway.api.Runs``."""

    def __init__(
        self,
        connection: Connection,
        metrics: RemoteMetrics,
        execution: Callable[[], Execution],
    ) -> None:
        self._connection = connection
        self._metrics = metrics
        self._execution = execution

    def create(self, new: Sequence[NewRun]) -> list[Run]:
        """Make runs, all or none, in this order."""
        return self._connection.call(row.CREATE, row.CreateRuns([*new]))

    def submit(self, new: NewRun, submission: Submission) -> Run:
        """Make a run and have its program started; return without waiting for it."""
        return self._execution().submit(new, submission)

    def get(self, run_id: str) -> Run:
        """One run, brought up to date."""
        return self._connection.call(row.GET, row.RunRequest(run_id))

    def events(self, run_id: str) -> list[Event]:
        """Every change of status, oldest first."""
        return self._connection.call(row.EVENTS, row.RunRequest(run_id))

    def change(self, run_id: str, change: RunChange) -> Run:
        """Apply a change as a whole and return the run after it."""
        return self._connection.call(row.CHANGE, row.ChangeRun(run_id, change))

    def end(
        self,
        run_id: str,
        status: Status,
        *,
        error: RunError | None = None,
        reason: str = "",
        at: int | None = None,
    ) -> Run:
        """End a run as Completed, Failed or Canceled, and return it."""
        ask = row.EndRun(run_id, status, error, reason, at)
        run = self._connection.call(row.END, ask)
        if run.status.ended:
            return run
        grace_s = run.definition.grace_s if run.definition else 0.0
        run = self._see_end(run_id, grace_s + _KILL_MARGIN_S)
        if not run.status.ended:
            raise RunStateError(
                f"run {run_id} was asked to end as {status} but still is {run.status}: look "
                f"whether its host {run.host} is up, and wait for it"
            )
        return self._connection.call(row.END, ask)

    def cancel(
        self, run_id: str, *, grace_s: float | None = None, wait_s: float = CANCEL_WAIT_S
    ) -> CancelOutcome:
        """Ask for a run to be canceled and wait at most ``wait_s`` seconds for its end."""
        outcome = self._connection.call(row.CANCEL, row.CancelRun(run_id, grace_s)).outcome
        if outcome is not CancelOutcome.CANCEL_REQUESTED:
            return outcome
        run = self._see_end(run_id, wait_s)
        if not run.status.ended:
            return CancelOutcome.CANCEL_REQUESTED
        canceled = run.status is Status.CANCELED
        return CancelOutcome.CANCELED if canceled else CancelOutcome.ALREADY_ENDED

    def _see_end(self, run_id: str, wait_s: float) -> Run:
        """A run whose end was asked for, after that or when the time is over."""
        self._execution().hasten(run_id)
        return self.watch(run_id, log=_ANY_LOG, offset=_NO_LOG, timeout_s=wait_s).run

    def watch(self, run_id: str, *, log: str, offset: int, timeout_s: float) -> RunUpdate:
        """Wait until the log is longer than ``offset`` bytes or the run has ended."""
        deadline = time.monotonic() + timeout_s
        while True:
            left_s = max(0.0, deadline - time.monotonic())
            ask = row.WatchRun(run_id, log, offset, min(left_s, _EACH_WAIT_S))
            update = self._connection.call(row.WATCH, ask)
            if update.log.data or update.run.status.ended or left_s <= _EACH_WAIT_S:
                return update

    def log_offset(self, run_id: str, *, log: str, at: int) -> int:
        """Where in a log that stands which was written after a time."""
        return self._connection.call(row.LOG_OFFSET, row.LogTime(run_id, log, at)).offset

    def delete(self, run_ids: Sequence[str]) -> list[str]:
        """Put runs into the trash, each with all runs below it; all or none."""
        return self._connection.call(row.DELETE, row.RunIds([*run_ids]))

    def restore(self, run_ids: Sequence[str]) -> list[str]:
        """Take runs out of the trash, each with the runs that went with it; all or none."""
        return self._connection.call(row.RESTORE, row.RunIds([*run_ids]))

    def list(self, query: RunQuery) -> RunPage:
        """A page of runs in the order asked for."""
        if _METRICS in query.filter or _METRICS in query.order_by:
            self._metrics.drain_all()
        return self._connection.call(row.LIST, query)
