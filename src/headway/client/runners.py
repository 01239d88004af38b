"""Runs that are executed here and recorded at a server."""

from collections.abc import Sequence

from headway.client.connection import Connection
from headway.model import NewRun, Run
from headway.runners import Admission, Assignment, LeaseState, RunnerReport, RunPreview
from headway.wire import runners as row


class RemoteRunners:
    """Implements ``headway.runners.Runners``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def preview(self, new: NewRun) -> RunPreview:
        """Check what a run is to be made from, and tell what it would be."""
        return self._connection.call(row.PREVIEW, row.PreviewRun(new))

    def admit(self, admission: Admission) -> Run:
        """Record a run whose program is about to be started."""
        return self._connection.call(row.ADMIT, admission)

    def assigned(self, runner_id: str) -> Sequence[Assignment]:
        """The runs of a runner that have not ended, oldest first."""
        return self._connection.call(row.ASSIGNED, row.RunnerRequest(runner_id))

    def report(self, run_id: str, report: RunnerReport) -> Assignment:
        """Take in where a run stands; what is wanted of it is the answer."""
        return self._connection.call(row.REPORT, row.ReportRun(run_id, report))

    def beat(self, owner_id: str, host: str) -> LeaseState:
        """Say that an owner is alive, on a host."""
        return self._connection.call(row.BEAT, row.BeatLease(owner_id, host))

    def wait(self, owner_id: str, seen: int, timeout_s: float) -> LeaseState:
        """Wait until there are other signals for an owner than it has seen, or the time is over."""
        return self._connection.call(row.WAIT, row.WaitForSignals(owner_id, seen, timeout_s))

    def release(self, owner_id: str) -> None:
        """Give a lease up. Its runs that have not ended are then without a process."""
        self._connection.call(row.RELEASE, row.LeaseRequest(owner_id))
