"""Brings runs up to date with what really goes on: nothing stays Running for ever.

Whoever reads a run first looks at what its life hangs on. A submitted run hangs on its shim, whose
record in the run's folder outranks the database; an interactive run hangs on its process, which
holds a lock. Where that is gone, the run is ended on the spot, with the reason, and what it had
logged is taken in.

Runs that hang on a lease (``headway.service.runners``) are executed elsewhere: nothing of them can
be seen here, and a monitor looks after them.
"""

import contextlib
import time
from collections.abc import Callable
from typing import Final

from headway.engines.base import Engine
from headway.engines.folder import RunFolder
from headway.errors import StorageError
from headway.hosting import observing, owners
from headway.hosting.layout import Layout
from headway.hosting.observing import RECOVERY
from headway.model import ENDED, RunError, Status
from headway.runners import RunnerReport
from headway.service import reports, transitions
from headway.service.metrics import MetricService
from headway.store import leases, runs
from headway.store.base import Database, Transaction
from headway.store.runs import StoredRun

_PATIENCE_US: Final = 2_000_000


class Liveness:
    """Looks at what the life of a run hangs on, and changes its status accordingly."""

    def __init__(
        self,
        database: Database,
        layout: Layout,
        engine: Engine,
        metrics: MetricService,
        clock: Callable[[], int],
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._layout = layout
        self._engine = engine
        self._metrics = metrics
        self._clock = clock
        self._stopwatch = stopwatch
        self._missed_since: dict[str, float] = {}

    def refresh_all(self) -> None:
        """Bring every run that has not ended up to date.

        A run whose folder cannot be read stays as it was: it must not hide the others. ``refresh``
        of that run alone says what is wrong.
        """
        with self._database.read() as tx:
            living = leases.live_here(tx)
        held = {owner: self._is_held(owner) for owner in {owner for _, owner in living if owner}}
        in_doubt = [run_id for run_id, owner in living if owner is None or not held[owner]]
        with self._database.read() as tx:
            found = runs.by_ids(tx, in_doubt)
        for stored in found:
            with contextlib.suppress(StorageError):
                self.refresh(stored)

    def refresh(self, stored: StoredRun) -> StoredRun:
        """Bring one run up to date and return it as it is then."""
        if stored.run.status.ended or self._hangs_on_lease(stored):
            return stored
        if stored.run.definition is not None:
            return self._refresh_submitted(stored)
        if stored.run.owner_id is not None:
            return self._refresh_owned(stored, stored.run.owner_id)
        return stored

    def end_unheard(self, stored: StoredRun, lost: RunError) -> StoredRun:
        """End a run whose runner or process was not heard of for too long."""
        root = self._root_of(stored)
        if root is not None and root.run.status in ENDED - {Status.FAILED}:
            return self._end(
                stored, root.run.status, None, f"the run around it is {root.run.status}"
            )
        return self._end(stored, Status.FAILED, lost, lost.message)

    def _hangs_on_lease(self, stored: StoredRun) -> bool:
        with self._database.read() as tx:
            if stored.run.definition is not None:
                return leases.remote(tx, stored.rid) is not None
            owner_id = stored.run.owner_id
            return owner_id is not None and leases.find(tx, owner_id) is not None

    # ------------------------------------------------------------ submitted runs

    def _refresh_submitted(self, stored: StoredRun) -> StoredRun:
        report = observing.look(self._engine, RunFolder(self._layout.run(stored.run.id)))
        if report is None or not reports.says_more(stored, report):
            return stored
        return self.apply(stored, report)

    def apply(self, stored: StoredRun, report: RunnerReport) -> StoredRun:
        """Bring what a runner says of a run into the database, and its end to the runs below it."""
        ends = report.status.ended
        if ends:
            self._metrics.drain(stored.run.id)
        with self._database.write() as tx:
            current = reports.apply(tx, stored, report, now=self._clock())
            below = runs.live_below(tx, current.run.root_id) if ends else []
        for child in below:
            self.refresh(child)
        return current

    # ------------------------------------------------------------ interactive runs

    def _refresh_owned(self, stored: StoredRun, owner_id: str) -> StoredRun:
        if self._is_held(owner_id):
            return stored
        root = self._root_of(stored)
        asked = stored.run.status is Status.CANCEL_REQUESTED
        if root is not None and not root.run.status.ended and not asked:
            return self._missed(stored)
        self._metrics.drain(stored.run.id)
        return self._end(stored, *_end_without_process(stored, root))

    def _end(
        self, stored: StoredRun, status: Status, error: RunError | None, reason: str
    ) -> StoredRun:
        with self._database.write() as tx:
            current = _again(tx, stored)
            if current.run.status.ended:  # it ended itself since it was read; Completed may still
                return current  # become Failed, but only where a person says so
            moved = transitions.move(
                tx,
                current,
                status,
                at=self._clock(),
                actor=RECOVERY,
                reason=reason,
                error=error,
            )
        return moved or self._read(stored)

    def _is_held(self, owner_id: str) -> bool:
        return owners.is_alive(self._layout.owners / owner_id)

    def _root_of(self, stored: StoredRun) -> StoredRun | None:
        """The submitted run inside which this one was made, brought up to date."""
        if stored.run.root_id == stored.run.id:
            return None
        with self._database.read() as tx:
            root = runs.by_id(tx, stored.run.root_id)
        if root is None or root.run.definition is None:
            return None
        return self.refresh(root)

    def _missed(self, stored: StoredRun) -> StoredRun:
        """The process is gone but the submitted run around it is not.

        Either that run is just ending, and this one will end as it does; or a helper process of it
        died. So: NotResponding first, and Failed when it stays so.
        """
        now = self._clock()
        with self._database.write() as tx:
            current = _again(tx, stored)
            if current.run.status is not Status.NOT_RESPONDING:
                moved = transitions.move(
                    tx,
                    current,
                    Status.NOT_RESPONDING,
                    at=now,
                    actor=RECOVERY,
                    reason="its process is gone",
                )
                self._missed_since[current.run.id] = self._stopwatch()
                return moved or current
            if not self._is_overdue(current, now - runs.events(tx, current)[-1].at):
                return current
            moved = transitions.move(
                tx,
                current,
                Status.FAILED,
                at=now,
                actor=RECOVERY,
                reason=_LOST.message,
                error=_LOST,
            )
            return moved or current

    def _is_overdue(self, stored: StoredRun, waited_us: int) -> bool:
        """Whether the patience with a run is over.

        By this process's own stopwatch where it has looked before: clocks are set. One that looks
        for the first time has only the times in the store.
        """
        now_s = self._stopwatch()
        since_s = self._missed_since.setdefault(stored.run.id, now_s)
        if since_s < now_s:
            return now_s - since_s >= _PATIENCE_US / 1e6
        return waited_us >= _PATIENCE_US

    def _read(self, stored: StoredRun) -> StoredRun:
        with self._database.read() as tx:
            return _again(tx, stored)


_LOST: Final = RunError(
    code="ProcessLost",
    message="the process that was this run ended without completing it: it was killed, or exited "
    "before complete() was called",
)


def _end_without_process(
    stored: StoredRun, root: StoredRun | None
) -> tuple[Status, RunError | None, str]:
    """How an interactive run ends whose process is gone."""
    if stored.run.status is Status.CANCEL_REQUESTED:
        return Status.CANCELED, None, "its process ended after the request to cancel"
    if root is not None and root.run.status is not Status.FAILED:
        return root.run.status, None, f"the run around it is {root.run.status}"
    return Status.FAILED, _LOST, _LOST.message


def _again(tx: Transaction, stored: StoredRun) -> StoredRun:
    """The run as this transaction sees it."""
    return runs.by_id(tx, stored.run.id) or stored
