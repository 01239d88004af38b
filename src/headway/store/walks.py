"""Ways to a page: by age, by an indexed value, or by sorting what was found.

Nobody knows beforehand which way is short. Is it to go through the newest runs until the page is
full, or to look at all of the few runs that an index has for one of the conditions? So both are
tried, with a bound that grows: as soon as a lead is known to be shorter than the bound, it is
followed; else so many of the newest runs are looked at. The work is at most a few times that of the
better way, whatever the data, and no statistics are needed.
"""

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from headway.store.base import Transaction, Value
from headway.store.conditions import Bindings
from headway.store.leads import Demand, Entries, Lead

FIRST_LOOK: Final = 500
_GROWTH: Final = 4
_TESTED: Final = 4
"""So many entries that an index rules out by itself cost as much as one to be looked up."""
_LONGEST: Final = 200_000
"""Leads longer than this are not told apart."""

Row = tuple[Any, ...]
"""The ``rid`` of a run and the values that it is sorted by."""


class Span(msgspec.Struct, frozen=True):
    """Runs from one age to another, by ``rid``, both included."""

    low: int
    high: int

    def __len__(self) -> int:
        return max(0, self.high - self.low + 1)

    def piece(self, length: int, *, newest: bool) -> "Span":
        """The newest so many, or the oldest."""
        if newest:
            return Span(max(self.low, self.high - length + 1), self.high)
        return Span(self.low, min(self.high, self.low + length - 1))

    def without(self, piece: "Span", *, newest: bool) -> "Span":
        """What is left after a piece."""
        return Span(self.low, piece.low - 1) if newest else Span(piece.high + 1, self.high)


class Plan(msgspec.Struct, frozen=True):
    """What is looked for."""

    demands: tuple[Demand, ...]
    bindings: Bindings
    whole: Lead
    """Every run, by age."""
    newest: bool = True
    """Which of equal runs comes first."""
    first_look: int = FIRST_LOOK
    """The first bound on the work, in runs."""

    def also(self, demand: Demand) -> "Plan":
        """Look for runs that meet one more demand."""
        return replace(self, demands=(*self.demands, demand))

    def behind(self, span: Span, rid: int) -> Span:
        """The runs of a span that come after one, by age."""
        return Span(span.low, rid - 1) if self.newest else Span(rid + 1, span.high)

    @property
    def leads(self) -> list[tuple[Lead, str]]:
        """Every lead, with the test that it makes needless; one of them can be had in pieces."""
        found = [
            (lead, demand.test if lead.proof else "")
            for demand in self.demands
            for lead in demand.leads
        ]
        return found if any(lead.by_age for lead, _ in found) else [*found, (self.whole, "")]


class Sorting(msgspec.Struct, frozen=True):
    """Keys to sort by, as expressions over ``r``, and where the page before ended."""

    keys: tuple[tuple[str, bool], ...]
    """Each with whether it descends. Null comes last."""
    after: tuple[Value, ...] = ()
    """The values of the last run; empty to begin at the beginning."""
    after_rid: int = 0
    """Which run that was."""


class Ranking(msgspec.Struct, frozen=True):
    """An index in the order that is asked for."""

    entries: Entries
    """All that have a value."""
    indexed: str
    """What the index is sorted by: a column of its entry ``d``, or the beginning of one."""
    value: str
    """The whole of that."""
    key: str
    """The same of a run ``r``; null where it lacks it."""
    descending: bool
    cut: int | None = None
    """So many characters of a text are in the index; None for all."""

    def place(self, value: Value) -> Value:
        """Where in the index a value is."""
        return value if self.cut is None else str(value)[: self.cut]

    @property
    def place_of_run(self) -> str:
        """Where in the index a run is, as an expression."""
        return self.key if self.cut is None else f"substr({self.key}, 1, {self.cut})"

    @property
    def beyond(self) -> str:
        """How a later place compares with an earlier one."""
        return "<" if self.descending else ">"


def by_age(tx: Transaction, plan: Plan, span: Span, need: int) -> list[Row]:
    """The first so many runs of a span, newest or oldest first."""
    found: list[Row] = []
    most = plan.first_look
    while span and len(found) < need:
        piece, way = span, _sole(plan) or _shorter_than(tx, plan, span, most)
        if way is None:
            piece, way = _next_piece(tx, plan, span, most)
        found += _fetch(tx, plan, way, piece, need - len(found))
        span = span.without(piece, newest=plan.newest)
        most *= _GROWTH
    return found


def by_sorting(tx: Transaction, plan: Plan, span: Span, sorting: Sorting, need: int) -> list[Row]:
    """The first so many runs in an order that no index has: all that are found are looked at."""
    most, way = plan.first_look, _sole(plan)
    while way is None and most <= _LONGEST:
        way = _shorter_than(tx, plan, span, most)
        most *= _GROWTH
    return _fetch(tx, plan, way or plan.leads[0], span, need, sorting)


