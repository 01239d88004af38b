"""What a filter is once it is read: a tree of frozen values."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import msgspec

Literal = str | int | float | bool
"""One value. An instant is an int, in microseconds since 1970 UTC; a duration is in seconds."""


class Operator(StrEnum):
    """How a field is compared with one value."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LIKE = "like"
    NOT_LIKE = "not like"


class FieldKind(StrEnum):
    """Where a field's value comes from. The words are the prefixes of the language."""

    COLUMN = "column"
    METRIC = "metrics"
    TAG = "tags"
    PROPERTY = "properties"


class Aggregate(StrEnum):
    """Which number of a metric is meant."""

    LAST = "last"
    MIN = "min"
    MAX = "max"
    COUNT = "count"


class ValueType(StrEnum):
    """What a field holds, which decides the values and operators it takes."""

    TEXT = "text"
    STATUS = "a status"
    NUMBER = "a number"
    DURATION = "a duration"
    TIME = "a time"
    ANY = "a value of any type"


COLUMNS: Final[dict[str, ValueType]] = {
    "id": ValueType.TEXT,
    "name": ValueType.TEXT,
    "status": ValueType.STATUS,
    "experiment": ValueType.TEXT,
    "type": ValueType.TEXT,
    "target": ValueType.TEXT,
    "number": ValueType.NUMBER,
    "description": ValueType.TEXT,
    "created": ValueType.TIME,
    "started": ValueType.TIME,
    "ended": ValueType.TIME,
    "duration": ValueType.DURATION,
    "parent": ValueType.TEXT,
    "host": ValueType.TEXT,
    "created_by": ValueType.TEXT,
}

ALIASES: Final = {
    "created_at": "created",
    "started_at": "started",
    "ended_at": "ended",
    "parent_id": "parent",
}
"""The names that these columns have in ``headway.model``."""


class Field(msgspec.Struct, frozen=True):
    """The left side of a test."""

    kind: FieldKind
    name: str
    aggregate: Aggregate | None = None
    """Given for a metric, None for everything else."""

    @property
    def value_type(self) -> ValueType:
        """What it holds."""
        if self.kind is FieldKind.COLUMN:
            return COLUMNS[self.name]
        if self.kind is not FieldKind.METRIC:
            return ValueType.TEXT
        return ValueType.ANY if self.aggregate is Aggregate.LAST else ValueType.NUMBER


class Comparison(msgspec.Struct, frozen=True):
    """The field compared with one value."""

    field: Field
    operator: Operator
    value: Literal


class InList(msgspec.Struct, frozen=True):
    """The field is, or is not, one of these values."""

    field: Field
    values: tuple[Literal, ...]
    negated: bool = False


class NullTest(msgspec.Struct, frozen=True):
    """The run lacks the field, or has it."""

    field: Field
    negated: bool = False


class And(msgspec.Struct, frozen=True):
    """All of two or more."""

    operands: "tuple[Expression, ...]"


class Or(msgspec.Struct, frozen=True):
    """Any of two or more."""

    operands: "tuple[Expression, ...]"


class Not(msgspec.Struct, frozen=True):
    """The opposite."""

    operand: "Expression"


Expression = Comparison | InList | NullTest | And | Or | Not


class Order(msgspec.Struct, frozen=True):
    """One key of a sort order."""

    field: Field
    descending: bool = False


def fields_of(expression: Expression) -> Iterator[Field]:
    """Every field that an expression tests, from left to right."""
    match expression:
        case And(operands) | Or(operands):
            for operand in operands:
                yield from fields_of(operand)
        case Not(operand):
            yield from fields_of(operand)
        case Comparison(field) | InList(field) | NullTest(field):
            yield field
