"""A tree back to text that reads as the same tree."""

import re
from typing import Final

from headway.filters.tree import (
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
    Or,
    ValueType,
)
from headway.filters.values import write_instant

_PLAIN_KEY: Final = re.compile(r"\w[\w.\-/:@]*")


def render(expression: Expression) -> str:
    """The expression as text; ``parse_filter`` reads it as an equal tree."""
    match expression:
        case Comparison(field, operator, value):
            return f"{_field(field)} {operator} {_literal(field, value)}"
        case InList(field, values, negated):
            listed = ", ".join(_literal(field, value) for value in values)
            return f"{_field(field)} {'not in' if negated else 'in'} ({listed})"
        case NullTest(field, negated):
            return f"{_field(field)} is {'not null' if negated else 'null'}"
        case Not(operand):
            return f"not {_operand(operand)}"
        case And(operands):
            return " and ".join(_operand(operand) for operand in operands)
        case Or(operands):
            return " or ".join(_operand(operand) for operand in operands)


def _operand(expression: Expression) -> str:
    text = render(expression)
    return f"({text})" if isinstance(expression, And | Or) else text


def _field(field: Field) -> str:
    if field.kind is FieldKind.COLUMN:
        return field.name
    plain = _PLAIN_KEY.fullmatch(field.name)
    key = field.name if plain else '"' + field.name.replace('"', '""') + '"'
    path = f"{field.kind}.{key}"
    return path if field.aggregate in {None, Aggregate.LAST} else f"{field.aggregate}({path})"


def _literal(field: Field, value: Literal) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and field.value_type is ValueType.TIME:
        return f"'{write_instant(value)}'"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + value.replace("'", "''") + "'"
