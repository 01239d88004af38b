"""The points of series: chunks of encoded columns, and a tail of the newest few.

A chunk stands at the position of its first point: the number of points of its series before it.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, get_args

import msgspec

from headway.model import Block, MetricQuery
from headway.store.base import Parameters, Transaction
from headway.store.series import TREE, WANTED, query_parameters

Level = Literal["coarse", "medium", "fine"]
"""The overviews of a chunk, by the size of their units."""

_META: Final = """position, count, weight, kind, low_step, high_step, low_time, high_time"""
_PUT: Final = f"""
insert into point_chunks (series_id, {_META}, coarse, medium, fine, steps, vals, times)
values (:series_id, :position, :count, :weight, :kind, :low_step, :high_step, :low_time, :high_time,
    :coarse, :medium, :fine, :steps, :vals, :times)
on conflict (series_id, position) do update set count = excluded.count, weight = excluded.weight,
    kind = excluded.kind, low_step = excluded.low_step, high_step = excluded.high_step,
    low_time = excluded.low_time, high_time = excluded.high_time, coarse = excluded.coarse,
    medium = excluded.medium, fine = excluded.fine, steps = excluded.steps, vals = excluded.vals,
    times = excluded.times"""
_REMOVE: Final = "delete from point_chunks where series_id = :id and position > :position"
_NEWEST: Final = """
select position, weight from point_chunks where series_id = :id order by position desc limit :limit
"""
_OUTLINES: Final = f"""
select {_META}, coarse is not null from point_chunks where series_id = :id order by position"""
_OVERVIEWS: Final = {
    level: f"""select position, {level} from point_chunks where series_id = :id
and position >= :first and position <= :last and {level} is not null order by position"""
    for level in get_args(Level)
}
_COLUMNS: Final = """
select steps, vals, times from point_chunks where series_id = :id and position = :position"""
_STEPS: Final = """
select steps, vals from point_chunks where series_id = :id and position = :position"""
_FROM: Final = """
select steps, vals, times from point_chunks where series_id = :id and position >= :position
order by position"""

_TAIL: Final = "select points from point_tails where series_id = :id"
_TAILS: Final = """
select s.id, t.points from series s join point_tails t on t.series_id = s.id where s.rid = :rid"""
_PUT_TAIL: Final = """
insert into point_tails (series_id, count, points) values (:series_id, :count, :points)
on conflict (series_id) do update set count = excluded.count, points = excluded.points"""
_REMOVE_TAIL: Final = "delete from point_tails where series_id = :series_id"

_VALUES: Final = {
    False: f"""select s.id, c.vals from runs r join series s on s.rid = r.rid
join point_chunks c on c.series_id = s.id {WANTED} and r.id = :run_id order by s.id, c.position""",
    True: f"""{TREE} select s.id, c.vals from tree t cross join runs r cross join series s
cross join point_chunks c {WANTED} and r.rid = t.rid and s.rid = r.rid and c.series_id = s.id
order by s.id, c.position""",
}
_TAIL_VALUES: Final = {
    False: f"""select s.id, p.points from runs r join series s on s.rid = r.rid
join point_tails p on p.series_id = s.id {WANTED} and r.id = :run_id""",
    True: f"""{TREE} select s.id, p.points from tree t cross join runs r cross join series s
