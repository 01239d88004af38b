"""Runs and their events: statements."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from headway.model import Event, NewRun, Run, RunError, Status, Submission
from headway.store import labels
from headway.store.base import Transaction

_T = TypeVar("_T")

_COLUMNS: Final = """r.rid, r.id, r.experiment_id, e.name, r.number, r.name, r.description,
r.status, r.type, r.parent_id, r.root_id, r.created_at, r.started_at, r.ended_at, r.target, r.host,
r.owner_id, r.created_by, r.definition, r.error, r.snapshot_id, r.points_lost,
(select t.deleted_at from trash t where t.rid = r.rid)"""
SELECT: Final = f"select {_COLUMNS} from runs r join experiments e on e.id = r.experiment_id"
"""The columns that ``decode`` reads, to be followed by a condition."""

_INSERT: Final = """
insert into runs (id, experiment_id, number, name, description, status, type, parent_id, root_id,
    created_at, started_at, target, host, owner_id, created_by, request, definition, snapshot_id)
values (:id, :experiment_id, :number, :name, :description, :status, :type, :parent_id, :root_id,
    :created_at, :started_at, :target, :host, :owner_id, :created_by, :request, :definition,
    :snapshot_id)
returning rid"""
_BY_ID: Final = f"{SELECT} where r.id = :id"
_REQUEST: Final = "select request from runs where id = :id"
_LIVE: Final = "select id, owner_id from runs where ended_at is null order by rid"
_LIVE_BELOW: Final = f"{SELECT} where r.root_id = :id and r.ended_at is null and r.id <> :id"
_RID: Final = "select rid from runs where id = :id"
_CHANGE: Final = "update runs set name = :name, description = :description where rid = :rid"
_MOVE: Final = """
update runs set status = :status, started_at = :started_at, ended_at = :ended_at, error = :error
where rid = :rid and status = :previous"""
_SNAPSHOT: Final = """
update runs set snapshot_id = :snapshot_id where rid = :rid and snapshot_id is null"""
_LOST: Final = "update runs set points_lost = points_lost + :lost where rid = :rid"
_EVENT: Final = """
insert into events (rid, sequence, at, status, previous, actor, reason)
values (:rid, (select coalesce(max(sequence), 0) + 1 from events where rid = :rid), :at, :status,
    :previous, :actor, :reason)"""
_EVENTS: Final = """
select sequence, at, status, previous, actor, reason from events where rid = :rid
order by sequence"""


class StoredRun(msgspec.Struct, frozen=True):
    """A run with the key under which its rows are kept."""

    rid: int
    run: Run


def insert(tx: Transaction, run: Run, request: NewRun) -> StoredRun:
    """Add a run that does not exist, with its labels."""
    row = tx.one(
        _INSERT,
        {
            "id": run.id,
            "experiment_id": run.experiment_id,
            "number": run.number,
            "name": run.name,
            "description": run.description,
            "status": run.status.value,
            "type": run.type,
            "parent_id": run.parent_id,
            "root_id": run.root_id,
            "created_at": run.created_at,
            "started_at": run.started_at,
            "target": run.target,
            "host": run.host,
            "owner_id": run.owner_id,
            "created_by": run.created_by,
            "request": msgspec.msgpack.encode(request),
            "definition": msgspec.msgpack.encode(run.definition) if run.definition else None,
            "snapshot_id": run.snapshot_id,
        },
    )
    assert row is not None  # noqa: S101  "returning" gives a row
    stored = StoredRun(int(row[0]), run)
    labels.put_all(tx, "t", [(stored.rid, run.tags)])
    labels.put_all(tx, "p", [(stored.rid, run.properties)])
    return stored


def by_id(tx: Transaction, run_id: str) -> StoredRun | None:
    """One run."""
    found = decode(tx, tx.all(_BY_ID, {"id": run_id}))
    return found[0] if found else None


def by_ids(tx: Transaction, run_ids: Sequence[str]) -> list[StoredRun]:
    """Those of many runs that exist, oldest first."""
    found: list[StoredRun] = []
    for start in range(0, len(run_ids), 500):
        part = run_ids[start : start + 500]
        marks = ", ".join(f":i{i}" for i in range(len(part)))
        statement = f"{SELECT} where r.id in ({marks}) order by r.rid"
        found += decode(tx, tx.all(statement, {f"i{i}": one for i, one in enumerate(part)}))
    return found


def rid_of(tx: Transaction, run_id: str) -> int | None:
    """The key of a run's rows."""
    row = tx.one(_RID, {"id": run_id})
    return int(row[0]) if row else None


