"""A filter's tree as SQL over ``runs r``.

Every test is two-valued, as the filter language says: where a run lacks the field only ``is null``
holds. ``where`` treats null as false by itself; under ``not`` it has to be said (``is true``).
"""

import math
from collections.abc import Iterable
from typing import Final

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
from headway.store.base import Value

LABEL_KINDS: Final = {FieldKind.TAG: "t", FieldKind.PROPERTY: "p"}

_COLUMNS: Final = {
    "id": "r.id",
    "name": "r.name",
    "status": "r.status",
    "experiment": "(select e.name from experiments e where e.id = r.experiment_id)",
    "type": "r.type",
    "target": "r.target",
    "number": "r.number",
    "description": "r.description",
    "created": "r.created_at",
    "started": "r.started_at",
    "ended": "r.ended_at",
    "duration": "((coalesce(r.ended_at, {now}) - r.started_at) / 1000000.0)",
    "parent": "r.parent_id",
    "host": "r.host",
    "created_by": "r.created_by",
}
_AGGREGATES: Final = {
    Aggregate.LAST: "s.last_number",
    Aggregate.MIN: "s.minimum",
    Aggregate.MAX: "s.maximum",
    Aggregate.COUNT: "s.count",
}
NAN: Final = "NaN"
"""What ``series.last_text`` holds for NaN, which the databases do not agree on."""


class Bindings:
    """Values on their way into a statement, each under a name made for it."""

    def __init__(self, now: int) -> None:
        self.values: dict[str, Value] = {}
        self._now = now

    def add(self, value: Value) -> str:
        """The parameter that stands for a value."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def column(self, name: str) -> str:
        """The expression for a column of the filter language."""
        expression = _COLUMNS[name]
        return expression.format(now=self.add(self._now)) if "{now}" in expression else expression


def condition(expression: Expression, bindings: Bindings) -> str:
    """The SQL condition that holds for the runs that the expression describes."""
    match expression:
        case And(operands):
            return "(" + " and ".join(condition(one, bindings) for one in operands) + ")"
        case Or(operands):
            return "(" + " or ".join(condition(one, bindings) for one in operands) + ")"
        case Not(operand):
            return f"not ({condition(operand, bindings)} is true)"
        case Comparison(field, operator, value):
            return _on_field(field, bindings, _Comparing(operator, (value,)))
        case InList(field, values, negated):
            operator = Operator.NOT_EQUAL if negated else Operator.EQUAL
            return _on_field(field, bindings, _Comparing(operator, values))
        case NullTest(field, negated):
            return _null_test(field, negated, bindings)


def sort_key(field: Field, bindings: Bindings) -> str:
    """The expression by which a field sorts; null where a run lacks it."""
    if field.kind is FieldKind.COLUMN:
        return bindings.column(field.name)
    if field.kind is FieldKind.METRIC:
        number = _AGGREGATES[field.aggregate or Aggregate.LAST]
        return f"(select {number} from {_series(field, bindings)})"
    return f"(select l.value from {_label(field, bindings)})"


class _Comparing:
    """One operator and the values that it holds for: all of them where it is negative, else any."""

    def __init__(self, operator: Operator, values: tuple[Literal, ...]) -> None:
        self._operator = "<>" if operator is Operator.NOT_EQUAL else operator.value
        self._values = values
        self._negative = operator in {Operator.NOT_EQUAL, Operator.NOT_LIKE}

    def plain(self, expression: str, bindings: Bindings) -> str:
        """Compare an ordinary expression."""
        return self._joined(
            f"{expression} {self._operator} {bindings.add(_bound(value))}" for value in self._values
        )

    def last_value(self, bindings: Bindings) -> str:
        """Compare the last value of a metric, which may be a number, a text or NaN."""
        return self._joined(self._one_last_value(value, bindings) for value in self._values)

    def _one_last_value(self, value: Literal, bindings: Bindings) -> str:
        if isinstance(value, float) and math.isnan(value):
            column, other = "s.last_text", bindings.add(NAN)
        elif isinstance(value, str):
            column, other = "s.last_text", bindings.add(value)
        else:
            column, other = "s.last_number", bindings.add(_bound(value))
        test = f"{column} {self._operator} {other}"
        return f"({column} is null or {test})" if self._negative else test

    def _joined(self, tests: Iterable[str]) -> str:
        return "(" + (" and " if self._negative else " or ").join(tests) + ")"


def _on_field(field: Field, bindings: Bindings, comparing: _Comparing) -> str:
    if field.kind is FieldKind.COLUMN:
        return comparing.plain(bindings.column(field.name), bindings)
    if field.kind is not FieldKind.METRIC:
        return f"exists (select 1 from {_label(field, bindings)} and " + (
            comparing.plain("l.value", bindings) + ")"
        )
    aggregate = field.aggregate or Aggregate.LAST
    source = f"exists (select 1 from {_series(field, bindings)} and "
    if aggregate is Aggregate.LAST:
        return source + "s.count > 0 and " + comparing.last_value(bindings) + ")"
    return source + comparing.plain(_AGGREGATES[aggregate], bindings) + ")"


def _null_test(field: Field, negated: bool, bindings: Bindings) -> str:
    if field.kind is FieldKind.COLUMN:
        return f"{bindings.column(field.name)} is {'not ' if negated else ''}null"
    if field.kind is not FieldKind.METRIC:
        found = f"exists (select 1 from {_label(field, bindings)} and l.value is not null)"
    elif field.aggregate in {None, Aggregate.LAST}:
        has_value = "(s.last_number is not null or s.last_text is not null)"
        found = f"exists (select 1 from {_series(field, bindings)} and {has_value})"
    else:
        number = _AGGREGATES[field.aggregate or Aggregate.LAST]
        found = f"exists (select 1 from {_series(field, bindings)} and {number} is not null)"
    return found if negated else f"not {found}"


def _series(field: Field, bindings: Bindings) -> str:
    return f"series s where s.rid = r.rid and s.name = {bindings.add(field.name)} and s.col = ''"


def _label(field: Field, bindings: Bindings) -> str:
    return (
        f"labels l where l.rid = r.rid and l.kind = {bindings.add(LABEL_KINDS[field.kind])} "
        f"and l.key = {bindings.add(field.name)}"
    )


def _bound(value: Literal) -> Value:
    """Booleans compare as 0 and 1; NaN, which nothing stored equals, as an impossible text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and math.isnan(value):
        return NAN
    return value
