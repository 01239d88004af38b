"""Numbers of a filter in the type of the columns that they are compared with.

Where the types differ PostgreSQL compares as floats, which is not exact beyond 2**53, and uses no
index. So an integer that is compared with floats becomes a float, the other way round as well, and
where there is no equal number the test becomes one with the next number that there is.
"""

import math
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
from headway.store.base import INTEGERS

_BELOW: Final = {Operator.LESS, Operator.LESS_OR_EQUAL}
_DURATION: Final = Field(FieldKind.COLUMN, "duration")
_NUMBER: Final = Field(FieldKind.COLUMN, "number")


def exact(expression: Expression) -> Expression:
    """The same, with numbers of the right type."""
    match expression:
        case And(operands):
            return And(tuple(exact(one) for one in operands))
        case Or(operands):
            return Or(tuple(exact(one) for one in operands))
        case Not(operand):
            return Not(exact(operand))
        case Comparison(field):
            return _comparison(expression) if _is_numeric(field) else expression
        case InList(field):
            return _in_list(expression) if _is_numeric(field) else expression
        case NullTest():
            return expression


def _is_numeric(field: Field) -> bool:
    return field.kind is FieldKind.METRIC or field in {_DURATION, _NUMBER}


def _holds_integers(field: Field) -> bool:
    return field == _NUMBER or field.aggregate is Aggregate.COUNT


def _equal(field: Field, value: Literal) -> Literal | None:
    """The same value in the field's type; None where no value of the field is equal to it."""
    if isinstance(value, str | bool) or value != value:
        return value
    if not _holds_integers(field):
        return float(value) if float(value) == value else None
    if isinstance(value, float) and not value.is_integer():
        return None
    return int(value) if int(value) in INTEGERS else None


def _comparison(test: Comparison) -> Expression:
    field, value = test.field, _equal(test.field, test.value)
    if value is not None or isinstance(test.value, str):
        return Comparison(field, test.operator, test.value if value is None else value)
    if test.operator is Operator.EQUAL:
        return _never(field)
    if test.operator is Operator.NOT_EQUAL:
        return NullTest(field, negated=True)
    below = test.operator in _BELOW
    if _holds_integers(field):
        return _beside_integers(field, test.value, below=below)
    return _beside_floats(field, test.value, below=below)


def _in_list(test: InList) -> Expression:
    values = [_equal(test.field, value) for value in test.values]
    known = tuple(value for value in values if value is not None)
    if known:
        return InList(test.field, known, test.negated)
    return NullTest(test.field, negated=True) if test.negated else _never(test.field)


def _beside_floats(field: Field, value: float, *, below: bool) -> Expression:
    """A range that ends at an integer between two floats, by the nearer one of these."""
    number = float(value)
    if below:
        return Comparison(
            field, Operator.LESS_OR_EQUAL if number < value else Operator.LESS, number
        )
    return Comparison(
        field, Operator.GREATER_OR_EQUAL if number > value else Operator.GREATER, number
    )


def _beside_integers(field: Field, value: float, *, below: bool) -> Expression:
    """A range that ends between two integers, or beyond all that can be stored."""
    if not INTEGERS.start <= value < INTEGERS.stop:
        everything = below == (value > 0)
        return NullTest(field, negated=True) if everything else _never(field)
    if below:
        return Comparison(field, Operator.LESS_OR_EQUAL, math.floor(value))
    return Comparison(field, Operator.GREATER_OR_EQUAL, math.ceil(value))


def _never(field: Field) -> Comparison:
    """What no number is."""
    least = INTEGERS.start if _holds_integers(field) else -math.inf
    return Comparison(field, Operator.LESS, least)