cross join point_tails p {WANTED} and r.rid = t.rid and s.rid = r.rid and p.series_id = s.id""",
}


class Outline(msgspec.Struct, frozen=True):
    """A chunk without its points. What a workspace of schema 1 did not keep is None."""

    position: int
    count: int
    weight: int
    """What decides when it is sealed: its points, or more where they take much room."""
    kind: str | None
    """``float``, ``int``, ``bool``, or ``mixed`` for anything else."""
    low_step: int | None
    high_step: int | None
    low_time: int | None
    high_time: int | None
    has_overviews: bool = False


class Chunk(msgspec.Struct, frozen=True):
    """A stretch of a series: three blocks of one length, with overviews once it is sealed."""

    outline: Outline
    overviews: dict[Level, bytes]
    """Of all levels, or of none."""
    steps: bytes
    values: bytes
    times: bytes


class Columns(msgspec.Struct, frozen=True):
    """The blocks of a chunk."""

    steps: bytes
    values: bytes
    times: bytes


class Tail(msgspec.Struct, frozen=True):
    """The newest points of a series, as ``headway.metrics.chunks`` encodes a tail."""

    series_id: int
    count: int
    points: bytes | None
    """None: there are none any more."""


def put(tx: Transaction, series_id: int, chunks: Sequence[Chunk]) -> None:
    """Put chunks at the end of a series, in place of those that stand from the first of them on."""
    tx.run(_REMOVE, {"id": series_id, "position": chunks[0].outline.position})
    rows: list[Parameters] = [
        {
            "series_id": series_id,
            "position": chunk.outline.position,
            "count": chunk.outline.count,
            "weight": chunk.outline.weight,
            "kind": chunk.outline.kind,
            "low_step": chunk.outline.low_step,
            "high_step": chunk.outline.high_step,
            "low_time": chunk.outline.low_time,
            "high_time": chunk.outline.high_time,
            "coarse": chunk.overviews.get("coarse"),
            "medium": chunk.overviews.get("medium"),
            "fine": chunk.overviews.get("fine"),
            "steps": chunk.steps,
            "vals": chunk.values,
            "times": chunk.times,
        }
        for chunk in chunks
    ]
    tx.many(_PUT, rows)


def newest(tx: Transaction, series_id: int, limit: int) -> list[tuple[int, int]]:
    """Position and weight of the last chunks, the last one first."""
    return [(row[0], row[1]) for row in tx.all(_NEWEST, {"id": series_id, "limit": limit})]


def columns_from(tx: Transaction, series_id: int, position: int) -> list[Columns]:
    """The blocks of the chunk at a position and of all behind it."""
    rows = tx.all(_FROM, {"id": series_id, "position": position})
    return [Columns(*row) for row in rows]


def outlines(tx: Transaction, series_id: int) -> list[Outline]:
    """All chunks of a series, without their points."""
    return [
        Outline(*row[:-1], has_overviews=bool(row[-1]))
        for row in tx.all(_OUTLINES, {"id": series_id})
    ]


def columns(tx: Transaction, series_id: int, position: int) -> Columns:
    """The blocks of a chunk."""
    return Columns(*_row(tx, _COLUMNS, series_id, position))


def block(tx: Transaction, series_id: int, outline: Outline) -> Block:
    """The points of a chunk."""
    read = columns(tx, series_id, outline.position)
    return Block(outline.count, read.steps, read.times, read.values)


def steps_and_values(tx: Transaction, series_id: int, position: int) -> tuple[bytes, bytes]:
    """Two of the blocks of a chunk; the third is not read."""
    row = _row(tx, _STEPS, series_id, position)
    return row[0], row[1]


def overviews(
    tx: Transaction, series_id: int, level: Level, first: int, last: int
) -> dict[int, bytes]:
    """The overviews of the chunks that have some, by position, from one to another."""
    return dict(tx.all(_OVERVIEWS[level], {"id": series_id, "first": first, "last": last}))


def tail(tx: Transaction, series_id: int) -> bytes | None:
    """The newest points of a series, if there are some outside of chunks."""
    row = tx.one(_TAIL, {"id": series_id})
    return row[0] if row else None


def tails_of_run(tx: Transaction, rid: int) -> dict[int, bytes]:
    """The tails of all series of a run."""
    return dict(tx.all(_TAILS, {"rid": rid}))


def put_tails(tx: Transaction, tails: Iterable[Tail]) -> None:
    """Replace tails, or take them away."""
    kept: list[Parameters] = []
    removed: list[Parameters] = []
    for one in tails:
        if one.points is None:
            removed.append({"series_id": one.series_id})
        else:
            kept.append({"series_id": one.series_id, "count": one.count, "points": one.points})
    tx.many(_PUT_TAIL, kept)
    tx.many(_REMOVE_TAIL, removed)


def values(tx: Transaction, query: MetricQuery) -> dict[int, list[bytes]]:
    """The blocks of values of each series of a query, in order."""
    found: dict[int, list[bytes]] = {}
    for series_id, block in tx.all(_VALUES[query.recursive], query_parameters(query)):
        found.setdefault(series_id, []).append(block)
    return found


def tails(tx: Transaction, query: MetricQuery) -> dict[int, bytes]:
    """The tails of each series of a query."""
    return dict(tx.all(_TAIL_VALUES[query.recursive], query_parameters(query)))


def _row(tx: Transaction, statement: str, series_id: int, position: int) -> tuple[bytes, ...]:
    row = tx.one(statement, {"id": series_id, "position": position})
    assert row is not None  # noqa: S101  it was seen in the same transaction
    return row