def by_value(
    tx: Transaction, plan: Plan, span: Span, ranking: Ranking, after: Row | None, need: int
) -> list[Row]:
    """The first so many runs in the order of an index, and then those without a value.

    Args:
        tx: Reads.
        plan: What is looked for.
        span: All runs.
        ranking: The index.
        after: The run at which the page before ended, with its value; None for none.
        need: How many runs.
    """
    found: list[Row] = []
    if after is None or after[1] is not None:
        found, finished = _ranked(tx, plan, span, ranking, after, need)
        if finished:
            return found
    else:
        span = plan.behind(span, after[0])
    lacking = plan.also(Demand(f"{ranking.key} is null"))
    return found + [(row[0], None) for row in by_age(tx, lacking, span, need - len(found))]


def _ranked(
    tx: Transaction, plan: Plan, span: Span, ranking: Ranking, after: Row | None, need: int
) -> tuple[list[Row], bool]:
    """Those with a value: stretches between two places, and all that stand at one place.

    Returns:
        The runs, and whether those without a value are among them already.
    """
    found: list[Row] = []
    place: Value = None
    if after is not None:
        place = ranking.place(after[1])
        found = _at(tx, plan, span, ranking, place, need, after)
    most = plan.first_look
    while len(found) < need:
        if (way := _shorter_than(tx, plan, span, most)) is not None:
            rest = plan if place is None else plan.also(_later(plan, ranking, place))
            sorting = Sorting(((ranking.key, ranking.descending),))
            return found + _fetch(tx, rest, way, span, need - len(found), sorting), True
        stop = _place_after(tx, plan, ranking, place, most)
        found += _between(tx, plan, ranking, (place, stop), need - len(found))
        if stop is None:
            break
        found += _at(tx, plan, span, ranking, stop, need - len(found))
        place = stop
        most *= _GROWTH
    return found, False


def _at(
    tx: Transaction,
    plan: Plan,
    span: Span,
    ranking: Ranking,
    place: Value,
    need: int,
    after: Row | None = None,
) -> list[Row]:
    """Runs at one place of an index: equal runs, so by age, unless a long text was cut."""
    if need <= 0:
        return []
    bounds = f"{ranking.entries.bounds} and {ranking.indexed} = {plan.bindings.add(place)}"
    lead = Lead((replace(ranking.entries, bounds=bounds, by_age=True),))
    test = f"{ranking.place_of_run} = {plan.bindings.add(place)}"
    plan = plan.also(Demand(test, (lead,)))
    if ranking.cut is not None and len(str(place)) >= ranking.cut:
        keys = ((ranking.key, ranking.descending),)
        sorting = Sorting(keys) if after is None else Sorting(keys, (after[1],), after[0])
        return by_sorting(tx, plan, span, sorting, need)
    part = span if after is None else plan.behind(span, after[0])
    return [(row[0], place) for row in by_age(tx, plan, part, need)]


def _between(
    tx: Transaction, plan: Plan, ranking: Ranking, places: tuple[Value, Value], need: int
) -> list[Row]:
    """Runs between two places of an index, both left out."""
    start, stop = places
    bounds = [ranking.entries.bounds]
    if start is not None:
        bounds.append(f"{ranking.indexed} {ranking.beyond} {plan.bindings.add(start)}")
    if stop is not None:
        before = ">" if ranking.descending else "<"
        bounds.append(f"{ranking.indexed} {before} {plan.bindings.add(stop)}")
    entries = replace(ranking.entries, bounds=" and ".join(bounds))
    sorting = Sorting(((ranking.value, ranking.descending),))
    return _fetch(tx, plan, (Lead((entries,)), ""), None, need, sorting)


def _place_after(tx: Transaction, plan: Plan, ranking: Ranking, place: Value, most: int) -> Value:
    """The place that so many entries lie before; None where there are fewer."""
    bounds = ranking.entries.bounds
    if place is not None:
        bounds = f"{bounds} and {ranking.indexed} {ranking.beyond} {plan.bindings.add(place)}"
    row = tx.one(
        f"select {ranking.indexed} from {_table(tx, ranking.entries)} where {bounds} "
        f"order by {ranking.indexed} {_direction(ranking.descending)} limit 1 offset :most",
        {**plan.bindings.values, "most": most},
    )
    return row[0] if row else None


def _later(plan: Plan, ranking: Ranking, place: Value) -> Demand:
    """What holds for the runs at later places, and for those without a value."""
    later = f"{ranking.place_of_run} {ranking.beyond} {plan.bindings.add(place)}"
    return Demand(f"({later} or {ranking.key} is null)")


# ---------------------------------------------------------------------- ways

Way = tuple[Lead, str]
"""A lead, and the test that it makes needless."""


def _sole(plan: Plan) -> Way | None:
    """The way on which every run is one that is looked for, so that it is as short as can be."""
    if not plan.demands:
        return plan.whole, ""
    if len(plan.demands) > 1:
        return None
    sure = (way for way in plan.leads if way[1] and way[0].is_bare)
    return next(sure, None)


def _shorter_than(tx: Transaction, plan: Plan, span: Span, most: int) -> Way | None:
    """The shortest way of those with fewer entries; None where all have as many or more."""
    best, least = None, most
    for way in plan.leads:
        # Entries by age are no more than there are runs: where that tells enough, none is counted.
        length = len(span) // _TESTED if way[0].is_tested and way[0].by_age else least
        if length >= least:
            length = _length(tx, plan, way[0], span, least)
        if length < least:
            best, least = way, length
    return best


