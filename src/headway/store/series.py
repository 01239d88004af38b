"""Series, their chunks and the journals that they came from: statements."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

import msgspec

from headway.errors import StorageCorruptError
from headway.model import MetricQuery, Scalar, SeriesForm, SeriesSummary
from headway.store.base import Parameters, Transaction
from headway.store.conditions import NAN

_BIG_INTEGER: Final = 1
_TEXT_KEPT: Final = 1000

_COLUMNS: Final = """s.id, s.name, s.col, s.form, s.count, s.last_value, s.first_step, s.last_step,
s.minimum, s.maximum"""
_OF_RUN: Final = f"select {_COLUMNS} from series s where s.rid = :rid"
_NAMED: Final = f"{_OF_RUN} and s.name = :name and s.col = :col"
_INSERT: Final = """
insert into series (rid, name, col, form, count, last_value)
values (:rid, :name, :col, :form, 0, :last_value) returning id"""
_UPDATE: Final = """
update series set form = :form, count = :count, last_value = :last_value,
    last_number = :last_number, last_text = :last_text, first_step = :first_step,
    last_step = :last_step, minimum = :minimum, maximum = :maximum where id = :id"""
_TAIL: Final = """
select sequence, count, vals, steps, times from chunks where series_id = :id
order by sequence desc limit 1"""
_PUT_CHUNK: Final = """
insert into chunks (series_id, sequence, count, vals, steps, times)
values (:series_id, :sequence, :count, :vals, :steps, :times)
on conflict (series_id, sequence) do update set count = excluded.count, vals = excluded.vals,
    steps = excluded.steps, times = excluded.times"""
_WRITER: Final = "select taken, names from writers where writer_id = :writer_id and rid = :rid"
_PUT_WRITER: Final = """
insert into writers (writer_id, rid, taken, names) values (:writer_id, :rid, :taken, :names)
on conflict (writer_id) do update set taken = excluded.taken, names = excluded.names
where writers.taken = :before"""

_TREE: Final = """
with recursive tree (rid, id) as (
    select rid, id from runs where id = :run_id
    union all
    select r.rid, r.id from runs r join tree t on r.parent_id = t.id
)
"""
_WANTED: Final = """
where (:name is null or s.name = :name) and (:type is null or r.type = :type)"""
_SUMMARIES: Final = {
    False: f"""select r.id, {_COLUMNS} from runs r join series s on s.rid = r.rid
{_WANTED} and r.id = :run_id order by s.id""",
    True: f"""{_TREE} select r.id, {_COLUMNS} from tree t cross join runs r cross join series s
{_WANTED} and r.rid = t.rid and s.rid = r.rid order by r.rid, s.id""",
}
_VALUES: Final = {
    False: f"""select s.id, c.vals from runs r join series s on s.rid = r.rid
join chunks c on c.series_id = s.id {_WANTED} and r.id = :run_id order by s.id, c.sequence""",
    True: f"""{_TREE} select s.id, c.vals from tree t cross join runs r cross join series s
