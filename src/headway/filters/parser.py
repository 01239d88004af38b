"""Tokens to a tree, by recursive descent over a bounded depth."""

from typing import Final, cast

from headway.errors import FilterError
from headway.filters.lexer import Kind, Token, error_at, number_value, text_value, tokenize, unquote
from headway.filters.tree import (
    ALIASES,
    COLUMNS,
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
    ValueType,
)
from headway.filters.values import (
    DURATION_FORMS,
    TIME_FORMS,
    nearest,
    read_instant,
    read_span,
    read_status,
)
from headway.model import Status

MAX_DEPTH: Final = 50
MAX_TESTS: Final = 200
MAX_ORDER_KEYS: Final = 5

_SYMBOLS: Final = {
    "==": Operator.EQUAL,
    **{o.value: o for o in Operator if not o.value[-1].isalpha()},
}
_EQUALITY: Final = {Operator.EQUAL, Operator.NOT_EQUAL}
_LIKE: Final = {Operator.LIKE, Operator.NOT_LIKE}
_PREFIXES: Final = {kind.value: kind for kind in FieldKind if kind is not FieldKind.COLUMN}
_MEANT: Final = {
    "run_id": "id",
    "run_number": "number",
    "display_name": "name",
    "run_name": "name",
    "state": "status",
    "start_time": "started",
    "end_time": "ended",
    "experiment_name": "experiment",
    "user": "created_by",
    "compute_target": "target",
    "params": "properties.<key>",
    "parameters": "properties.<key>",
}
"""What other trackers call a column of ours, where likeness of the names does not tell."""


def parse_filter(text: str, *, now: int) -> Expression:
    """Read a filter expression.

    Args:
        text: The expression; ``headway.filters`` describes the language.
        now: What relative times count from, in microseconds since 1970 UTC.

    Raises:
        FilterError: It cannot be read; the message shows where.
    """
    return _Parser(text, "filter", now).whole_filter()


def parse_order(text: str) -> list[Order]:
    """Read a sort order such as ``metrics.loss asc, created desc``; empty text gives no keys.

    Raises:
        FilterError: It cannot be read; the message shows where.
    """
    return _Parser(text, "order", 0).whole_order()