def _next_piece(tx: Transaction, plan: Plan, span: Span, most: int) -> tuple[Span, Way]:
    """The runs to look at next, and the shortest way through them of those that are by age."""
    ways = [way for way in plan.leads if way[0].by_age]
    tested = any(way[0].is_tested for way in ways)
    piece = span.piece(most * _TESTED if tested else most, newest=plan.newest)
    best, least = ways[0], most * _TESTED + 1
    for way in ways:
        weight = 1 if way[0].is_tested else _TESTED
        length = weight * _length(tx, plan, way[0], piece, least // weight + 1)
        if length < least:
            best, least = way, length
    return piece, best


def _length(tx: Transaction, plan: Plan, lead: Lead, span: Span, most: int) -> int:
    length = 0
    for entries in lead.entries:
        row = tx.one(
            "select count(*) from (select 1 from "
            f"{_stretch(tx, entries, span=entries.by_age)} limit :most) as counted",
            {**plan.bindings.values, "low": span.low, "high": span.high, "most": most - length},
        )
        length += int(row[0]) if row else 0
        if length >= most:
            break
    return length


# ---------------------------------------------------------------------- statements


def _fetch(
    tx: Transaction,
    plan: Plan,
    way: Way,
    span: Span | None,
    need: int,
    sorting: Sorting | None = None,
) -> list[Row]:
    """The first so many runs on a way, by age or sorted."""
    if need <= 0:
        return []
    sorting = sorting or Sorting(())
    statement = _statement(tx, plan, way, sorting, in_span=span is not None)
    values = {**plan.bindings.values, "need": need}
    if span is not None:
        values |= {"low": span.low, "high": span.high}
    return tx.all(statement, values)


def _statement(tx: Transaction, plan: Plan, way: Way, sorting: Sorting, *, in_span: bool) -> str:
    lead, needless = way
    tests = [demand.test for demand in plan.demands if demand.test != needless]
    if sorting.after:
        tests.append(_after(plan, sorting))
    source, conditions = _source(tx, lead, in_span=in_span)
    if tests or sorting.keys:
        source += f" cross join runs r{tx.dialect.indexed_by.format('runs_sheet')}"
        conditions += ["r.rid = d.rid", *tests]
    where = f" where {' and '.join(conditions)}" if conditions else ""
    columns = ", ".join(["d.rid", *(key for key, _ in sorting.keys)])
    # By position: an expression that were written again would be computed again.
    order = [
        f"{position} {_direction(descending)} nulls last"
        for position, (_, descending) in enumerate(sorting.keys, start=2)
    ]
    # An expression where the way is in another order: a planner that is not told which index to
    # use would follow one that is by age through all runs instead.
    age = "d.rid" if lead.by_age or len(lead.entries) > 1 else "d.rid + 0"
    order.append(f"{age} {_direction(plan.newest)}")
    return f"select {columns} from {source}{where} order by {', '.join(order)} limit :need"


def _source(tx: Transaction, lead: Lead, *, in_span: bool) -> tuple[str, list[str]]:
    """What stands between ``from`` and ``where``, and the conditions on it."""
    first, *others = lead.entries
    if not others:
        return _table(tx, first), _conditions(first, span=in_span, tests=True)
    stretches = " union ".join(
        f"select d.rid from {_stretch(tx, one, span=in_span, tests=True)}" for one in lead.entries
    )
    return f"({stretches}) d", []


def _stretch(tx: Transaction, entries: Entries, *, span: bool, tests: bool = False) -> str:
    conditions = _conditions(entries, span=span, tests=tests)
    return f"{_table(tx, entries)} where {' and '.join(conditions)}"


def _conditions(entries: Entries, *, span: bool, tests: bool) -> list[str]:
    conditions = [entries.bounds]
    if span:
        conditions.append("d.rid >= :low and d.rid <= :high")
    if tests and entries.tests:
        conditions.append(entries.tests)
    return conditions


def _table(tx: Transaction, entries: Entries) -> str:
    hint = tx.dialect.indexed_by.format(entries.index) if entries.index else ""
    return f"{entries.table} d{hint}"


def _direction(descending: bool) -> str:
    return "desc" if descending else "asc"


def _after(plan: Plan, sorting: Sorting) -> str:
    """What holds for the runs behind the last one of a page; null sorts last."""
    ways: list[str] = []
    same: list[str] = []
    for (key, descending), value in zip(sorting.keys, sorting.after, strict=True):
        if value is None:
            same.append(f"{key} is null")
            continue
        parameter = plan.bindings.add(value)
        beyond = f"({key} {'<' if descending else '>'} {parameter} or {key} is null)"
        ways.append(" and ".join([*same, beyond]))
        same.append(f"{key} = {parameter}")
    further = f"d.rid {'<' if plan.newest else '>'} {plan.bindings.add(sorting.after_rid)}"
    ways.append(" and ".join([*same, further]))
    return "(" + " or ".join(f"({way})" for way in ways) + ")"
