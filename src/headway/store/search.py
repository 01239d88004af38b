"""Finding runs: which, in which order, a page at a time.

Pages are cut by key, not by offset: a cursor holds the sort values of the last run and goes on
after it, whatever was added meanwhile. ``rid`` grows with creation, so "newest first" is an index
read backwards; runs that are equal in what is sorted by come newest first.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Final

import msgspec

from headway.errors import InvalidValueError
from headway.filters import (
    Aggregate,
    And,
    Comparison,
    Expression,
    Field,
    FieldKind,
    InList,
    Operator,
    Order,
    fields_of,
)
from headway.filters.tree import ValueType
from headway.model import RunQuery
from headway.store import runs, trash, walks
from headway.store.base import INTEGERS, Transaction
from headway.store.conditions import AGGREGATES, Bindings, condition, row_of, sort_key
from headway.store.exact import exact
from headway.store.leads import (
    INDEXED_CHARS,
    METRIC_INDEXES,
    Demand,
    Entries,
    Lead,
    entries_of,
    leads_of,
    narrowed,
    presence,
    with_ranges_joined,
)
from headway.store.runs import StoredRun
from headway.store.walks import FIRST_LOOK, Plan, Ranking, Row, Sorting, Span

_CREATED: Final = Field(FieldKind.COLUMN, "created")
_ALL: Final = Lead((Entries("runs", "runs_sheet", "1 = 1"),))
_TEXTS: Final = {ValueType.TEXT, ValueType.STATUS}
_RANKED_COLUMNS: Final = {"name": "runs_name", "number": "runs_number"}
_BELOW: Final = """r.rid in (with recursive tree (rid, id) as (
    select c.rid, c.id from runs c where c.parent_id = {root}
    union all
    select c.rid, c.id from tree t cross join runs c where c.parent_id = t.id
) select t.rid from tree t)"""


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

    @property
    def keys(self) -> list[Order]:
        """What decides before the time of creation does: no two runs share that."""
        fields = [order.field for order in self.orders]
        return list(self.orders[: fields.index(_CREATED)] if _CREATED in fields else self.orders)

    @property
    def newest_first(self) -> bool:
        """Which of two runs comes first where the keys do not decide."""
        return all(order.descending for order in self.orders if order.field == _CREATED)


class Found(msgspec.Struct, frozen=True):
    """A page."""

    runs: list[StoredRun]
    next_cursor: str


def page(tx: Transaction, search: Search, *, first_look: int = FIRST_LOOK) -> Found:
    """One page of a search.

    Args:
        tx: Reads.
        search: What is looked for.
        first_look: So many runs are looked at before it is asked again which way is the shortest.
    """
    limit = search.query.limit
    bindings = Bindings(search.now, tx.dialect)
    demands = (*_demands(search, bindings), *_trash_demands(tx, search.query))
    plan = Plan(demands, bindings, _ALL, search.newest_first, first_look)
    rows = _rows(tx, search, plan, limit + 1)
    found = _in_order(tx, [row[0] for row in rows[:limit]])
    return Found(found, _cursor(search, rows[limit - 1]) if len(rows) > limit else "")


def _rows(tx: Transaction, search: Search, plan: Plan, need: int) -> list[Row]:
    bindings = plan.bindings
    newest = tx.one("select max(rid) from runs")
    span = Span(1, newest[0] if newest and newest[0] else 0)
    keys = search.keys
    last = _read_cursor(search) if search.query.cursor else None
    if not keys:
        return walks.by_age(tx, plan, span if last is None else plan.behind(span, last[0]), need)
    ranking = _ranking(keys[0], bindings) if len(keys) == 1 else None
    if ranking is not None:
        return walks.by_value(tx, plan, span, ranking, last, need)
    sorted_by = tuple((sort_key(key.field, bindings), key.descending) for key in keys)
    sorting = Sorting(sorted_by) if last is None else Sorting(sorted_by, last[1:], last[0])
    return walks.by_sorting(tx, plan, span, sorting, need)


# ---------------------------------------------------------------------- what is asked


def _demands(search: Search, bindings: Bindings) -> list[Demand]:
    query = search.query
    found = _scope(query, bindings)
    if query.type is not None:
        wanted = bindings.add(query.type)
        source = Comparison(
            Field(FieldKind.PROPERTY, "azureml.runsource"), Operator.EQUAL, query.type
        )
        found.append(Demand(f"(r.type = {wanted} or {condition(source, bindings)})"))
    if query.statuses:
        status = Field(FieldKind.COLUMN, "status")
        found.append(_demand(InList(status, tuple(query.statuses)), bindings))
    if query.since is not None:
        since = Comparison(_CREATED, Operator.GREATER_OR_EQUAL, query.since)
        found.append(_demand(since, bindings))
    found += _label_demands(FieldKind.TAG, query.tags, query.has_tags, bindings)
    found += _label_demands(FieldKind.PROPERTY, query.properties, query.has_properties, bindings)
    top = None if search.expression is None else exact(search.expression)
    parts = top.operands if isinstance(top, And) else () if top is None else (top,)
    found = with_ranges_joined([*found, *(_demand(part, bindings) for part in parts)])
    if query.experiment_id is None:
        return found
    inside = bindings.add(query.experiment_id)
    return [Demand(one.test, tuple(narrowed(x, inside) for x in one.leads)) for one in found]


def _trash_demands(tx: Transaction, query: RunQuery) -> list[Demand]:
    """Runs in the trash, or none of them."""
    if query.deleted:
        lead = Lead((Entries("trash", "trash_rid", "1 = 1"),))
        return [Demand(trash.IS_TRASHED.format(run="r"), (lead,))]
    return [] if trash.is_empty(tx) else [Demand(f"not {trash.IS_TRASHED.format(run='r')}")]


def _demand(expression: Expression, bindings: Bindings) -> Demand:
    return Demand(condition(expression, bindings), tuple(leads_of(expression, bindings)))


def _scope(query: RunQuery, bindings: Bindings) -> list[Demand]:
    """Where the runs are looked for: below a run, in an experiment, at the top."""
    inside = "" if query.experiment_id is None else bindings.add(query.experiment_id)
    if query.parent_id is not None:
        parent = bindings.add(query.parent_id)
        found = [_scoped(f"{{run}}.parent_id = {parent}", "runs_family")]
    elif query.ancestor_id is not None:
        found = [_below(bindings.add(query.ancestor_id))]
    elif query.include_children:
        found = []
    elif inside:
        top = f"{{run}}.experiment_id = {inside} and {{run}}.parent_id is null"
        return [_scoped(top, "runs_top")]
    else:
        found = [_scoped("{run}.parent_id is null", "runs_family")]
    if inside:
        found.append(_scoped(f"{{run}}.experiment_id = {inside}", "runs_all"))
    return found


def _scoped(test: str, index: str) -> Demand:
    """A test of what an index of runs begins with."""
    entries = Entries("runs", index, test.format(run="d"))
    return Demand(test.format(run="r"), (Lead((entries,)),))


def _below(root: str) -> Demand:
    """Whatever is below a run has the run at the top of its tree in common with it."""
    same = f"d.root_id = (select a.root_id from runs a where a.id = {root})"
    lead = Lead((Entries("runs", "runs_tree", same),), proof=False)
    return Demand(_BELOW.format(root=root), (lead,))


def _label_demands(
    kind: FieldKind, labels: dict[str, str | None], keys: Sequence[str], bindings: Bindings
) -> list[Demand]:
    found: list[Demand] = []
    for key, value in labels.items():
        field = Field(kind, key)
        if value is None:
            found.append(_with_label(field, bindings, "{row}.value is null"))
        else:
            found.append(_demand(Comparison(field, Operator.EQUAL, value), bindings))
    return [*found, *(_with_label(Field(kind, key), bindings) for key in keys)]


def _with_label(field: Field, bindings: Bindings, test: str = "") -> Demand:
    """A label that is there, whatever its value, unless a test of that is given."""
    row = f"{row_of(field, bindings)}{test and f' and {test}'.format(row='s')}"
    return Demand(
        f"exists (select 1 from {row})", (presence(field, bindings, test.format(row="d")),)
    )


# ---------------------------------------------------------------------- in which order


def _ranking(order: Order, bindings: Bindings) -> Ranking | None:
    """The index that is in this order already, if there is one."""
    field = order.field
    if field.kind is FieldKind.COLUMN:
        if field.name not in _RANKED_COLUMNS:
            return None
        index, column, cut = _RANKED_COLUMNS[field.name], f"d.{field.name}", None
        entries = Entries("runs", index, f"{column} is not null", by_age=False)
        indexed = column
    elif field.kind is FieldKind.METRIC:
        aggregate = field.aggregate or Aggregate.LAST
        if aggregate not in METRIC_INDEXES:
            return None
        column, cut = f"d.{AGGREGATES[aggregate]}", None
        bounds = f"{entries_of(field, bindings)} and {column} is not null"
        entries = Entries("series", METRIC_INDEXES[aggregate], bounds, by_age=False)
        indexed = column
    else:
        column, cut = "d.value", INDEXED_CHARS
        indexed = f"substr({column}, 1, {cut})"
        bounds = f"{entries_of(field, bindings)} and {indexed} is not null"
        entries = Entries("labels", "labels_value", bounds, by_age=False)
    return Ranking(entries, indexed, column, sort_key(field, bindings), order.descending, cut)


# ---------------------------------------------------------------------- pages


def _cursor(search: Search, row: Row) -> str:
    rid, *values = row
    content = [search.query.order_by, *values, rid]
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(content)).decode()


def _read_cursor(search: Search) -> Row:
    """The run at which the page before ended, as the row that it was."""
    cursor = search.query.cursor
    try:
        order_by, *values = msgspec.msgpack.decode(
            base64.urlsafe_b64decode(cursor.encode()), type=list[str | int | float | None]
        )
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise InvalidValueError(
            f"the cursor {cursor[:80]!r} is none of ours: pass next_cursor of the page before, or "
            "leave it out for the first page"
        ) from error
    if order_by != search.query.order_by or not _fit(values, search.keys):
        raise InvalidValueError(
            f"the cursor {cursor[:80]!r} belongs to another order than "
            f"{search.query.order_by!r}: repeat the query of its page"
        )
    return values[-1], *values[:-1]


def _fit(values: Sequence[str | int | float | None], keys: Sequence[Order]) -> bool:
    """Whether values are of the types that runs are sorted by, followed by a ``rid``."""
    if len(values) != len(keys) + 1 or type(values[-1]) is not int:
        return False
    if any(isinstance(value, int) and value not in INTEGERS for value in values):
        return False
    return all(
        value is None or isinstance(value, str) == (key.field.value_type in _TEXTS)
        for value, key in zip(values, keys, strict=False)
    )


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
