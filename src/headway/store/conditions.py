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
from headway.store.base import Dialect, Value

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
    "duration": """((coalesce(r.ended_at, {now}) - r.started_at)
        / cast(1000000 as double precision))""",
    "parent": "r.parent_id",
    "host": "r.host",
    "created_by": "r.created_by",
}
AGGREGATES: Final = {
    Aggregate.LAST: "last_number",
    Aggregate.MIN: "minimum",
    Aggregate.MAX: "maximum",
    Aggregate.COUNT: "count",
}
NAN: Final = "NaN"
"""What ``series.last_text`` holds for NaN, which the databases do not agree on."""


class Bindings:
    """Values on their way into a statement, each under a name made for it."""

    def __init__(self, now: int, dialect: Dialect) -> None:
        self.values: dict[str, Value] = {}
        self.dialect = dialect
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
        case Comparison(field) | InList(field):
            return _on_field(field, expression, bindings)
        case NullTest(field, negated):
            return _null_test(field, negated, bindings)


def sort_key(field: Field, bindings: Bindings) -> str:
    """The expression by which a field sorts; null where a run lacks it."""
    if field.kind is FieldKind.COLUMN:
        return bindings.column(field.name)
    column = "value" if field.kind in LABEL_KINDS else AGGREGATES[field.aggregate or Aggregate.LAST]
    return f"(select s.{column} from {row_of(field, bindings)})"


def row_of(field: Field, bindings: Bindings) -> str:
    """The one row of a run ``r``, as ``s``, that holds a label or a metric."""
    name = bindings.add(field.name)
    if field.kind is FieldKind.METRIC:
        table = f"series s{bindings.dialect.indexed_by.format('series_name')}"
        return f"{table} where s.rid = r.rid and s.name = {name} and s.col = ''"
    kind = bindings.add(LABEL_KINDS[field.kind])
    table = f"labels s{bindings.dialect.indexed_by.format('labels_key')}"
    return f"{table} where s.rid = r.rid and s.kind = {kind} and s.key = {name}"


def entry_test(test: Comparison | InList, alias: str, bindings: Bindings) -> str:
    """The condition on one row of ``labels`` or ``series``, the one that holds the field."""
    field = test.field
    comparing = _Comparing(test)
    if field.kind in LABEL_KINDS:
        return comparing.plain(f"{alias}.value", bindings)
    aggregate = field.aggregate or Aggregate.LAST
    if aggregate is Aggregate.LAST:
        tests = comparing.last_value(alias, bindings)
        return f"{entry_has_value(field, alias)} and {tests}" if comparing.negative else tests
    return comparing.plain(f"{alias}.{AGGREGATES[aggregate]}", bindings)


def entry_has_value(field: Field, alias: str) -> str:
    """The condition on one row of ``labels`` or ``series`` under which the run has the field."""
    if field.kind in LABEL_KINDS:
        return f"{alias}.value is not null"
    aggregate = field.aggregate or Aggregate.LAST
    if aggregate is Aggregate.LAST:
        return f"({alias}.last_number is not null or {alias}.last_text is not null)"
    return f"{alias}.{AGGREGATES[aggregate]} is not null"


def bound(value: Literal) -> Value:
    """Booleans compare as 0 and 1."""
    return int(value) if isinstance(value, bool) else value


def is_nan(value: Literal) -> bool:
    """Whether a literal is NaN, which equals itself and has no place among the numbers."""
    return isinstance(value, float) and math.isnan(value)


class _Comparing:
    """One operator and the values that it holds for: all of them where it is negative, else any."""

    def __init__(self, test: Comparison | InList) -> None:
        if isinstance(test, Comparison):
            self._operator, self._values = test.operator, (test.value,)
        else:
            self._operator = Operator.NOT_EQUAL if test.negated else Operator.EQUAL
            self._values = test.values
        self.negative = self._operator in {Operator.NOT_EQUAL, Operator.NOT_LIKE}

    def plain(self, expression: str, bindings: Bindings) -> str:
        """Compare an ordinary expression, which is never NaN."""
        return self._joined(self._one(expression, value, bindings) for value in self._values)

    def last_value(self, alias: str, bindings: Bindings) -> str:
        """Compare the last value of a metric, which may be a number, a text or NaN."""
        return self._joined(self._one_last(alias, value, bindings) for value in self._values)

    def _one(self, expression: str, value: Literal, bindings: Bindings) -> str:
        if is_nan(value):
            return f"{expression} is not null" if self.negative else _NEVER
        return self._test(expression, value, bindings)

    def _one_last(self, alias: str, value: Literal, bindings: Bindings) -> str:
        number, text = f"{alias}.last_number", f"{alias}.last_text"
        if is_nan(value):
            if self._operator not in {Operator.EQUAL, Operator.NOT_EQUAL}:
                return _NEVER
            column, value = text, NAN
        else:
            column = text if isinstance(value, str) else number
        test = self._test(column, value, bindings)
        if column is text and self._operator not in {Operator.EQUAL, Operator.NOT_EQUAL}:
            # What stands for NaN is no text.
            nan = bindings.add(NAN)
            test = (
                f"({text} = {nan} or {test})" if self.negative else f"({text} <> {nan} and {test})"
            )
        return f"({column} is null or {test})" if self.negative else test

    def _test(self, expression: str, value: Literal, bindings: Bindings) -> str:
        words = bindings.dialect
        if self._operator in {Operator.LIKE, Operator.NOT_LIKE}:
            word = f"not {words.like}" if self.negative else words.like
            return f"{expression} {word} {bindings.add(words.pattern(str(value)))}"
        word = "<>" if self._operator is Operator.NOT_EQUAL else self._operator.value
        return f"{expression} {word} {bindings.add(bound(value))}"

    def _joined(self, tests: Iterable[str]) -> str:
        return "(" + (" and " if self.negative else " or ").join(tests) + ")"


_NEVER: Final = "1 = 0"


def _on_field(field: Field, test: Comparison | InList, bindings: Bindings) -> str:
    if field.kind is FieldKind.COLUMN:
        return _Comparing(test).plain(bindings.column(field.name), bindings)
    source = row_of(field, bindings)
    return f"exists (select 1 from {source} and {entry_test(test, 's', bindings)})"


def _null_test(field: Field, negated: bool, bindings: Bindings) -> str:
    if field.kind is FieldKind.COLUMN:
        return f"{bindings.column(field.name)} is {'not ' if negated else ''}null"
    source = row_of(field, bindings)
    found = f"exists (select 1 from {source} and {entry_has_value(field, 's')})"
    return found if negated else f"not {found}"
