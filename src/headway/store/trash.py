"""The trash, and what is removed for good: statements."""

from collections.abc import Container, Mapping, Sequence
from typing import Final

import msgspec

from headway.store.base import Parameters, Transaction

IS_TRASHED: Final = "exists (select 1 from trash x where x.rid = {run}.rid)"
"""Whether a run is in the trash, the run being ``{run}``."""

_ANY: Final = "select 1 from trash limit 1"
_BELOW: Final = """
with recursive tree (rid, id, depth) as (
    select rid, id, 0 from runs where id = :id
    union all
    select r.rid, r.id, t.depth + 1 from runs r join tree t on r.parent_id = t.id
)
select tree.rid, tree.id, r.ended_at is not null, r.snapshot_id
from tree join runs r on r.rid = tree.rid order by tree.depth desc, tree.rid"""
_PUT: Final = """
insert into trash (rid, taken_with, deleted_at, deleted_by)
values (:rid, :taken_with, :deleted_at, :deleted_by) on conflict (rid) do nothing"""
_FIND: Final = "select taken_with from trash where rid = :rid"
_TAKEN_WITH: Final = """
select r.rid, r.id from trash t join runs r on r.rid = t.rid
where t.taken_with = :id order by r.rid"""
_REMOVE: Final = "delete from trash where rid = :rid"
_TOPS: Final = """
select r.id from trash t join runs r on r.rid = t.rid
where t.deleted_at <= :before
  and not exists (select 1 from runs p join trash pt on pt.rid = p.rid where p.id = r.parent_id)
order by t.deleted_at, t.rid"""
_KEYS: Final = "select distinct storage_key from files where rid = :rid order by storage_key"
_DATABASE_BYTES: Final = """
select
    (select coalesce(sum(length(c.steps) + length(c.vals) + length(c.times)
        + coalesce(length(c.coarse), 0) + coalesce(length(c.medium), 0)
        + coalesce(length(c.fine), 0)), 0)
     from series s join point_chunks c on c.series_id = s.id where s.rid = :rid)
    + (select coalesce(sum(length(p.points)), 0)
       from series s join point_tails p on p.series_id = s.id where s.rid = :rid)
    + (select coalesce(sum(length(key) + coalesce(length(value), 0)), 0)
       from labels where rid = :rid)
    + (select coalesce(sum(length(w.names)), 0) from writers w where w.rid = :rid)
    + (select coalesce(length(request), 0) + coalesce(length(definition), 0)
        + coalesce(length(error), 0) from runs where rid = :rid)"""
_OF_SERIES: Final = "series_id in (select id from series where rid = :rid)"
_OF_WRITERS: Final = "writer_id in (select writer_id from writers where rid = :rid)"
_ROWS: Final[Mapping[str, str]] = {
    "point_chunks": _OF_SERIES,
    "point_tails": _OF_SERIES,
    "series": "rid = :rid",
    "writer_names": _OF_WRITERS,
    "writers": "rid = :rid",
    "labels": "rid = :rid",
    "events": "rid = :rid",
    "files": "rid = :rid",
    "remote_runs": "rid = :rid",
    "trash": "rid = :rid",
    "runs": "rid = :rid",
}
"""Whatever belongs to a run, in the order in which it can go."""
_DISPOSE: Final = """
insert into disposals (run_id, storage_keys, purged_at) values (:run_id, :keys, :at)
on conflict (run_id) do update set storage_keys = excluded.storage_keys,
    purged_at = excluded.purged_at"""
_DISPOSALS: Final = "select run_id, storage_keys from disposals order by purged_at, run_id"
_DISPOSED: Final = "delete from disposals where run_id = :run_id"
_SNAPSHOTS: Final = "select id, snapshot_id from runs where snapshot_id is not null"


class Member(msgspec.Struct, frozen=True):
    """A run of a tree."""

    rid: int
    id: str
    ended: bool
    snapshot_id: str | None = None


class Disposal(msgspec.Struct, frozen=True):
    """A run whose rows are gone, and whose files are to go."""

    run_id: str
    storage_keys: list[str]


def is_empty(tx: Transaction) -> bool:
    """Whether no run is in the trash."""
    return tx.one(_ANY) is None


def tree(tx: Transaction, run_id: str) -> list[Member]:
    """A run and all below it, the deepest first; empty where there is no such run."""
    rows = tx.all(_BELOW, {"id": run_id})
    return [Member(row[0], row[1], bool(row[2]), row[3]) for row in rows]


def put(tx: Transaction, members: Sequence[Member], taken_with: str, *, at: int, by: str) -> None:
    """Put runs into the trash; those that are there stay as they are."""
    rows: list[Parameters] = [
        {"rid": one.rid, "taken_with": taken_with, "deleted_at": at, "deleted_by": by}
        for one in members
    ]
    tx.many(_PUT, rows)


def holds(tx: Transaction, rid: int) -> bool:
    """Whether a run is in the trash."""
    return cause(tx, rid) is not None


def cause(tx: Transaction, rid: int) -> str | None:
    """The run that was deleted when this one went into the trash; None where it is not there."""
    row = tx.one(_FIND, {"rid": rid})
    return row[0] if row else None


def taken_with(tx: Transaction, run_id: str) -> list[tuple[int, str]]:
    """The runs that went into the trash because this one did, itself among them."""
    return [(row[0], row[1]) for row in tx.all(_TAKEN_WITH, {"id": run_id})]


def take_out(tx: Transaction, rids: Sequence[int]) -> None:
    """Take runs out of the trash."""
    tx.many(_REMOVE, [{"rid": rid} for rid in rids])


def tops(tx: Transaction, before: int) -> list[str]:
    """The runs that went into the trash by a time and whose parent is not there, oldest first."""
    return [row[0] for row in tx.all(_TOPS, {"before": before})]


def storage_keys(tx: Transaction, rid: int) -> list[str]:
    """The keys under which the bytes of a run's files are kept."""
    return [row[0] for row in tx.all(_KEYS, {"rid": rid})]


def database_bytes(tx: Transaction, rid: int) -> int:
    """About how much room the rows of a run take: their blocks, labels and documents."""
    row = tx.one(_DATABASE_BYTES, {"rid": rid})
    return int(row[0]) if row else 0


def count_rows(tx: Transaction, rid: int) -> int:
    """How many rows belong to a run."""
    counts = [
        tx.one(f"select count(*) from {table} where {own}", {"rid": rid})
        for table, own in _ROWS.items()
    ]
    return sum(row[0] for row in counts if row)


def purge(tx: Transaction, member: Member, *, at: int) -> int:
    """Remove a run for good, and note that its files are to go; how many rows went."""
    keys = msgspec.msgpack.encode(storage_keys(tx, member.rid))
    tx.run(_DISPOSE, {"run_id": member.id, "keys": keys, "at": at})
    return sum(
        tx.run(f"delete from {table} where {own}", {"rid": member.rid})
        for table, own in _ROWS.items()
    )


def disposals(tx: Transaction) -> list[Disposal]:
    """The runs whose files are to go."""
    return [
        Disposal(row[0], msgspec.msgpack.decode(row[1], type=list[str]))
        for row in tx.all(_DISPOSALS)
    ]


def disposed(tx: Transaction, run_id: str) -> None:
    """The files of a run are gone."""
    tx.run(_DISPOSED, {"run_id": run_id})


def snapshot_ids(tx: Transaction, *, without: Container[str] = ()) -> set[str]:
    """The snapshots of all runs, those in the trash included, but for some runs."""
    return {row[1] for row in tx.all(_SNAPSHOTS) if row[0] not in without}
