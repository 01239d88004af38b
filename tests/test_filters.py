import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import FilterError
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
    Order,
    parse_filter,
    parse_order,
    render,
)
from headway.filters.tree import COLUMNS, ValueType
from headway.model import Status

NOW = 1_793_000_000_000_000
SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR


def column(name: str) -> Field:
    return Field(FieldKind.COLUMN, name)


def metric(name: str, aggregate: Aggregate = Aggregate.LAST) -> Field:
    return Field(FieldKind.METRIC, name, aggregate)


def tag(name: str) -> Field:
    return Field(FieldKind.TAG, name)


def read(text: str) -> Expression:
    return parse_filter(text, now=NOW)


def refusal(text: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        read(text)
    return caught.value


def micros(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * SECOND  # pyright: ignore[reportArgumentType]


# ---------------------------------------------------------------- what is read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = 'a'", Comparison(column("name"), Operator.EQUAL, "a")),
        ("name == 'a'", Comparison(column("name"), Operator.EQUAL, "a")),
        ('name != "a"', Comparison(column("name"), Operator.NOT_EQUAL, "a")),
        ("NAME LIKE 'a%'", Comparison(column("name"), Operator.LIKE, "a%")),
        ("name Not Like 'a_'", Comparison(column("name"), Operator.NOT_LIKE, "a_")),
        ("number>=3", Comparison(column("number"), Operator.GREATER_OR_EQUAL, 3)),
        ("created_by = 'ann'", Comparison(column("created_by"), Operator.EQUAL, "ann")),
        ("parent_id is null", NullTest(column("parent"))),
        ("parent IS NOT NULL", NullTest(column("parent"), negated=True)),
        ("number in (1, 2)", InList(column("number"), (1, 2))),
        ("number not in (1)", InList(column("number"), (1,), negated=True)),
        ("duration < 1.5", Comparison(column("duration"), Operator.LESS, 1.5)),
        ("duration > '2h'", Comparison(column("duration"), Operator.GREATER, 7200.0)),
        ("duration > '1.5 Minutes'", Comparison(column("duration"), Operator.GREATER, 90.0)),
        ("metrics.x = true", Comparison(metric("x"), Operator.EQUAL, value=True)),
        ("metrics.x != 'good'", Comparison(metric("x"), Operator.NOT_EQUAL, "good")),
        ("tags.x is not null", NullTest(tag("x"), negated=True)),
        (
            "properties.git = 'f00'",
            Comparison(Field(FieldKind.PROPERTY, "git"), Operator.EQUAL, "f00"),
        ),
    ],
)
def test_each_form_of_a_test_is_read(text: str, expected: Expression) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("loss", "loss"),
        ("train/loss", "train/loss"),
        ("val.acc@5", "val.acc@5"),
        ("top-1", "top-1"),
        ("größe", "größe"),
        ('"worth another look"', "worth another look"),
        ("`worth another look`", "worth another look"),
        ('"a""b"', 'a"b'),
        ("`a``b`", "a`b"),
    ],
)
def test_keys_are_read_plain_and_quoted(written: str, name: str) -> None:
    assert read(f"metrics.{written} < 1") == Comparison(metric(name), Operator.LESS, 1)
    assert read(f"TAGS.{written} is null") == NullTest(tag(name))


@pytest.mark.parametrize("aggregate", list(Aggregate))
def test_aggregates_of_a_metric_are_read(aggregate: Aggregate) -> None:
    expected = Comparison(metric("a b", aggregate), Operator.LESS, 2)
    assert read(f'{aggregate.upper()} ( metrics."a b" ) < 2') == expected


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("+3", 3),
        ("0.5", 0.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-4", 1e-4),
        ("-1.5E+3", -1500.0),
        ("inf", math.inf),
        ("-INFINITY", -math.inf),
        ("nan", math.nan),
        ("1e999", math.inf),
        (str(2**63 - 1), 2**63 - 1),
    ],
)
def test_numbers_are_read(written: str, value: float) -> None:
    found = read(f"metrics.x<{written}")
    assert found == Comparison(metric("x"), Operator.LESS, value)
    assert isinstance(found, Comparison)
    assert type(found.value) is type(value)


@pytest.mark.parametrize(
    ("written", "value"),
    [("'it''s'", "it's"), ('"it\'s"', "it's"), ('"a""b"', 'a"b'), ("''", ""), (r"'a\'", "a\\")],
)
def test_a_quote_in_text_is_doubled(written: str, value: str) -> None:
    assert read(f"name = {written}") == Comparison(column("name"), Operator.EQUAL, value)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-11-01", micros(2026, 11, 1)),
        ("2026-11-01T10:00:00Z", micros(2026, 11, 1, 10)),
        ("2026-11-01 10:00:00", micros(2026, 11, 1, 10)),
        ("2026-11-01T10:00:00+02:00", micros(2026, 11, 1, 8)),
        ("2026-11-01T10:00:00.000001Z", micros(2026, 11, 1, 10) + 1),
        ("now", NOW),
        ("7 days ago", NOW - 7 * DAY),
        ("2h ago", NOW - 2 * HOUR),
        (" 1.5 Weeks AGO ", NOW - int(10.5 * DAY)),
    ],
)
def test_times_become_microseconds(written: str, value: int) -> None:
    for name in ("created", "started_at", "ended"):
        found = read(f"{name} >= '{written}'")
        assert isinstance(found, Comparison)
        assert found.value == value
        assert type(found.value) is int


