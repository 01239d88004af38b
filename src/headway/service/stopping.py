"""Asking runs to end: a durable intent first, then a wake-up of whoever executes the run."""

from collections.abc import Callable
from typing import Literal

from msgspec.structs import replace

from headway.engines.base import Engine
from headway.engines.folder import RunFolder
from headway.hosting import owners
from headway.hosting.layout import Layout
from headway.hosting.obeying import obey
from headway.model import RunError, Status
from headway.runners import EndRequest
from headway.service import transitions
from headway.service.creation import Identity
from headway.service.lookup import find_run
from headway.store import leases
from headway.store.base import Database, Transaction
from headway.store.leases import RemoteRun
from headway.store.runs import StoredRun

Asked = Literal["Canceled", "Failed"]


class Stopper:
    """Asks runs to end, wherever they are executed."""

    def __init__(
        self,
        database: Database,
        layout: Layout,
        engine: Engine,
        identity: Identity,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._layout = layout
        self._engine = engine
        self._identity = identity
        self._clock = clock

    def cancel(self, stored: StoredRun, grace_s: float | None) -> StoredRun:
        """Ask for the cancellation of a run that has not ended; the run after that."""
        if stored.run.definition is not None:
            return self.ask(stored, "Canceled", grace_s=grace_s)
        owner_id = stored.run.owner_id
        if owner_id is None:
            reason = "asked to cancel; it has no process"
            return self._move(stored, Status.CANCELED, reason, at=self._clock())
        if stored.run.status is Status.CANCEL_REQUESTED:
            return stored
        with self._database.write() as tx:
            moved = self._step(
                tx, stored, Status.CANCEL_REQUESTED, "asked to cancel", self._clock()
            )
            leases.signal(tx, owner_id)
        owners.ring(self._layout.owners / owner_id)
        return moved

    def ask(
        self,
        stored: StoredRun,
        outcome: Asked,
        *,
        grace_s: float | None = None,
        error: RunError | None = None,
        reason: str = "",
    ) -> StoredRun:
        """Ask for the end of a run that is executed; the run after that.

        Only the first request counts; a later one may shorten the grace.
        """
        request = EndRequest(
            outcome=Status(outcome),
            at=self._clock(),
            by=self._identity.actor,
            grace_s=grace_s,
            code=error.code if error else None,
            message=error.message if error else reason,
        )
        if outcome == "Canceled":
            status, reason = Status.CANCEL_REQUESTED, reason or "asked to cancel"
        else:
            status, reason = Status.FINALIZING, reason or "asked to fail"
        with self._database.read() as tx:
            executed_here = leases.remote(tx, stored.rid) is None
        if executed_here:  # the intent first: it needs no database
            obey(self._engine, RunFolder(self._layout.run(stored.run.id)), request)
            return self._move(stored, status, reason, at=request.at)
        with self._database.write() as tx:
            remote = leases.remote(tx, stored.rid)
            if remote and (wanted := _together(stored, remote, request)) != remote.wanted:
                leases.want(tx, stored.rid, wanted)
                leases.signal(tx, remote.runner_id)
            return self._step(tx, stored, status, reason, request.at)

    def _move(self, stored: StoredRun, status: Status, reason: str, *, at: int) -> StoredRun:
        with self._database.write() as tx:
            return self._step(tx, stored, status, reason, at)

    def _step(
        self, tx: Transaction, stored: StoredRun, status: Status, reason: str, at: int
    ) -> StoredRun:
        current = find_run(tx, stored.run.id)
        moved = transitions.move(
            tx, current, status, at=at, actor=self._identity.actor, reason=reason
        )
        return moved or current


def _together(stored: StoredRun, remote: RemoteRun, request: EndRequest) -> EndRequest:
    """The request that stands, where one comes after another."""
    before = remote.wanted
    if before is None:
        return request
    definition = stored.run.definition
    given_s = definition.grace_s if definition is not None else 0.0
    before_s = given_s if before.grace_s is None else before.grace_s
    if request.grace_s is None or request.grace_s >= before_s:
        return before
    return replace(before, grace_s=request.grace_s)