cross join chunks c {_WANTED} and r.rid = t.rid and s.rid = r.rid and c.series_id = s.id
order by s.id, c.sequence""",
}


class StoredSeries(msgspec.Struct, frozen=True):
    """A series with the key under which its rows are kept."""

    id: int
    summary: SeriesSummary


class Chunk(msgspec.Struct, frozen=True):
    """A stretch of a series: three blocks of one length."""

    series_id: int
    sequence: int
    count: int
    values: bytes
    steps: bytes
    times: bytes


class Writer(msgspec.Struct, frozen=True):
    """How far a journal was taken in, and the names that its records refer to."""

    writer_id: str
    taken: int
    names: bytes


def named(tx: Transaction, run_id: str, rid: int, name: str, column: str) -> StoredSeries | None:
    """One series of a run."""
    row = tx.one(_NAMED, {"rid": rid, "name": name, "col": column})
    return _stored(run_id, row) if row else None


def of_run(tx: Transaction, run_id: str, rid: int) -> dict[tuple[str, str], StoredSeries]:
    """Every series of a run, by name and column."""
    found = [_stored(run_id, row) for row in tx.all(_OF_RUN, {"rid": rid})]
    return {(series.summary.name, series.summary.column): series for series in found}


def insert(tx: Transaction, rid: int, empty: SeriesSummary) -> StoredSeries:
    """Add a series without points."""
    row = tx.one(
        _INSERT,
        {
            "rid": rid,
            "name": empty.name,
            "col": empty.column,
            "form": empty.form,
            "last_value": _encode_scalar(None),
        },
    )
    assert row is not None  # noqa: S101  "returning" gives a row
    return StoredSeries(int(row[0]), empty)


def update(tx: Transaction, series: Iterable[StoredSeries]) -> None:
    """Write the summaries of series."""
    rows: list[Parameters] = [
        {
            "id": one.id,
            "form": one.summary.form,
            "count": one.summary.count,
            "last_value": _encode_scalar(one.summary.last),
            "last_number": _number(one.summary.last),
            "last_text": _text(one.summary.last),
            "first_step": one.summary.first_step,
            "last_step": one.summary.last_step,
            "minimum": one.summary.minimum,
            "maximum": one.summary.maximum,
        }
        for one in series
    ]
    tx.many(_UPDATE, rows)


def tail(tx: Transaction, series_id: int) -> Chunk | None:
    """The last chunk of a series."""
    row = tx.one(_TAIL, {"id": series_id})
    return Chunk(series_id, *row) if row else None


def put_chunks(tx: Transaction, chunks: Sequence[Chunk]) -> None:
    """Add chunks; one of the same sequence is replaced."""
    rows: list[Parameters] = [
        {
            "series_id": chunk.series_id,
            "sequence": chunk.sequence,
            "count": chunk.count,
            "vals": chunk.values,
            "steps": chunk.steps,
            "times": chunk.times,
        }
        for chunk in chunks
    ]
    tx.many(_PUT_CHUNK, rows)


def writer(tx: Transaction, rid: int, writer_id: str) -> Writer | None:
    """How far a journal of this run was taken in."""
    row = tx.one(_WRITER, {"rid": rid, "writer_id": writer_id})
    return Writer(writer_id, row[0], row[1]) if row else None


def put_writer(tx: Transaction, rid: int, new: Writer, *, before: int) -> bool:
    """Move a journal's offset on, if it still is what it was before; whether it was."""
    changed = tx.run(
        _PUT_WRITER,
        {
            "rid": rid,
            "writer_id": new.writer_id,
            "taken": new.taken,
            "names": new.names,
            "before": before,
        },
    )
    return changed > 0


def run_ids(tx: Transaction, run_id: str) -> list[str]:
    """A run and every run below it."""
    return [row[0] for row in tx.all(f"{_TREE} select id from tree", {"run_id": run_id})]


def summaries(tx: Transaction, query: MetricQuery) -> list[StoredSeries]:
    """The series of a query, by run in order of creation, then in the order first logged."""
    rows = tx.all(_SUMMARIES[query.recursive], _parameters(query))
    return [_stored(row[0], row[1:]) for row in rows]


def values(tx: Transaction, query: MetricQuery) -> dict[int, list[bytes]]:
    """The blocks of values of each series of a query, in order."""
    found: dict[int, list[bytes]] = {}
    for series_id, block in tx.all(_VALUES[query.recursive], _parameters(query)):
        found.setdefault(series_id, []).append(block)
    return found


def _parameters(query: MetricQuery) -> Parameters:
    return {"run_id": query.run_id, "name": query.name, "type": query.run_type}


def _stored(run_id: str, row: tuple[Any, ...]) -> StoredSeries:
    return StoredSeries(
        row[0],
        SeriesSummary(
            run_id=run_id,
            name=row[1],
            column=row[2],
            form=cast("SeriesForm", row[3]),
            count=row[4],
            last=_decode_scalar(row[5]),
            first_step=row[6],
            last_step=row[7],
            minimum=row[8],
            maximum=row[9],
        ),
    )


def _number(value: Scalar) -> float | None:
    """What of a last value sorts and compares as a number; None for texts and NaN."""
    if isinstance(value, str) or value is None or value != value:
        return None
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def _text(value: Scalar) -> str | None:
    """What of a last value compares as a text."""
    if isinstance(value, float) and math.isnan(value):
        return NAN
    return value[:_TEXT_KEPT] if isinstance(value, str) else None


def _encode_scalar(value: Scalar) -> bytes:
    try:
        return msgspec.msgpack.encode(value)
    except OverflowError:  # an integer beyond 64 bits
        return msgspec.msgpack.encode(msgspec.msgpack.Ext(_BIG_INTEGER, str(value).encode()))


def _decode_scalar(data: bytes) -> Scalar:
    return cast("Scalar", msgspec.msgpack.decode(data, ext_hook=_big_integer))


def _big_integer(code: int, data: memoryview) -> int:
    if code != _BIG_INTEGER:
        raise StorageCorruptError(f"a stored metric value has the unknown kind {code}")
    return int(bytes(data))