def request_of(tx: Transaction, run_id: str) -> NewRun | None:
    """What the run was made from."""
    row = tx.one(_REQUEST, {"id": run_id})
    return msgspec.msgpack.decode(row[0], type=NewRun) if row else None


def live(tx: Transaction) -> list[tuple[str, str | None]]:
    """The id and the owner of every run that has not ended, oldest first."""
    return [(row[0], row[1]) for row in tx.all(_LIVE)]


def live_below(tx: Transaction, root_id: str) -> list[StoredRun]:
    """Runs below a root that have not ended."""
    return decode(tx, tx.all(_LIVE_BELOW, {"id": root_id}))


def rename(tx: Transaction, rid: int, *, name: str, description: str | None) -> None:
    """Write the texts that people may change."""
    tx.run(_CHANGE, {"rid": rid, "name": name, "description": description})


def move(tx: Transaction, rid: int, previous: Status, run: Run) -> bool:
    """Write a run's new status if it still has the previous one; whether it had."""
    changed = tx.run(
        _MOVE,
        {
            "rid": rid,
            "previous": previous.value,
            "status": run.status.value,
            "started_at": run.started_at,
            "ended_at": run.ended_at,
            "error": msgspec.msgpack.encode(run.error) if run.error else None,
        },
    )
    return changed > 0


def set_snapshot(tx: Transaction, rid: int, snapshot_id: str) -> bool:
    """Say what a run was made from; False where that was said before."""
    return tx.run(_SNAPSHOT, {"rid": rid, "snapshot_id": snapshot_id}) > 0


def add_lost(tx: Transaction, rid: int, lost: int) -> None:
    """Count metric points that could not be kept."""
    tx.run(_LOST, {"rid": rid, "lost": lost})


def add_event(
    tx: Transaction,
    rid: int,
    *,
    at: int,
    status: Status,
    previous: Status | None,
    actor: str,
    reason: str,
) -> None:
    """Record one change of status."""
    tx.run(
        _EVENT,
        {
            "rid": rid,
            "at": at,
            "status": status.value,
            "previous": previous.value if previous else None,
            "actor": actor,
            "reason": reason,
        },
    )


def events(tx: Transaction, stored: StoredRun) -> list[Event]:
    """Every change of status, oldest first."""
    return [
        Event(
            run_id=stored.run.id,
            sequence=row[0],
            at=row[1],
            status=Status(row[2]),
            previous=Status(row[3]) if row[3] else None,
            actor=row[4],
            reason=row[5],
        )
        for row in tx.all(_EVENTS, {"rid": stored.rid})
    ]


def decode(tx: Transaction, rows: Sequence[tuple[Any, ...]]) -> list[StoredRun]:
    """Runs from rows of ``SELECT``, with their labels."""
    found = labels.of_runs(tx, [row[0] for row in rows])
    return [
        StoredRun(
            rid=row[0],
            run=Run(
                id=row[1],
                experiment_id=row[2],
                experiment_name=row[3],
                number=row[4],
                name=row[5],
                description=row[6],
                status=Status(row[7]),
                type=row[8],
                parent_id=row[9],
                root_id=row[10],
                created_at=row[11],
                started_at=row[12],
                ended_at=row[13],
                target=row[14],
                host=row[15],
                owner_id=row[16],
                created_by=row[17],
                definition=_optional(row[18], Submission),
                error=_optional(row[19], RunError),
                snapshot_id=row[20],
                points_lost=row[21],
                deleted_at=row[22],
                tags=found.get((row[0], "t"), {}),
                properties=found.get((row[0], "p"), {}),
            ),
        )
        for row in rows
    ]


def _optional(data: bytes | None, kind: type[_T]) -> _T | None:
    return None if data is None else msgspec.msgpack.decode(data, type=kind)
