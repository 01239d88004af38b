"""Series without their points: statements."""

import math
from collections.abc import Iterable
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


TREE: Final = """
with recursive tree (rid, id) as (
    select rid, id from runs where id = :run_id
    union all
    select r.rid, r.id from runs r join tree t on r.parent_id = t.id
    where not exists (select 1 from trash x where x.rid = r.rid)
)
"""
WANTED: Final = """
where (cast(:name as text) is null or s.name = :name)
    and (cast(:type as text) is null or r.type = :type)"""
_SUMMARIES: Final = {
    False: f"""select r.id, {_COLUMNS} from runs r join series s on s.rid = r.rid
{WANTED} and r.id = :run_id order by s.id""",
    True: f"""{TREE} select r.id, {_COLUMNS} from tree t cross join runs r cross join series s
{WANTED} and r.rid = t.rid and s.rid = r.rid order by r.rid, s.id""",
}


class StoredSeries(msgspec.Struct, frozen=True):
    """A series with the key under which its rows are kept."""

    id: int
    summary: SeriesSummary


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


def run_ids(tx: Transaction, run_id: str) -> list[str]:
    """A run and every run below it."""
    return [row[0] for row in tx.all(f"{TREE} select id from tree", {"run_id": run_id})]


def summaries(tx: Transaction, query: MetricQuery) -> list[StoredSeries]:
    """The series of a query, by run in order of creation, then in the order first logged."""
    rows = tx.all(_SUMMARIES[query.recursive], query_parameters(query))
    return [_stored(row[0], row[1:]) for row in rows]


def query_parameters(query: MetricQuery) -> Parameters:
    """What ``TREE`` and ``WANTED`` ask for."""
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
    # PostgreSQL's texts cannot hold NUL; the value itself is kept as bytes.
    return value[:_TEXT_KEPT].replace("\0", "\ufffd") if isinstance(value, str) else None


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
