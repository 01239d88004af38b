"""Runs that ended elsewhere, written as they are."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from headway.checks import check_name, check_text
from headway.errors import InvalidValueError, RunExistsError, RunNotFoundError
from headway.model import Event, Experiment, NewRun, Run
from headway.service.creation import RunMaker
from headway.snapshots.tree import HASH
from headway.store import experiments, runs
from headway.store.base import Database, Transaction
from headway.upkeep import RunRecord

_MOST_CHARS: Final = 1000
_MOST_REASON_CHARS: Final = 1_000_000


class Adopter:
    """Takes in runs of other workspaces."""

    def __init__(self, database: Database, maker: RunMaker) -> None:
        self._database = database
        self._maker = maker

    def adopt(self, records: Sequence[RunRecord]) -> list[str]:
        """Write runs that are not there, all or none; the ids of these."""
        for record in records:
            self._check(record.run)
            _check_run(record.run)
            for event in record.events:
                _check_event(event)
        with self._database.write() as tx:
            return [record.run.id for record in records if _adopt(tx, record)]

    def _check(self, run: Run) -> None:
        self._maker.check(_request(run))
        if not run.status.ended:
            raise InvalidValueError(
                f"run {run.id} is {run.status}: only runs that have ended can be taken in from "
                "elsewhere; export it again when it has"
            )


def _check_run(run: Run) -> None:
    """Refuse what no run of a workspace can have: a record may come from a stranger."""
    check_name("experiment name", run.experiment_name, _MOST_CHARS)
    check_name("experiment id", run.experiment_id, _MOST_CHARS)
    for kind, text in (
        ("type", run.type),
        ("target", run.target),
        ("host", run.host),
        ("name of who made the run", run.created_by),
    ):
        if text:
            check_name(kind, text, _MOST_CHARS)
    if run.snapshot_id is not None and not HASH.fullmatch(run.snapshot_id):
        raise InvalidValueError(
            f"run {run.id} has the snapshot {run.snapshot_id[:80]!r}: its id has 64 hexadecimal "
            "digits"
        )
    _check_numbers(
        run.id, run.number, run.created_at, run.started_at, run.ended_at, run.points_lost
    )


def _check_event(event: Event) -> None:
    check_name("who changed the run", event.actor, _MOST_CHARS)
    check_text("reason", event.reason, _MOST_REASON_CHARS)
    _check_numbers(event.run_id, event.at)


def _check_numbers(run_id: str, *numbers: int | None) -> None:
    for number in numbers:
        if number is not None and not 0 <= number < 1 << 63:
            raise InvalidValueError(
                f"run {run_id} has the number or time {number}: accepted are 0 to 2**63 - 1"
            )


def _request(run: Run) -> NewRun:
    return NewRun(
        id=run.id,
        experiment_id=run.experiment_id,
        name=run.name,
        description=run.description,
        type=run.type,
        parent_id=run.parent_id,
        target=run.target,
        tags=run.tags,
        properties=run.properties,
    )


def _adopt(tx: Transaction, record: RunRecord) -> bool:
    known = runs.by_id(tx, record.run.id)
    if known is not None:
        if known.run.created_at == record.run.created_at:
            return False
        raise RunExistsError(
            f"a run with the id {record.run.id!r} exists and is another one: it was not made at "
            "the same time; import into another workspace"
        )
    run = _placed(tx, record.run)
    stored = runs.insert(tx, run, _request(run))
    runs.move(tx, stored.rid, run.status, run)
    if run.points_lost:
        runs.add_lost(tx, stored.rid, run.points_lost)
    for event in record.events:
        runs.add_event(
            tx,
            stored.rid,
            at=event.at,
            status=event.status,
            previous=event.previous,
            actor=event.actor,
            reason=event.reason,
        )
    return True


def _placed(tx: Transaction, run: Run) -> Run:
    """The run with its experiment, its parent and its number as they are in this workspace."""
    experiment = experiments.active(tx, run.experiment_name)
    if experiment is None:
        wanted = Experiment(run.experiment_id, run.experiment_name, run.created_at)
        if experiments.by_id(tx, wanted.id) is not None:  # archived, or renamed since
            wanted = replace(wanted, id=f"{wanted.id}-{run.created_at}")
        experiments.insert(tx, wanted)
        experiment = wanted
    root_id = run.id
    if run.parent_id is not None:
        parent = runs.by_id(tx, run.parent_id)
        if parent is None:
            raise RunNotFoundError(
                f"run {run.id!r} cannot be taken in below {run.parent_id!r}: there is no such run; "
                "import that too"
            )
        root_id = parent.run.root_id
    number = experiments.take_number(tx, experiment.id, run.number)
    return replace(run, experiment_id=experiment.id, root_id=root_id, number=number)
