"""Runs of an embedded workspace."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from headway.api import CANCEL_WAIT_S
from headway.engines.base import Engine
from headway.engines.folder import RunFolder
from headway.errors import InvalidValueError, PropertyConflictError, RunStateError
from headway.filters import parse_filter, parse_order
from headway.hosting.layout import Layout
from headway.hosting.submission import Submitter
from headway.model import (
    ENDED,
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
from headway.service import transitions
from headway.service.creation import Identity, RunMaker
from headway.service.files import FileService
from headway.service.liveness import Liveness
from headway.service.lookup import find_run
from headway.service.metrics import MetricService
from headway.service.stopping import Stopper
from headway.service.upkeep.trash import Trash
from headway.store import labels, leases, runs, search
from headway.store.base import Database, Transaction
from headway.store.runs import StoredRun
from headway.store.search import Search

_LOG_PART_BYTES: Final = 1 << 20
_LONGEST_PAUSE_S: Final = 0.02
_KILL_MARGIN_S: Final = 10.0
"""Beyond the grace period: what killing everything and recording it may take."""
_EXIT_PATIENCE_S: Final = 1.0
MOST_PER_PAGE: Final = 10_000
MOST_CONDITIONS: Final = 100
"""Each tag and each property that is asked for is a look-up in the database."""


class RunService:
    """Implements ``headway.api.Runs``."""

    def __init__(
        self,
        database: Database,
        layout: Layout,
        engine: Engine,
        files: FileService,
        metrics: MetricService,
        liveness: Liveness,
        maker: RunMaker,
        submitter: Submitter,
        stopper: Stopper,
        identity: Identity,
        clock: Callable[[], int],
        trash: Trash,
    ) -> None:
        self._trash = trash
        self._database = database
        self._layout = layout
        self._engine = engine
        self._files = files
        self._metrics = metrics
        self._liveness = liveness
        self._maker = maker
        self._submitter = submitter
        self._stopper = stopper
        self._identity = identity
        self._clock = clock

    def create(self, new: Sequence[NewRun]) -> list[Run]:
        """Make runs, all or none, in this order."""
        for request in new:
            self._maker.check(request)
        with self._database.write() as tx:
            return [stored.run for stored in self._maker.make(tx, new)]

    def submit(self, new: NewRun, submission: Submission) -> Run:
        """Make a run and have its program started; return without waiting for it."""
        return self._submitter.submit(new, submission)

    def get(self, run_id: str) -> Run:
        """One run, brought up to date."""
        return self._current(run_id).run

    def change(self, run_id: str, change: RunChange) -> Run:
        """Apply a change as a whole and return the run after it."""
        self._maker.check_change(change)
        with self._database.write() as tx:
            stored = find_run(tx, run_id)
            _check_properties(stored.run, change)
            self._write_change(tx, stored, change)
            return find_run(tx, run_id).run

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
        if status not in ENDED:
            raise InvalidValueError(
                f"a run cannot be ended as {status}: give Completed, Failed or Canceled"
            )
        stored = self._current(run_id)
        if stored.run.status is status:
            return stored.run
        if stored.run.definition is not None and not stored.run.status.ended:
            run = self._stop(stored, status, error, reason)
            if run.status is status or not run.status.ended:
                return run  # and otherwise somebody was first: as with any run that had ended
        self._metrics.drain(run_id)
        with self._database.write() as tx:
            stored = find_run(tx, run_id)
            if stored.run.status is status:
                return stored.run  # asked for twice at one time: by a client that had no answer
            now = self._clock()
            begin = stored.run.started_at or stored.run.created_at
            return transitions.move_or_refuse(
                tx,
                stored,
                status,
                at=now if at is None else min(max(at, begin), now),
                actor=self._identity.actor,
                reason=reason or (error.message if error else f"ended as {status}"),
                error=error,
            ).run

    def cancel(
        self, run_id: str, *, grace_s: float | None = None, wait_s: float = CANCEL_WAIT_S
    ) -> CancelOutcome:
        """Ask for a run to be canceled and wait at most ``wait_s`` seconds for its end."""
        if grace_s is not None and not 0 <= grace_s < float("inf"):
            raise InvalidValueError(f"the grace period is {grace_s!r}: give seconds, 0 or more")
        stored = self._current(run_id)
        if stored.run.status.ended:
            return CancelOutcome.ALREADY_ENDED
        stored = self._stopper.cancel(stored, grace_s)
        for _ in _pauses(wait_s):
            stored = self._liveness.refresh(self._read(run_id))
            if stored.run.status.ended:
                break
        if not stored.run.status.ended:
            return CancelOutcome.CANCEL_REQUESTED
        self._wait_for_shim(run_id)
        canceled = stored.run.status is Status.CANCELED
        return CancelOutcome.CANCELED if canceled else CancelOutcome.ALREADY_ENDED

    def events(self, run_id: str) -> list[Event]:
        """Every change of status, oldest first."""
        stored = self._current(run_id)
        with self._database.read() as tx:
            events = runs.events(tx, stored)
            remote = leases.remote(tx, stored.rid)
        if stored.run.status is not Status.QUEUED:
            return events
        if remote is not None:
            place = remote.place
        else:
            place = self._engine.waits_for(RunFolder(self._layout.run(run_id)))
        return events if place is None else [*events[:-1], replace(events[-1], reason=place)]

    def watch(self, run_id: str, *, log: str, offset: int, timeout_s: float) -> RunUpdate:
        """Wait until the log is longer than ``offset`` bytes or the run has ended."""
        stored = self._current(run_id)
        for _ in _pauses(timeout_s):
            # The status first: what is in the log of a run that had ended is all there will be.
            # It is read again, for an interactive run writes its end into the database itself.
            stored = self._current(run_id)
            part = self._files.read_log(run_id, log, offset, _LOG_PART_BYTES)
            if part.data or stored.run.status.ended:
                return RunUpdate(stored.run, part)
        return RunUpdate(stored.run, self._files.read_log(run_id, log, offset, _LOG_PART_BYTES))

    def log_offset(self, run_id: str, *, log: str, at: int) -> int:
        """Where in a log that stands which was written after a time."""
        self._read(run_id)
        return self._files.log_offset(run_id, log, at)

    def delete(self, run_ids: Sequence[str]) -> "list[str]":
        """Put runs into the trash, each with all runs below it; all or none."""
        return self._trash.delete(run_ids)

    def restore(self, run_ids: Sequence[str]) -> "list[str]":
        """Take runs out of the trash, each with the runs that went with it; all or none."""
        return self._trash.restore(run_ids)

    def list(self, query: RunQuery) -> RunPage:
        """A page of runs in the order asked for."""
        if not 1 <= query.limit <= MOST_PER_PAGE:
            raise InvalidValueError(
                f"a page of {query.limit} runs was asked for: give 1 to {MOST_PER_PAGE}"
            )
        _check_conditions(query)
        now = self._clock()
        request = Search(
            query=query,
            expression=parse_filter(query.filter, now=now) if query.filter.strip() else None,
            orders=parse_order(query.order_by),
            now=now,
        )
        self._liveness.refresh_all()
        if request.mentions_metrics:
            self._metrics.drain_all()
        with self._database.read() as tx:
            found = search.page(tx, request)
        return RunPage([stored.run for stored in found.runs], found.next_cursor)

    # ------------------------------------------------------------ inside

    def _read(self, run_id: str) -> StoredRun:
        with self._database.read() as tx:
            return find_run(tx, run_id)

    def _current(self, run_id: str) -> StoredRun:
        return self._liveness.refresh(self._read(run_id))

    def _stop(self, stored: StoredRun, status: Status, error: RunError | None, reason: str) -> Run:
        """End a run that is being executed: everything of it is dead when this returns."""
        if status is Status.COMPLETED:
            raise RunStateError(
                f"run {stored.run.id} is being executed, and completes when its program exits with "
                "0: wait for it, or end it with cancel() or fail()"
            )
        outcome = "Failed" if status is Status.FAILED else "Canceled"
        stored = self._stopper.ask(stored, outcome, error=error, reason=reason)
        with self._database.read() as tx:
            if leases.remote(tx, stored.rid) is not None:
                return stored.run  # it is being ended elsewhere, which a client waits for
        grace_s = stored.run.definition.grace_s if stored.run.definition else 0.0
        for _ in _pauses(grace_s + _KILL_MARGIN_S):
            stored = self._liveness.refresh(self._read(stored.run.id))
            if stored.run.status.ended:
                break
        else:
            raise RunStateError(
                f"run {stored.run.id} was asked to end as {status} but still is "
                f"{stored.run.status}: look at its folder {self._layout.run(stored.run.id)}"
            )
        self._wait_for_shim(stored.run.id)
        return stored.run

    def _wait_for_shim(self, run_id: str) -> None:
        """After the final record the shim only has to exit: then really no process is left."""
        folder = RunFolder(self._layout.run(run_id))
        for _ in _pauses(_EXIT_PATIENCE_S):
            if not folder.alive():
                return

    def _write_change(self, tx: Transaction, stored: StoredRun, change: RunChange) -> None:
        run = stored.run
        labels.remove(tx, stored.rid, "t", change.remove_tags)
        labels.put(tx, stored.rid, "t", change.set_tags)
        labels.put(tx, stored.rid, "p", change.add_properties)
        tags = ({*run.tags} - {*change.remove_tags}) | {*change.set_tags}
        self._maker.check_count(run.id, "tags", len(tags))
        self._maker.check_count(
            run.id, "properties", len({*run.properties} | {*change.add_properties})
        )
        name = run.name if change.name is None else change.name
        description = (
            change.description if isinstance(change.description, str | None) else run.description
        )
        if (name, description) != (run.name, run.description):
            runs.rename(tx, stored.rid, name=name, description=description)


def _check_conditions(query: RunQuery) -> None:
    labels = (query.tags, query.has_tags, query.properties, query.has_properties)
    if (count := sum(map(len, labels))) > MOST_CONDITIONS:
        raise InvalidValueError(
            f"{count} tags and properties were asked for: at most {MOST_CONDITIONS} are accepted"
        )


def _check_properties(run: Run, change: RunChange) -> None:
    for key, value in change.add_properties.items():
        if key in run.properties and run.properties[key] != value:
            raise PropertyConflictError(
                f"property {key!r} of run {run.id} has the value {run.properties[key]!r} and "
                f"cannot be changed to {value!r}: properties are set once; use a tag "
                "for what may change"
            )


def _pauses(limit_s: float) -> Iterator[None]:
    """Yield at once, then again and again after growing pauses, until the time is over."""
    deadline = time.monotonic() + limit_s
    pause_s = 0.002
    while True:
        yield
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return
        time.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)
