"""The filter language: ``status = 'Failed' and metrics.loss < 0.1`` as a small typed tree.

    expression  = term { "or" term }
    term        = factor { "and" factor }
    factor      = "not" factor | "(" expression ")" | test
    test        = field ( "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" ) value
                | field [ "not" ] "like" text
                | field [ "not" ] "in" "(" value { "," value } ")"
                | field "is" [ "not" ] "null"
    field       = column | "metrics." key | "tags." key | "properties." key
                | ( "last" | "min" | "max" | "count" ) "(" "metrics." key ")"
    value       = number | text | "true" | "false"
    order       = field [ "asc" | "desc" ] { "," field [ "asc" | "desc" ] }

Words are read in any case. Text stands in single or double quotes, a quote within it is doubled.
A key of other characters than letters, digits and ``_ - . / : @`` stands in double quotes or
backticks: ``tags."worth another look"``. ``like`` takes ``%`` for any text and ``_`` for one
character; upper and lower case differ.

What a test means where a run lacks the field is two-valued: only ``is null`` holds, everything
else (``!=``, ``not in`` and ``not like`` too) does not; ``not`` turns that round. NaN equals NaN
and is neither smaller nor larger than anything.

Times are compared with ``'2026-11-01'``, ``'2026-11-01T10:00:00+01:00'`` (UTC where no offset is
given), ``'7 days ago'`` or ``'now'``; durations with seconds or ``'2 hours'``.
"""

from headway.filters.parser import parse_filter, parse_order
from headway.filters.render import render
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
    Operator,
    Or,
    Order,
    fields_of,
)

__all__ = [
    "Aggregate",
    "And",
    "Comparison",
    "Expression",
    "Field",
    "FieldKind",
    "InList",
    "Literal",
    "Not",
    "NullTest",
    "Operator",
    "Or",
    "Order",
    "fields_of",
    "parse_filter",
    "parse_order",
    "render",
]
