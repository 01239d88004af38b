"""Filters and orders as the filter language describes them, in plain Python over runs in memory.

Slow, and short enough to be read: what a database finds is compared with this.
"""

import math
import operator
import re
from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any, Final

import msgspec

from headway.filters import (
    Aggregate,
    And,
    Comparison,
    Expression,
    Field,
    FieldKind,
    InList,
    Not,
    NullTest,
    Operator,
    Or,
    Order,
)
from headway.model import Run, RunQuery, SeriesSummary

_COMPARED: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQUAL: operator.eq,
    Operator.LESS: operator.lt,
    Operator.LESS_OR_EQUAL: operator.le,
    Operator.GREATER: operator.gt,
    Operator.GREATER_OR_EQUAL: operator.ge,
}
_ATTRIBUTES: Final = {
    "experiment": "experiment_name",
    "created": "created_at",
    "started": "started_at",
    "ended": "ended_at",
    "parent": "parent_id",
}


class LoggedRun(msgspec.Struct, frozen=True):
    """A run and what it logged, by name."""

    run: Run
    metrics: dict[str, SeriesSummary]


def find(
    runs: Sequence[LoggedRun],
    query: RunQuery,
    expression: Expression | None,
    orders: Sequence[Order],
    now: int,
) -> list[str]:
    """The ids of the runs that a query means, in order.

    Args:
        runs: All there are, oldest first.
        query: Of which the experiment, the children, the tags and the statuses count.
        expression: What must hold.
        orders: By what to sort.
        now: The time for durations, in microseconds.
    """
    found = [
        one
        for one in reversed(runs)
        if _in_scope(one.run, query) and (expression is None or holds(expression, one, now))
    ]
    for order in reversed(orders):
        if order.field == Field(FieldKind.COLUMN, "created"):
            age = {id(one): number for number, one in enumerate(runs)}
            found.sort(key=lambda one: age[id(one)], reverse=order.descending)
        else:
            found.sort(key=cmp_to_key(_by(order, now)))
    return [one.run.id for one in found]


def holds(expression: Expression, run: LoggedRun, now: int) -> bool:
    """Whether an expression holds for a run."""
    match expression:
        case And(operands):
            return all(holds(one, run, now) for one in operands)
        case Or(operands):
            return any(holds(one, run, now) for one in operands)
        case Not(operand):
            return not holds(operand, run, now)
        case NullTest(field, negated):
            return (_value(field, run, now) is not None) == negated
        case Comparison(field, how, literal):
            value = _value(field, run, now)
            return value is not None and _compares(value, how, literal)
        case InList(field, values, negated):
            value = _value(field, run, now)
            among = any(_compares(value, Operator.EQUAL, literal) for literal in values)
            return value is not None and among != negated


def _in_scope(run: Run, query: RunQuery) -> bool:
    return (
        (query.include_children or run.parent_id is None)
        and query.experiment_id in {None, run.experiment_id}
        and (not query.statuses or run.status in query.statuses)
        and all(key in run.tags and run.tags[key] == query.tags[key] for key in query.tags)
        and all(key in run.tags for key in query.has_tags)
    )


def _value(field: Field, one: LoggedRun, now: int) -> Any:  # noqa: ANN401  whatever it holds
    if field.kind is FieldKind.TAG:
        return one.run.tags.get(field.name)
    if field.kind is FieldKind.PROPERTY:
        return one.run.properties.get(field.name)
    if field.kind is FieldKind.METRIC:
        return _of_metric(field, one.metrics.get(field.name))
    if field.name == "duration":
        started, ended = one.run.started_at, one.run.ended_at
        return None if started is None else ((now if ended is None else ended) - started) / 1e6
    return getattr(one.run, _ATTRIBUTES.get(field.name, field.name))


def _of_metric(field: Field, summary: SeriesSummary | None) -> Any:  # noqa: ANN401  as above
    if summary is None:
        return None
    if field.aggregate is Aggregate.MIN:
        return summary.minimum
    if field.aggregate is Aggregate.MAX:
        return summary.maximum
    if field.aggregate is Aggregate.COUNT:
        return summary.count
    return float(summary.last) if isinstance(summary.last, int) else summary.last


def _compares(value: Any, how: Operator, literal: Any) -> bool:  # noqa: ANN401  as above
    if how is Operator.NOT_EQUAL:
        return not _compares(value, Operator.EQUAL, literal)
    if how is Operator.NOT_LIKE:
        return not _compares(value, Operator.LIKE, literal)
    if isinstance(value, str) != isinstance(literal, str):
        return False
    if how is Operator.LIKE:
        return bool(re.fullmatch(_regular_expression(literal), value, re.DOTALL))
    if _is_nan(value) and _is_nan(literal):
        return how is Operator.EQUAL
    return _COMPARED[how](value, literal)


def _regular_expression(pattern: str) -> str:
    words = {"%": ".*", "_": "."}
    return "".join(words.get(character, re.escape(character)) for character in pattern)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _by(order: Order, now: int) -> Callable[[LoggedRun, LoggedRun], int]:
    """Compares as ``order`` says; what has no place in an order of numbers comes last."""

    def key(one: LoggedRun) -> Any:  # noqa: ANN401  whatever it sorts by
        value = _value(order.field, one, now)
        unordered = order.field.kind is FieldKind.METRIC and isinstance(value, str)
        return None if unordered or _is_nan(value) else value

    def compare(left: LoggedRun, right: LoggedRun) -> int:
        a, b = key(left), key(right)
        if a is None or b is None:
            return (a is None) - (b is None)
        sign = (a > b) - (a < b)
        return -sign if order.descending else sign

    return compare