def test_a_status_is_read_in_any_case() -> None:
    assert read("status = 'cancelrequested'") == Comparison(
        column("status"), Operator.EQUAL, Status.CANCEL_REQUESTED
    )
    assert read("status not in ('failed', 'CANCELED')") == InList(
        column("status"), (Status.FAILED, Status.CANCELED), negated=True
    )


def test_not_binds_tighter_than_and_which_binds_tighter_than_or() -> None:
    a, b, c, d = (NullTest(tag(name)) for name in "abcd")
    found = read("tags.a is null OR not tags.b is null AND tags.c is null or tags.d is null")
    assert found == Or((a, And((Not(b), c)), d))
    assert read("not (tags.a is null or tags.b is null)") == Not(Or((a, b)))


def test_an_order_is_read() -> None:
    assert parse_order('metrics.loss, max(metrics.acc) DESC, tags."a b" asc,created_at desc') == [
        Order(metric("loss")),
        Order(metric("acc", Aggregate.MAX), descending=True),
        Order(tag("a b")),
        Order(column("created"), descending=True),
    ]
    assert parse_order("  ") == []


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("text", "position", "part"),
    [
        ("", 0, "expected a column"),
        ("name", 4, "expected =, !=,"),
        ("name =", 6, "expected text in quotes for name, found the end"),
        ("name = foo", 7, "expected text in quotes"),
        ("name = 'foo", 7, "no closing '"),
        ("name = 5", 7, "expected text in quotes"),
        ("name < > 'a'", 7, "found '>'"),
        ("name = null", 7, "'is null'"),
        ("name in ('a', null)", 14, "'is null'"),
        ("name in ()", 9, "expected text in quotes"),
        ("name in ('a' 'b')", 13, "expected ',' or ')'"),
        ("name in 'a'", 8, "expected '('"),
        ("name not = 'a'", 9, "expected 'in' or 'like'"),
        ("name is 'a'", 8, "expected 'null' or 'not null'"),
        ("(name = 'a'", 11, "or ')'"),
        ("name = 'a')", 10, "expected 'and', 'or' or the end"),
        ("name = 'a' name = 'b'", 11, "expected 'and', 'or' or the end"),
        ("'a' = name", 0, "expected a column"),
        ("tags.lr = 0.1", 10, "expected text in quotes for tags.lr"),
        ('tags."" = 1', 0, "is empty"),
        ("tags. = 1", 4, "right behind the dot"),
        ("number = '5'", 9, "expected a number"),
        ("number like '5'", 7, "'like' is for text"),
        ("count(metrics.x) = 'a'", 19, "expected a number"),
        ("min(tags.x) = 1", 4, "expected a metric"),
        ("min(metrics.x = 1", 14, "expected ')'"),
        ("metrics.x like 5", 15, "expected a number, text"),
        ("metrics.x like true", 15, "expected"),
        ("status < 'Failed'", 7, "a status is compared with"),
        ("created > 5", 10, "a time in quotes"),
        ("created > 'soon'", 10, "7 days ago"),
        ("created > '999999999999 weeks ago'", 10, "no time"),
        ("created > '5 parsecs ago'", 10, "no time"),
        ("duration > 'long'", 11, "2 hours"),
        ("metrics.x = 12abc", 12, "no number"),
        (f"metrics.x = {2**63}", 12, "64 bits"),
        (f"metrics.x = {'9' * 5000}", 12, "64 bits"),
        ("name = 'a' & name = 'b'", 11, "'&' is no part"),
        ("name = 'a\0b'", 9, "cannot be part"),
        ("name = 'a\ud800'", 9, "cannot be part"),
    ],
)
def test_an_error_says_where_and_what_was_expected(text: str, position: int, part: str) -> None:
    error = refusal(text)
    assert part in error.message
    assert error.position == position
    assert f"at character {position + 1}:" in error.message


def test_the_caret_stands_below_the_place() -> None:
    message, shown, pointer = refusal("name = 'a'\nand number ! 5").message.split("\n")
    assert message.startswith("the filter cannot be read at character 23: '!'")
    assert shown == "  name = 'a' and number ! 5"
    assert shown[pointer.index("^")] == "!"


