"""What leads to the runs that a condition holds for, other than looking at all of them.

A lead is a stretch of an index, or several: entries, as ``d``, whose ``rid`` are those of every run
that the condition may hold for. What a query asks of its runs together is a list of demands; each
run found must meet all of them, so the entries of any one lead are enough to look at.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from headway.filters import (
    Aggregate,
    And,
    Comparison,
    Expression,
    Field,
    FieldKind,
    InList,
    Literal,
    Not,
    NullTest,
    Operator,
    Or,
)
from headway.model import Status
from headway.store.base import Value
from headway.store.conditions import (
    AGGREGATES,
    LABEL_KINDS,
    NAN,
    Bindings,
    bound,
    entry_has_value,
    entry_test,
    is_nan,
)

INDEXED_CHARS: Final = 200
"""So much of a label's value and of a metric's text is in the index."""
_MOST_ENTRIES: Final = 40
"""Of more alternatives than these no union is made."""
_LAST_CODE_POINT: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)

_RANGES: Final = {
    Operator.LESS,
    Operator.LESS_OR_EQUAL,
    Operator.GREATER,
    Operator.GREATER_OR_EQUAL,
}
_STATUS: Final = Field(FieldKind.COLUMN, "status")
_COLUMNS: Final = {
    "id": ("sqlite_autoindex_runs_1", "d.id"),
    "name": ("runs_name", "d.name"),
    "number": ("runs_number", "d.number"),
    "created": ("runs_created", "d.created_at"),
    "parent": ("runs_family", "d.parent_id"),
    "status": ("runs_state", "d.status"),
}
"""By column of the filter language: the index and its key."""
METRIC_INDEXES: Final = {
    Aggregate.LAST: "series_last",
    Aggregate.MIN: "series_minimum",
    Aggregate.MAX: "series_maximum",
}


class Entries(msgspec.Struct, frozen=True):
    """A stretch of one index, at most one entry a run."""

    table: str
    index: str
    bounds: str
    """Where it begins and ends."""
    tests: str = ""
    """What else the entries tell."""
    by_age: bool = True
    """Whether it is in the order of ``rid``, so that a piece of it can be had."""


class Lead(msgspec.Struct, frozen=True):
    """Stretches that together hold every run for which something may be true."""

    entries: tuple[Entries, ...]
    proof: bool = True
    """Whether it is true for each of them."""
    ranged: Field | None = None
    """The field of which it is a range of values."""

    @property
    def by_age(self) -> bool:
        """Whether a piece of it, by age, can be had."""
        return all(one.by_age for one in self.entries)

    @property
    def is_tested(self) -> bool:
        """Whether its entries tell by themselves whether the condition holds."""
        return all(one.tests for one in self.entries)

    @property
    def is_bare(self) -> bool:
        """Whether it is one stretch, by age, with nothing in it to be passed over."""
        return len(self.entries) == 1 and self.by_age and not self.entries[0].tests


class Demand(msgspec.Struct, frozen=True):
    """One of the things that must hold for a run, ``r``, and the leads to it, if any."""

    test: str
    leads: tuple[Lead, ...] = ()


def leads_of(expression: Expression, bindings: Bindings) -> list[Lead]:
    """The leads to the runs for which an expression holds, the most promising first."""
    match expression:
        case And(operands):
            in_turn = sorted(operands, key=lambda one: not _is_equality(one))
            found = [lead for one in in_turn for lead in leads_of(one, bindings)]
            return [replace(lead, proof=False) for lead in found]
        case Or(operands):
            return _united([leads_of(one, bindings) for one in operands])
        case Not(operand):
            turned = _turned(operand)
            return [] if turned is None else leads_of(turned, bindings)
        case NullTest(field, negated):
            return _null_leads(field, negated, bindings)
        case Comparison(field) | InList(field):
            if field.kind is FieldKind.COLUMN:
                return _column_leads(field, expression, bindings)
            if field.kind is FieldKind.METRIC:
                return _metric_leads(field, expression, bindings)
            return _label_leads(field, expression, bindings)


def presence(field: Field, bindings: Bindings, tests: str = "") -> Lead:
    """The runs that have a label or a metric, by age."""
    is_metric = field.kind is FieldKind.METRIC
    table, index = ("series", "series_name") if is_metric else ("labels", "labels_key")
    return Lead((Entries(table, index, entries_of(field, bindings), tests),))


def entries_of(field: Field, bindings: Bindings) -> str:
    """The entries of a label or a metric, in any index of its table."""
    name = bindings.add(field.name)
    if field.kind is FieldKind.METRIC:
        return f"d.name = {name} and d.col = ''"
    return f"d.kind = {bindings.add(LABEL_KINDS[field.kind])} and d.key = {name}"


def _is_equality(expression: Expression) -> bool:
    return isinstance(expression, Comparison) and expression.operator is Operator.EQUAL


def _united(alternatives: Sequence[Sequence[Lead]]) -> list[Lead]:
    """One lead made of the first of each; none where an alternative has none."""
    firsts = [leads[0] for leads in alternatives if leads]
    entries = tuple(one for lead in firsts for one in lead.entries)
    if len(firsts) < len(alternatives) or not 0 < len(entries) <= _MOST_ENTRIES:
        return []
    return [Lead(entries, proof=all(lead.proof for lead in firsts))]


def _turned(expression: Expression) -> Expression | None:
    """The opposite of an expression without ``not``; None where there is none.

    The opposite of a test holds for runs without the field too, which no index has, unless every
    run has it, as with the status.
    """
    match expression:
        case Not(operand):
            return operand
        case And(operands):
            return Or(tuple(Not(one) for one in operands))
        case Or(operands):
            return And(tuple(Not(one) for one in operands))
        case NullTest(field, negated):
            return NullTest(field, not negated)
        case Comparison(field, operator, value) if field == _STATUS:
            equal = operator is Operator.EQUAL
            return Comparison(field, Operator.NOT_EQUAL if equal else Operator.EQUAL, value)
        case InList(field, values, negated) if field == _STATUS:
            return InList(field, values, not negated)
        case _:
            return None


def _null_leads(field: Field, negated: bool, bindings: Bindings) -> list[Lead]:
    if field.kind is not FieldKind.COLUMN:
        tests = entry_has_value(field, "d")
        return [presence(field, bindings, tests)] if negated else []
    if negated:
        return []
    if field.name == "ended":
        return [Lead((Entries("runs", "runs_live", "d.ended_at is null"),))]
    if field.name == "parent":
        return [Lead((Entries("runs", "runs_family", "d.parent_id is null"),))]
    return []


def with_ranges_joined(demands: Sequence[Demand]) -> list[Demand]:
    """From below and from above the same field, one stretch with two ends."""
    ranges: dict[Field, list[Lead]] = {}
    for lead in (lead for demand in demands for lead in demand.leads):
        if lead.ranged is not None:
            ranges.setdefault(lead.ranged, []).append(lead)
    return [
        replace(demand, leads=tuple(_joined(lead, ranges) for lead in demand.leads))
        for demand in demands
    ]


def _joined(lead: Lead, ranges: Mapping[Field, Sequence[Lead]]) -> Lead:
    if lead.ranged is None:
        return lead
    bounds = " and ".join(other.entries[0].bounds for other in ranges[lead.ranged])
    return replace(lead, entries=(replace(lead.entries[0], bounds=bounds),))


def narrowed(lead: Lead, experiment: str) -> Lead:
    """The same within one experiment, where an index is kept for that."""
    if any(one.index != "runs_state" for one in lead.entries):
        return lead
    inside = f"d.experiment_id = {experiment} and "
    entries = (
        replace(one, index="runs_status", bounds=inside + one.bounds) for one in lead.entries
    )
    return replace(lead, entries=tuple(entries))


# ---------------------------------------------------------------------- columns


def _column_leads(field: Field, test: Comparison | InList, bindings: Bindings) -> list[Lead]:
    if field.name == "experiment":
        return _experiment_leads(test, bindings)
    if field.name not in _COLUMNS:
        return []
    index, key = _COLUMNS[field.name]
    values = _statuses(test) if field == _STATUS else _equal_to(test)
    if values is not None:
        return _one_of(
            Entries("runs", index, f"{key} = {bindings.add(bound(value))}") for value in values
        )
    bounds = _range(key, test, bindings)
    if bounds is None:
        return []
    exact = isinstance(test, Comparison) and test.operator in _RANGES
    return [Lead((Entries("runs", index, bounds, by_age=False),), exact, ranged=field)]


def _experiment_leads(test: Comparison | InList, bindings: Bindings) -> list[Lead]:
    """By name, which an archived experiment may share."""
    return _one_of(
        Entries(
            "runs",
            "runs_all",
            "d.experiment_id in (select e.id from experiments e "
            f"where e.name = {bindings.add(bound(name))})",
        )
        for name in _equal_to(test) or ()
    )


def _statuses(test: Comparison | InList) -> tuple[Literal, ...]:
    """Every run has one of the statuses, so that ``!=`` means any of the others."""
    values = test.values if isinstance(test, InList) else (test.value,)
    negative = test.negated if isinstance(test, InList) else test.operator is Operator.NOT_EQUAL
    return tuple(status for status in Status if (status not in values) == negative)


# ---------------------------------------------------------------------- labels


def _label_leads(field: Field, test: Comparison | InList, bindings: Bindings) -> list[Lead]:
    values = _equal_to(test)
    if values is not None:
        return _one_of(_label_equal(field, str(value), bindings) for value in values)
    tests = entry_test(test, "d", bindings)
    found: list[Lead] = []
    bounds = _range(f"substr(d.value, 1, {INDEXED_CHARS})", test, bindings, cut=INDEXED_CHARS)
    if bounds is not None:
        bounds = f"{entries_of(field, bindings)} and {bounds}"
        entries = Entries("labels", "labels_value", bounds, tests, by_age=False)
        found.append(Lead((entries,), ranged=field))
    return [*found, presence(field, bindings, tests)]


def _label_equal(field: Field, value: str, bindings: Bindings) -> Entries:
    key = f"substr(d.value, 1, {INDEXED_CHARS}) = {bindings.add(value[:INDEXED_CHARS])}"
    tests = "" if len(value) < INDEXED_CHARS else f"d.value = {bindings.add(value)}"
    return Entries("labels", "labels_value", f"{entries_of(field, bindings)} and {key}", tests)


# ---------------------------------------------------------------------- metrics


def _metric_leads(field: Field, test: Comparison | InList, bindings: Bindings) -> list[Lead]:
    tests = entry_test(test, "d", bindings)
    last = presence(field, bindings, tests)
    values = _equal_to(test)
    if values is not None:
        entries = [_metric_equal(field, value, bindings) for value in values]
        exact = _one_of(one for one in entries if one is not None)
        return [*exact, last] if all(entries) else [last]
    ranged = _metric_range(field, test, bindings)
    return [last] if ranged is None else [ranged, last]


def metric_equal(field: Field, number: Value, bindings: Bindings) -> Entries | None:
    """The runs whose metric has this number, by age; None where no index has it."""
    aggregate = field.aggregate or Aggregate.LAST
    if aggregate not in METRIC_INDEXES:
        return None
    key = f"d.{AGGREGATES[aggregate]} = {bindings.add(number)}"
    return Entries("series", METRIC_INDEXES[aggregate], f"{entries_of(field, bindings)} and {key}")


def _metric_equal(field: Field, value: Literal, bindings: Bindings) -> Entries | None:
    is_last = field.aggregate in {None, Aggregate.LAST}
    if is_last and (isinstance(value, str) or is_nan(value)):
        text = value if isinstance(value, str) else NAN
        key = f"substr(d.last_text, 1, {INDEXED_CHARS}) = {bindings.add(text[:INDEXED_CHARS])}"
        tests = "" if len(text) < INDEXED_CHARS else f"d.last_text = {bindings.add(text)}"
        bounds = f"{entries_of(field, bindings)} and d.last_text is not null and {key}"
        return Entries("series", "series_text", bounds, tests)
    if isinstance(value, str) or is_nan(value):
        return None
    return metric_equal(field, bound(value), bindings)


def _metric_range(field: Field, test: Comparison | InList, bindings: Bindings) -> Lead | None:
    aggregate = field.aggregate or Aggregate.LAST
    if (
        aggregate not in METRIC_INDEXES
        or not isinstance(test, Comparison)
        or isinstance(test.value, str)
    ):
        return None
    bounds = _range(f"d.{AGGREGATES[aggregate]}", test, bindings)
    if bounds is None:
        return None
    index, bounds = METRIC_INDEXES[aggregate], f"{entries_of(field, bindings)} and {bounds}"
    return Lead((Entries("series", index, bounds, by_age=False),), ranged=field)


# ---------------------------------------------------------------------- values


def _one_of(alternatives: Iterable[Entries]) -> list[Lead]:
    entries = tuple(alternatives)
    return [Lead(entries)] if 0 < len(entries) <= _MOST_ENTRIES else []


def _equal_to(test: Comparison | InList) -> tuple[Literal, ...] | None:
    """The values of which the field has one; None where that is not what is asked."""
    if isinstance(test, InList):
        return None if test.negated else tuple(dict.fromkeys(test.values))
    return (test.value,) if test.operator is Operator.EQUAL else None


def _range(
    key: str, test: Comparison | InList, bindings: Bindings, *, cut: int | None = None
) -> str | None:
    """Bounds that hold at least for what the test holds for; None where there are none.

    Args:
        key: What the index is sorted by.
        test: What is asked.
        bindings: Take the values.
        cut: So many characters of a text are in the index; None for all.
    """
    if not isinstance(test, Comparison) or is_nan(test.value):
        return None
    if test.operator is Operator.LIKE:
        return _prefix_range(key, str(test.value), bindings, cut)
    if test.operator not in _RANGES:
        return None
    if cut is None:
        return f"{key} {test.operator.value} {bindings.add(bound(test.value))}"
    side = "<=" if test.operator in {Operator.LESS, Operator.LESS_OR_EQUAL} else ">="
    return f"{key} {side} {bindings.add(str(test.value)[:cut])}"


def _prefix_range(key: str, pattern: str, bindings: Bindings, cut: int | None) -> str | None:
    """What begins as the pattern does before its first wildcard."""
    beginning = pattern.split("%")[0].split("_")[0][:cut]
    if not beginning:
        return None
    bounds = f"{key} >= {bindings.add(beginning)}"
    end = _beyond(beginning)
    return bounds if end is None else f"{bounds} and {key} < {bindings.add(end)}"


def _beyond(beginning: str) -> str | None:
    """The first text after all that begin so, by code points; None where there is none."""
    for length in range(len(beginning), 0, -1):
        following = ord(beginning[length - 1]) + 1
        if following in _SURROGATES:
            following = _SURROGATES.stop
        if following <= _LAST_CODE_POINT:
            return beginning[: length - 1] + chr(following)
    return None
