"""Numbers of a filter in the type of their columns: nothing else is found than before."""

import math

from hypothesis import given
from hypothesis import strategies as st

from headway.filters import (
    Aggregate,
    Comparison,
    Expression,
    Field,
    FieldKind,
    InList,
    Not,
    Operator,
    Or,
)
from headway.model import Run, SeriesSummary, Status
from headway.store.exact import exact
from headway.testing.naive_search import LoggedRun, holds


def near_a_power(power: int, near: int) -> int:
    return 2**power + near


def after(number: int) -> float:
    return math.nextafter(number, math.inf)


INTEGERS = st.one_of(
    st.integers(-3, 3),
    st.integers(-(2**63), 2**63 - 1),
    st.builds(near_a_power, st.integers(52, 62), st.integers(-2, 2)),
)
NUMBERS = st.one_of(
    INTEGERS,
    st.floats(),
    st.floats(-3, 3),
    st.booleans(),
    INTEGERS.map(float),
    INTEGERS.map(after),
)
FIELDS = st.one_of(
    st.just(Field(FieldKind.COLUMN, "number")),
    st.just(Field(FieldKind.COLUMN, "duration")),
    st.sampled_from(Aggregate).map(lambda one: Field(FieldKind.METRIC, "m", one)),
)
OPERATORS = [one for one in Operator if one not in {Operator.LIKE, Operator.NOT_LIKE}]
TESTS = st.one_of(
    st.builds(Comparison, FIELDS, st.sampled_from(OPERATORS), NUMBERS),
    st.builds(InList, FIELDS, st.lists(NUMBERS, min_size=1, max_size=3).map(tuple), st.booleans()),
)


@st.composite
def runs(draw: st.DrawFn) -> LoggedRun:
    """A run that has numbers, or lacks them."""
    run = Run(
        id="r",
        experiment_id="e",
        experiment_name="e",
        number=draw(INTEGERS),
        name="r",
        status=Status.RUNNING,
        created_at=0,
        started_at=draw(st.none() | st.integers(0, 2**50)),
    )
    number = st.floats(allow_nan=False) | INTEGERS.map(float)
    summary = SeriesSummary(
        run_id="r",
        name="m",
        count=draw(INTEGERS),
        last=draw(st.one_of(st.none(), number, st.just(math.nan), st.just("text"))),
        minimum=draw(st.none() | number),
        maximum=draw(st.none() | number),
    )
    return LoggedRun(run, {"m": summary} if draw(st.booleans()) else {})


@given(runs(), TESTS | TESTS.map(Not) | st.tuples(TESTS, TESTS).map(Or))
def test_the_same_runs_are_found(run: LoggedRun, expression: Expression) -> None:
    assert holds(exact(expression), run, 2**51) == holds(expression, run, 2**51)


@given(TESTS)
def test_what_is_compared_is_of_the_columns_type(test: Comparison | InList) -> None:
    made = exact(test)
    if isinstance(made, Comparison | InList):
        values = made.values if isinstance(made, InList) else (made.value,)
        integer = made.field.name == "number" or made.field.aggregate is Aggregate.COUNT
        for value in values:
            is_odd = isinstance(value, bool) or value != value
            assert is_odd or type(value) is (int if integer else float)