def test_a_long_text_is_shown_around_the_place() -> None:
    text = " and ".join(["tags.x is null"] * 50) + " & " + "tags.x is null and " * 50
    _, shown, pointer = refusal(text).message.split("\n")
    assert shown[pointer.index("^")] == "&"
    assert len(shown) < 100


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("status = 'cancelled'", "'Canceled'"),
        ("status = 'complete'", "'Completed'"),
        ("statu = 'Failed'", "status"),
        ("run_id = 'a'", "id"),
        ("display_name = 'a'", "name"),
        ("start_time > 'now'", "started"),
        ("metric.loss < 1", "metrics.<key>"),
        ("tag.a = 'b'", "tags.<key>"),
        ("params.lr = '1'", "properties.<key>"),
    ],
)
def test_the_nearest_name_is_suggested(text: str, hint: str) -> None:
    assert f"did you mean {hint}?" in refusal(text).message


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    message = refusal("zzzz = 1").message
    assert "did you mean" not in message
    assert "created_by" in message


@pytest.mark.parametrize("opening", ["not ", "(", "not ("])
def test_nesting_is_bounded(opening: str) -> None:
    assert "50 levels" in refusal(opening * 1500).message


def test_fifty_levels_of_parentheses_are_not_too_many() -> None:
    assert read("(" * 49 + "name = 'a'" + ")" * 49) == read("name = 'a'")
    assert "50 levels" in refusal("(" * 50 + "name = 'a'" + ")" * 50).message


def test_the_number_of_comparisons_is_bounded() -> None:
    read(" or ".join(["tags.x is null"] * 200))
    assert "at most 200" in refusal(" or ".join(["tags.x is null"] * 201)).message


def test_the_length_is_bounded() -> None:
    assert "at most 10000" in refusal("name = '" + "a" * 10_000 + "'").message


def test_something_else_than_a_string_is_refused() -> None:
    with pytest.raises(FilterError, match="give a string"):
        parse_filter(5, now=NOW)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("created up", "expected 'asc', 'desc', ','"),
        ("created,", "expected a column"),
        ("created, , name", "expected a column"),
        ("a, b", "there is no column 'a'"),
        (", ".join(["name"] * 6), "at most 5 keys"),
    ],
)
def test_an_order_that_cannot_be_read_is_refused(text: str, part: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_order(text)
    assert caught.value.message.startswith("the order cannot be read")
    assert part in caught.value.message


# ---------------------------------------------------------------- there and back

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.just(math.nan)
_VALUES: dict[ValueType, st.SearchStrategy[Literal]] = {
    ValueType.TEXT: _TEXTS,
    ValueType.STATUS: st.sampled_from(Status),
    ValueType.NUMBER: _NUMBERS,
    ValueType.DURATION: _NUMBERS,
    ValueType.TIME: st.integers(-62_135_596_800 * SECOND, 253_402_300_800 * SECOND - 1),
    ValueType.ANY: _NUMBERS | _TEXTS | st.booleans(),
}
_KEYS = _TEXTS.filter(bool)
_FIELDS = st.one_of(
    st.sampled_from(sorted(COLUMNS)).map(column),
    st.builds(metric, _KEYS, st.sampled_from(Aggregate)),
    st.builds(Field, st.sampled_from([FieldKind.TAG, FieldKind.PROPERTY]), _KEYS),
)


@st.composite
def comparisons(draw: st.DrawFn) -> Expression:
    field = draw(_FIELDS)
    holds = field.value_type
    operators = list(Operator)
    if holds is ValueType.STATUS:
        operators = [Operator.EQUAL, Operator.NOT_EQUAL]
    elif holds not in {ValueType.TEXT, ValueType.ANY}:
        operators = operators[:6]
    operator = draw(st.sampled_from(operators))
    liked = operator in {Operator.LIKE, Operator.NOT_LIKE}
    return Comparison(field, operator, draw(_TEXTS if liked else _VALUES[holds]))


@st.composite
def lists(draw: st.DrawFn) -> Expression:
    field = draw(_FIELDS)
    values = draw(st.lists(_VALUES[field.value_type], min_size=1, max_size=4))
    return InList(field, tuple(values), draw(st.booleans()))


def _joined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, inner))


_EXPRESSIONS = st.recursive(
    comparisons() | lists() | st.builds(NullTest, _FIELDS, st.booleans()), _joined, max_leaves=12
)


@given(_EXPRESSIONS)
def test_a_rendered_expression_reads_as_the_same_tree(expression: Expression) -> None:
    found = read(render(expression))
    assert found == expression
    assert repr(found) == repr(expression)  # equality does not tell 1, 1.0 and True apart


_NAMES = ["name", "status", "created", "metrics.a", "tags.", 'tags."b"', "min", "nan", "true"]
_SIGNS = ["(", ")", ",", "=", "!=", "<", "like", "not", "in", "is", "null", "and", "or"]
_SCRAPS = ["'x'", "'y", "1", "-1e5", "1e", "'2 days ago'", '"', "`", ".", "\\", "é", "\n"]
_WORDS = st.sampled_from([*_NAMES, *_SIGNS, *_SCRAPS])


@given(st.lists(_WORDS, max_size=30).map(" ".join) | st.text(max_size=50))
def test_any_text_is_read_or_refused_with_its_place(text: str) -> None:
    try:
        expression = read(text)
    except FilterError as error:
        place = error.position
    else:
        place = 0
        assert read(render(expression)) == expression
    assert 0 <= place <= len(text)