class _Parser:
    def __init__(self, text: str, subject: str, now: int) -> None:
        given = cast("object", text)
        if not isinstance(given, str):
            raise FilterError(
                f"the {subject} was given as {type(given).__name__} {given!r}: give a string"
            )
        self._text = text
        self._subject = subject
        self._now = now
        self._tokens = tokenize(text, subject)
        self._index = 0
        self._tests = 0

    # ------------------------------------------------------------ structure

    def whole_filter(self) -> Expression:
        expression = self._alternatives(1)
        if not self._at_end():
            raise self._expected("'and', 'or' or the end")
        return expression

    def whole_order(self) -> list[Order]:
        orders: list[Order] = []
        if self._at_end():
            return orders
        while True:
            if len(orders) == MAX_ORDER_KEYS:
                raise self._error(self._token, f"at most {MAX_ORDER_KEYS} keys are accepted")
            field = self._field()
            descending = self._take_word("desc")
            if not descending:
                self._take_word("asc")
            orders.append(Order(field, descending))
            if self._at_end():
                return orders
            if not self._take_symbol(","):
                raise self._expected("'asc', 'desc', ',' or the end")

    def _alternatives(self, depth: int) -> Expression:
        operands = [self._conjunction(depth)]
        while self._take_word("or"):
            operands.append(self._conjunction(depth))
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _conjunction(self, depth: int) -> Expression:
        operands = [self._factor(depth)]
        while self._take_word("and"):
            operands.append(self._factor(depth))
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _factor(self, depth: int) -> Expression:
        start = self._token
        if depth > MAX_DEPTH:
            raise self._error(
                start, f"parentheses and 'not' go deeper than the {MAX_DEPTH} levels accepted"
            )
        if self._take_word("not"):
            return Not(self._factor(depth + 1))
        if self._take_symbol("("):
            inner = self._alternatives(depth + 1)
            if not self._take_symbol(")"):
                raise self._expected("'and', 'or' or ')'")
            return inner
        self._tests += 1
        if self._tests > MAX_TESTS:
            raise self._error(start, f"at most {MAX_TESTS} comparisons are accepted")
        return self._test()

    # ------------------------------------------------------------ one test

    def _test(self) -> Expression:
        field = self._field()
        token = self._token
        if self._take_word("is"):
            negated = self._take_word("not")
            if not self._take_word("null"):
                raise self._expected("'null'" if negated else "'null' or 'not null'")
            return NullTest(field, negated)
        negated = self._take_word("not")
        if self._take_word("in"):
            return InList(field, self._list(field), negated)
        if self._take_word("like"):
            operator = Operator.NOT_LIKE if negated else Operator.LIKE
        elif negated:
            raise self._expected("'in' or 'like'")
        elif token.kind is Kind.SYMBOL and token.text in _SYMBOLS:
            operator = _SYMBOLS[token.text]
            self._index += 1
        else:
            raise self._expected("=, !=, <, <=, >, >=, 'like', 'in', 'not', 'is null'")
        self._check_operator(field, operator, token)
        return Comparison(field, operator, self._value(field, operator))

    def _check_operator(self, field: Field, operator: Operator, token: Token) -> None:
        kind = field.value_type
        if kind is ValueType.STATUS and operator not in _EQUALITY:
            raise self._error(token, "a status is compared with =, !=, 'in' or 'not in'")
        if operator in _LIKE and kind not in {ValueType.TEXT, ValueType.ANY}:
            raise self._error(token, f"'like' is for text, and {field.name} holds {kind}")

    def _list(self, field: Field) -> tuple[Literal, ...]:
        if not self._take_symbol("("):
            raise self._expected("'(' and a list such as ('a', 'b')")
        values = [self._value(field, Operator.EQUAL)]
        while self._take_symbol(","):
            values.append(self._value(field, Operator.EQUAL))
        if not self._take_symbol(")"):
            raise self._expected("',' or ')'")
        return tuple(values)

    # ------------------------------------------------------------ left side

    def _field(self) -> Field:
        token = self._next()
        if token.kind is Kind.PATH:
            return self._path(token)
        if token.kind is not Kind.WORD:
            raise self._expected("a column, metrics.<name>, tags.<key> or properties.<key>", token)
        if token.text in set(Aggregate) and self._take_symbol("("):
            return self._aggregated(Aggregate(token.text))
        name = ALIASES.get(token.text, token.text)
        if name not in COLUMNS:
            raise self._unknown_field(token, token.text)
        return Field(FieldKind.COLUMN, name)

    def _path(self, token: Token) -> Field:
        prefix, _, written = token.text.partition(".")
        kind = _PREFIXES.get(prefix.lower())
        if kind is None:
            raise self._unknown_field(token, prefix.lower())
        key = unquote(written)
        if not key:
            raise self._error(token, f"the key behind {prefix}. is empty")
        return Field(kind, key, Aggregate.LAST if kind is FieldKind.METRIC else None)

    def _aggregated(self, aggregate: Aggregate) -> Field:
        token = self._next()
        field = self._path(token) if token.kind is Kind.PATH else None
        if field is None or field.kind is not FieldKind.METRIC:
            raise self._expected(f"a metric, as in {aggregate}(metrics.loss)", token)
        if not self._take_symbol(")"):
            raise self._expected("')'")
        return Field(FieldKind.METRIC, field.name, aggregate)

    def _unknown_field(self, token: Token, word: str) -> FilterError:
        accepted = [*COLUMNS, *(f"{prefix}.<key>" for prefix in _PREFIXES)]
        written = f"{word}.<key>" if token.kind is Kind.PATH else word
        meant = _MEANT.get(word) or nearest(written, accepted)
        hint = f"; did you mean {meant}?" if meant else "."
        return self._error(
            token,
            f"there is no column {_shortened(repr(word))}{hint} Columns are {', '.join(COLUMNS)}; "
            "the rest is metrics.<name>, tags.<key> and properties.<key>",
        )

    # ------------------------------------------------------------ right side

    def _value(self, field: Field, operator: Operator) -> Literal:
        token = self._next()
        kind = field.value_type
        if token.kind is Kind.NUMBER and operator not in _LIKE:
            return self._number(token, field)
        if token.text in {"true", "false"} and kind is ValueType.ANY and operator not in _LIKE:
            return token.text == "true"
        if token.kind is not Kind.TEXT:
            raise self._no_value(token, field)
        text = text_value(token)
        if kind is ValueType.STATUS:
            return self._status(token, text)
        if kind is ValueType.TIME:
            return self._instant(token, text)
        if kind is ValueType.DURATION:
            return self._duration(token, text)
        if kind is ValueType.NUMBER:
            raise self._no_value(token, field)
        return text

    def _instant(self, token: Token, text: str) -> int:
        instant = read_instant(text, self._now)
        if instant is None:
            raise self._error(token, f"this is no time; accepted are {TIME_FORMS}")
        return instant

    def _duration(self, token: Token, text: str) -> float:
        span = read_span(text)
        if span is None:
            raise self._error(token, f"this is no duration; accepted are {DURATION_FORMS}")
        return span

    def _number(self, token: Token, field: Field) -> int | float:
        if field.value_type not in {ValueType.NUMBER, ValueType.DURATION, ValueType.ANY}:
            raise self._no_value(token, field)
        number = number_value(token)
        if number is None:
            raise self._error(
                token, "a whole number has at most 64 bits; write a larger one as 1e30"
            )
        return number

    def _status(self, token: Token, text: str) -> Status:
        status = read_status(text)
        if status is None:
            meant = nearest(text, [status.value for status in Status])
            hint = f"; did you mean '{meant}'?" if meant else "."
            raise self._error(
                token,
                f"there is no status {_shortened(repr(text))}{hint} Statuses are "
                f"{', '.join(Status)}",
            )
        return status

    def _no_value(self, token: Token, field: Field) -> FilterError:
        if token.kind is Kind.WORD and token.text == "null":
            return self._error(token, "null is no value: write 'is null' or 'is not null'")
        forms = {
            ValueType.TEXT: "text in quotes",
            ValueType.STATUS: "a status in quotes, such as 'Failed'",
            ValueType.NUMBER: "a number",
            ValueType.DURATION: DURATION_FORMS,
            ValueType.TIME: f"a time in quotes: {TIME_FORMS}",
            ValueType.ANY: "a number, text in quotes, true or false",
        }[field.value_type]
        name = field.name if field.kind is FieldKind.COLUMN else f"{field.kind}.{field.name}"
        return self._expected(f"{forms} for {name}", token)

    # ------------------------------------------------------------ tokens

    @property
    def _token(self) -> Token:
        return self._tokens[self._index]

    def _at_end(self) -> bool:
        return self._token.kind is Kind.END

    def _next(self) -> Token:
        token = self._tokens[self._index]
        if token.kind is not Kind.END:
            self._index += 1
        return token

    def _take_word(self, word: str) -> bool:
        return self._take(Kind.WORD, word)

    def _take_symbol(self, symbol: str) -> bool:
        return self._take(Kind.SYMBOL, symbol)

    def _take(self, kind: Kind, text: str) -> bool:
        found = self._token.kind is kind and self._token.text == text
        self._index += found
        return found

    def _expected(self, what: str, token: Token | None = None) -> FilterError:
        token = token or self._token
        if token.kind is Kind.END:
            found = "the end"
        else:
            found = token.text if token.kind is Kind.TEXT else repr(token.text)
        return self._error(token, f"expected {what}, found {_shortened(found)}")

    def _error(self, token: Token, problem: str) -> FilterError:
        return error_at(self._text, token.position, problem, self._subject)


def _shortened(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
