"""Finding runs: which, in which order, a page at a time.

Pages are cut by key, not by offset: a cursor holds the sort values of the last run and goes on
after it, whatever was added meanwhile. ``rid`` grows with creation, so "newest first" is an index
read backwards. Where labels are asked for by value, the rarest of them leads the search.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from headway.errors import InvalidValueError
from headway.filters import (
    And,
    Comparison,
    Expression,
    Field,
    FieldKind,
    Operator,
    Order,
    fields_of,
)
from headway.model import RunQuery
from headway.store import runs
from headway.store.base import Transaction, Value
from headway.store.conditions import LABEL_KINDS, Bindings, condition, sort_key
from headway.store.runs import StoredRun

_COUNTED: Final = (100, 1_000, 10_000, 100_000)
"""So far are labels counted, step by step, until it is known which is the rarest."""
_BELOW: Final = """r.rid in (with recursive tree (id) as (
    select c.id from runs c where c.parent_id = {root}
    union all
    select c.id from runs c join tree t on c.parent_id = t.id
) select c.rid from runs c join tree t on t.id = c.id)"""


class Search(msgspec.Struct, frozen=True):
    """A query with its texts read."""

    query: RunQuery
    expression: Expression | None
    orders: Sequence[Order]
    now: int
    """The time against which durations of living runs are measured, in microseconds."""

    @property
    def mentions_metrics(self) -> bool:
        """Whether the answer depends on what was logged."""
        fields = {order.field for order in self.orders}
        if self.expression is not None:
            fields |= set(fields_of(self.expression))
        return any(field.kind is FieldKind.METRIC for field in fields)


class Found(msgspec.Struct, frozen=True):
    """A page."""

    runs: list[StoredRun]
    next_cursor: str


class _Lead(msgspec.Struct, frozen=True):
    """A label whose index is walked: kind, key and value."""

    kind: str
    key: str
    value: str


def page(tx: Transaction, search: Search) -> Found:
    """One page of a search."""
    statement, bindings = compile_search(tx, search)
    rows = tx.all(statement, bindings)
    limit = search.query.limit
    found = _in_order(tx, [row[0] for row in rows[:limit]])
    more = len(rows) > limit
    return Found(found, _cursor(search, rows[limit - 1]) if more else "")


def compile_search(tx: Transaction, search: Search) -> tuple[str, dict[str, Value]]:
    """The statement of a search, and its parameters; shown by tests of the query plans."""
    bindings = Bindings(search.now)
    lead = _rarest(tx, _leads(search))
    keys = [(sort_key(order.field, bindings), order.descending) for order in _keys(search)]
    newest_first = not _oldest_first(search)
    conditions = _conditions(search, lead, bindings)
    source, rid = "runs r", "r.rid"
    if lead:
        source, rid = "labels d cross join runs r", "d.rid"
        value = bindings.add(lead.value)
        conditions += [
            f"d.kind = {bindings.add(lead.kind)} and d.key = {bindings.add(lead.key)}",
            f"substr(d.value, 1, 200) = substr({value}, 1, 200) and d.value = {value}",
            "r.rid = d.rid",
        ]
    if search.query.cursor:
        conditions.append(_after(search, keys, rid, newest_first, bindings))
    order = [f"{key} is null, {key} {'desc' if down else 'asc'}" for key, down in keys]
    order.append(f"{rid} {'desc' if newest_first else 'asc'}")
    columns = ", ".join([rid, *(key for key, _ in keys)])
    where = f"where {' and '.join(conditions)} " if conditions else ""
    statement = (
        f"select {columns} from {source} {where}"
        f"order by {', '.join(order)} limit {bindings.add(search.query.limit + 1)}"
    )
    return statement, bindings.values


def _keys(search: Search) -> list[Order]:
    """The sort keys that ``rid`` does not stand for already."""
    first = search.orders[0] if search.orders else None
    if first is None or first.field == Field(FieldKind.COLUMN, "created"):
        return []
    return list(search.orders)


def _oldest_first(search: Search) -> bool:
    return bool(search.orders) and not _keys(search) and not search.orders[0].descending


def _conditions(search: Search, lead: _Lead | None, bindings: Bindings) -> list[str]:
    query = search.query
    found: list[str] = []
    if query.parent_id is not None:
        found.append(f"r.parent_id = {bindings.add(query.parent_id)}")
    elif query.ancestor_id is not None:
        found.append(_BELOW.format(root=bindings.add(query.ancestor_id)))
    elif not query.include_children:
        found.append("r.parent_id is null")
    if query.experiment_id is not None:
        found.append(f"r.experiment_id = {bindings.add(query.experiment_id)}")
    if query.type is not None:
        wanted = bindings.add(query.type)
        found.append(
            f"(r.type = {wanted} or exists (select 1 from labels l where l.rid = r.rid "
            f"and l.kind = 'p' and l.key = 'azureml.runsource' and l.value = {wanted}))"
        )
    if query.statuses:
        statuses = ", ".join(bindings.add(status.value) for status in query.statuses)
        found.append(f"r.status in ({statuses})")
    if query.since is not None:
        found.append(f"r.created_at >= {bindings.add(query.since)}")
    found += _label_conditions(query, lead, bindings)
    if search.expression is not None:
        found.append(condition(search.expression, bindings))
    return found


def _label_conditions(query: RunQuery, lead: _Lead | None, bindings: Bindings) -> list[str]:
    """A condition for each label but the one that leads the search."""
    found: list[str] = []
    for kind, labels, keys in (
        ("t", query.tags, query.has_tags),
        ("p", query.properties, query.has_properties),
    ):
        wanted: list[tuple[str, str]] = [(key, "") for key in keys]
        for key, value in labels.items():
            if value is not None and lead == _Lead(kind, key, value):
                continue
            test = "is null" if value is None else f"= {bindings.add(value)}"
            wanted.append((key, f" and l.value {test}"))
        found += [
            f"exists (select 1 from labels l where l.rid = r.rid and l.kind = '{kind}' "
            f"and l.key = {bindings.add(key)}{test})"
            for key, test in wanted
        ]
    return found


def _leads(search: Search) -> list[_Lead]:
    """The labels that every run found must have, with their values."""
    query = search.query
    found = [_Lead("t", key, value) for key, value in query.tags.items() if value is not None]
    found += [
        _Lead("p", key, value) for key, value in query.properties.items() if value is not None
    ]
    top = search.expression
    tests = top.operands if isinstance(top, And) else (top,)
    for test in tests:
        match test:
            case Comparison(Field(kind, key), Operator.EQUAL, str(value)) if kind in LABEL_KINDS:
                found.append(_Lead(LABEL_KINDS[kind], key, value))
            case _:
                pass
    return found


def _rarest(tx: Transaction, leads: Sequence[_Lead]) -> _Lead | None:
    if len(leads) < 2:
        return leads[0] if leads else None
    for most in _COUNTED:
        counts = [_count(tx, lead, most) for lead in leads]
        if min(counts) < most:
            return leads[counts.index(min(counts))]
    return leads[0]


def _count(tx: Transaction, lead: _Lead, most: int) -> int:
    row = tx.one(
        "select count(*) from (select 1 from labels d where d.kind = :kind and d.key = :key "
        "and substr(d.value, 1, 200) = substr(:value, 1, 200) limit :most) as counted",
        {"kind": lead.kind, "key": lead.key, "value": lead.value, "most": most},
    )
    return int(row[0]) if row else 0


def _after(
    search: Search,
    keys: Sequence[tuple[str, bool]],
    rid: str,
    newest_first: bool,
    bindings: Bindings,
) -> str:
    """What holds for the runs behind the cursor; null sorts last."""
    *values, last_rid = _read_cursor(search, len(keys) + 1)
    ways: list[str] = []
    same: list[str] = []
    for (key, descending), value in zip(keys, values, strict=True):
        if value is None:
            same.append(f"{key} is null")
            continue
        bound = bindings.add(value)
        beyond = f"({key} {'<' if descending else '>'} {bound} or {key} is null)"
        ways.append(" and ".join([*same, beyond]))
        same.append(f"{key} = {bound}")
    further = f"{rid} {'<' if newest_first else '>'} {bindings.add(last_rid)}"
    ways.append(" and ".join([*same, further]))
    return "(" + " or ".join(f"({way})" for way in ways) + ")"


def _cursor(search: Search, row: tuple[Any, ...]) -> str:
    rid, *values = row
    content = [search.query.order_by, *values, rid]
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(content)).decode()


def _read_cursor(search: Search, length: int) -> list[Value]:
    cursor = search.query.cursor
    try:
        content = msgspec.msgpack.decode(
            base64.urlsafe_b64decode(cursor.encode()), type=list[str | int | float | None]
        )
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise InvalidValueError(
            f"the cursor {cursor[:80]!r} is none of ours: pass next_cursor of the page before, or "
            "leave it out for the first page"
        ) from error
    if len(content) != length + 1 or content[0] != search.query.order_by:
        raise InvalidValueError(
            f"the cursor {cursor[:80]!r} belongs to another order than "
            f"{search.query.order_by!r}: repeat the query of its page"
        )
    return list(content[1:])


def _in_order(tx: Transaction, rids: Sequence[int]) -> list[StoredRun]:
    found: dict[int, StoredRun] = {}
    for start in range(0, len(rids), 500):
        part = rids[start : start + 500]
        marks = ", ".join(f":r{i}" for i in range(len(part)))
        rows = tx.all(
            f"{runs.SELECT} where r.rid in ({marks})", {f"r{i}": r for i, r in enumerate(part)}
        )
        found |= {stored.rid: stored for stored in runs.decode(tx, rows)}
    return [found[rid] for rid in rids]
