"""Runs that are executed elsewhere: admitted, and reported on by their runners."""

from collections.abc import Callable

from headway.errors import RunStateError
from headway.hosting.owners import check_owner_id
from headway.model import NewRun, Run, RunError, Status
from headway.runners import Admission, Assignment, LeaseState, RunnerReport, RunPreview
from headway.service import experiments, reports, transitions
from headway.service.creation import Identity, RunMaker, existing, parent_of
from headway.service.leases import Leases
from headway.service.liveness import Liveness
from headway.service.lookup import find_run
from headway.store import leases, runs
from headway.store.base import Database


class RunnerService:
    """Implements ``headway.runners.Runners``."""

    def __init__(
        self,
        database: Database,
        maker: RunMaker,
        liveness: Liveness,
        held: Leases,
        identity: Identity,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._maker = maker
        self._liveness = liveness
        self._held = held
        self._identity = identity
        self._clock = clock

    def preview(self, new: NewRun) -> RunPreview:
        """Check what a run is to be made from, and tell what it would be."""
        self._maker.check(new)
        with self._database.read() as tx:
            known = existing(tx, new)
            experiment = experiments.find(tx, new.experiment_id)
            parent = parent_of(tx, new)
        return RunPreview(
            known=known.run if known else None,
            experiment_name=experiment.name,
            root_id=parent.root_id if parent else new.id,
        )

    def admit(self, admission: Admission) -> Run:
        """Record a run whose program is about to be started."""
        self._maker.check(admission.new)
        if admission.runner_id is not None:
            check_owner_id(admission.runner_id)
        with self._database.write() as tx:
            [stored] = self._maker.make(
                tx,
                [admission.new],
                submission=admission.submission,
                snapshot_id=admission.snapshot_id,
                source=admission.source,
                waits_for=admission.waits_for,
                host=admission.host,
            )
            if admission.runner_id is not None:
                leases.add(tx, stored.rid, admission.runner_id)
                self._held.beat(tx, admission.runner_id, admission.host)
        return stored.run

    def never_started(self, run: Run, error: RunError) -> None:
        """Record that the program of a run of this machine could not be started."""
        with self._database.write() as tx:
            transitions.move(
                tx,
                find_run(tx, run.id),
                Status.FAILED,
                at=self._clock(),
                actor=self._identity.actor,
                reason="the runner did not start",
                error=error,
            )

    def assigned(self, runner_id: str) -> list[Assignment]:
        """The runs of a runner that have not ended, oldest first."""
        with self._database.read() as tx:
            return leases.assigned(tx, runner_id)

    def report(self, run_id: str, report: RunnerReport) -> Assignment:
        """Take in where a run stands; what is wanted of it is the answer."""
        with self._database.write() as tx:
            stored = find_run(tx, run_id)
            if leases.remote(tx, stored.rid) is None:
                raise RunStateError(
                    f"run {run_id} is not executed elsewhere: nothing can be reported of it"
                )
            place = report.reason if report.status is Status.QUEUED else None
            if leases.take(tx, stored.rid, report.sequence, place=place):
                stored = reports.apply(tx, stored, report, now=self._clock())
            remote = leases.remote(tx, stored.rid)
            below = runs.live_below(tx, stored.run.root_id) if stored.run.status.ended else []
        for child in below:
            self._liveness.refresh(child)
        return Assignment(
            run_id=run_id,
            status=stored.run.status,
            sequence=remote.sequence if remote else report.sequence,
            wanted=remote.wanted if remote else None,
        )

    def beat(self, owner_id: str, host: str) -> LeaseState:
        """Say that an owner is alive, on a host."""
        return self._held.hold(owner_id, host)

    def wait(self, owner_id: str, seen: int, timeout_s: float) -> LeaseState:
        """Wait until there are other signals for an owner than it has seen, or the time is over."""
        return self._held.wait(owner_id, seen, timeout_s)

    def release(self, owner_id: str) -> None:
        """Give a lease up. Its runs that have not ended are then without a process."""
        self._held.release(owner_id)
