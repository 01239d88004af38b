"""Leases: which processes and runners elsewhere are alive, and what becomes of their runs.

Each beat makes a lease longer, by the clock of this workspace alone. Where none comes in time, a
monitor (``headway.service.monitoring``) says so of the runs; they stand where they stood before as
soon as one comes, and are given up after a longer time.
"""

import time
from collections.abc import Callable
from typing import Final

from headway.hosting.owners import check_owner_id
from headway.model import RunError, Status
from headway.runners import LeaseState
from headway.service import transitions
from headway.service.liveness import Liveness
from headway.settings import Settings
from headway.store import leases, runs
from headway.store.base import Database, Transaction
from headway.store.leases import Lease
from headway.store.runs import StoredRun

MONITOR: Final = "monitor"
_US: Final = 1_000_000


class Leases:
    """The leases of one workspace."""

    def __init__(
        self,
        database: Database,
        liveness: Liveness,
        settings: Settings,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._liveness = liveness
        self._settings = settings
        self._clock = clock

    def hold(self, owner_id: str, host: str) -> LeaseState:
        """Say that an owner is alive, on a host."""
        check_owner_id(owner_id)
        with self._database.write() as tx:
            self.beat(tx, owner_id, host)
            return self._state(tx, owner_id)

    def wait(self, owner_id: str, seen: int, timeout_s: float) -> LeaseState:
        """Wait until there are other signals for an owner than it has seen, or the time is over."""
        deadline = time.monotonic() + timeout_s
        with self._database.listen([leases.bell(owner_id)]) as ear:
            while True:
                with self._database.read() as tx:
                    state = self._state(tx, owner_id)
                left_s = deadline - time.monotonic()
                if state.signals != seen or left_s <= 0:
                    return state
                ear.wait(left_s)

    def beat(self, tx: Transaction, owner_id: str, host: str) -> None:
        """Make a lease longer; runs that did not respond stand where they stood."""
        before = leases.find(tx, owner_id)
        now = self._clock()
        ends_at = now + round(self._settings.missed_after_s * _US)
        leases.beat(tx, owner_id, host=host, expires_at=ends_at)
        if before is None or before.missed_at is None:
            return
        for stored in leases.of_owner(tx, owner_id):
            self._bring_back(tx, stored, now)

    def release(self, owner_id: str) -> None:
        """Give a lease up. Its runs that have not ended are then without a process."""
        with self._database.write() as tx:
            found = leases.of_owner(tx, owner_id) if leases.remove(tx, owner_id) else []
            tx.ring(leases.bell(owner_id))
        for stored in found:
            self._liveness.refresh(stored)

    # ------------------------------------------------------------ what the monitor does

    def overdue(self) -> list[Lease]:
        """Leases that have expired."""
        with self._database.read() as tx:
            return leases.overdue(tx, self._clock())

    def miss(self, lease: Lease) -> None:
        """Note that nothing is heard of an owner; its runs do not respond from now on."""
        now = self._clock()
        with self._database.write() as tx:
            found = leases.find(tx, lease.owner_id)
            if found is None or found.expires_at >= now or found.missed_at is not None:
                return  # it was heard of meanwhile
            leases.miss(tx, lease.owner_id, at=now)
            for stored in leases.of_owner(tx, lease.owner_id):
                if stored.run.status is not Status.NOT_RESPONDING:
                    transitions.move(
                        tx,
                        stored,
                        Status.NOT_RESPONDING,
                        at=now,
                        actor=MONITOR,
                        reason=f"nothing was heard of {lease.host or 'its host'} for "
                        f"{self._settings.missed_after_s:g} s",
                    )

    def give_up(self, lease: Lease) -> None:
        """End the runs of an owner of which nothing was heard for too long."""
        with self._database.write() as tx:
            found = leases.find(tx, lease.owner_id)
            if found is None or found.missed_at is None:
                return
            leases.remove(tx, lease.owner_id)
            tx.ring(leases.bell(lease.owner_id))
            lost = leases.of_owner(tx, lease.owner_id)
        for stored in lost:
            self._liveness.end_unheard(stored, self._lost(stored, lease.host))

    # ------------------------------------------------------------ inside

    def _lost(self, stored: StoredRun, host: str) -> RunError:
        patience = f"{self._settings.lost_after_s:g} s"
        if stored.run.definition is not None:
            return RunError(
                code="LostHost",
                message=f"nothing was heard of the host {host or 'of this run'} for more than "
                f"{patience}: it is down, or cut off from the network",
            )
        return RunError(
            code="ProcessLost",
            message=f"nothing was heard of the process of this run on {host or 'its host'} for "
            f"more than {patience}: it was killed, or its host is down or cut off",
        )

    def _bring_back(self, tx: Transaction, stored: StoredRun, now: int) -> None:
        """To where it stood before nothing was heard of it."""
        last = runs.events(tx, stored)[-1]
        if last.status is Status.NOT_RESPONDING and last.actor == MONITOR and last.previous:
            transitions.move(
                tx,
                stored,
                last.previous,
                at=now,
                actor=MONITOR,
                reason="its host is heard of again",
            )

    def _state(self, tx: Transaction, owner_id: str) -> LeaseState:
        lease = leases.find(tx, owner_id)
        signals = -1 if lease is None else lease.signals
        return LeaseState(signals, self._settings.missed_after_s)
