"""What every database must find; subclass ``SearchContract`` and give it a ``database`` fixture.

Random runs, filters and orders, a page at a time, against the same in plain Python.
"""

import math
import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

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
)
from headway.filters.tree import COLUMNS, ValueType
from headway.model import Experiment, NewRun, Run, RunQuery, SeriesSummary, Status
from headway.store import experiments, runs, series
from headway.store.base import Database, Transaction
from headway.store.search import Search, page
from headway.store.series import StoredSeries
from headway.testing.naive_search import LoggedRun, find

NOW: Final = 1_000_000_000
_STATUSES: Final = [Status.RUNNING, Status.COMPLETED, Status.FAILED]
_LONG: Final = "x" * 200
"""As long as what of a label is in the index."""
_SHORT: Final = ["", "a", "A", "ab", "a_b", "a*[b]?", "\U0010ffff", "NaN"]
_TEXTS: Final = [*_SHORT, _LONG[:-1], _LONG, _LONG + "a", _LONG + "b"]
_UNLIKE_NAN: Final = [text for text in _TEXTS if text != "NaN"]
"""As the last value of a metric that text stands for the number."""
_PATTERNS: Final = [*_TEXTS, "%", "_", "a%", "A%", "%b", "a_", "%[%", "x%a", _LONG + "%", "\ud7ff%"]
_NUMBERS: Final = [0, 1, 0.5, -0.0, 2**53 + 1, 2**62 + 1, 1e300, math.inf, -math.inf, math.nan]
_TIMES: Final = [0, 1_000_000, 1_500_000, 2_000_000]
_KEYS: Final = {FieldKind.TAG: ["t", "u"], FieldKind.PROPERTY: ["t"], FieldKind.METRIC: ["m", "n"]}
_RANGES: Final = [
    Operator.LESS,
    Operator.LESS_OR_EQUAL,
    Operator.GREATER,
    Operator.GREATER_OR_EQUAL,
]
_EQUALITY: Final = [Operator.EQUAL, Operator.NOT_EQUAL]
_LIKE: Final = [Operator.LIKE, Operator.NOT_LIKE]


# Each example undoes what it wrote, and the suites of two databases share nothing.
_UNDONE_EACH_TIME: Final = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]


class _Undo(Exception):  # noqa: N818  no error: it ends the transaction
    pass


class _Asked(NamedTuple):
    query: RunQuery
    expression: Expression | None
    orders: list[Order]
    first_look: int


def _pages(tx: Transaction, asked: _Asked) -> list[str]:
    seen: list[str] = []
    cursor = ""
    while True:
        query = replace(asked.query, order_by=str(asked.orders), cursor=cursor)
        search = Search(query, asked.expression, asked.orders, NOW)
        found = page(tx, search, first_look=asked.first_look)
        assert len(found.runs) == query.limit or not found.next_cursor
        seen += [one.run.id for one in found.runs]
        assert len(set(seen)) == len(seen), asked
        if not (cursor := found.next_cursor):
            return seen


# ---------------------------------------------------------------------- runs


def _some_runs(chance: random.Random, count: int) -> list[LoggedRun]:
    return [_some_run(number, chance) for number in range(1, count + 1)]


def _some_run(number: int, chance: random.Random) -> LoggedRun:
    experiment = chance.choice(["one", "two"])
    run = Run(
        id=f"r{number}",
        experiment_id=f"id of {experiment}",
        experiment_name=experiment,
        number=number // 2,
        name=chance.choice(_TEXTS),
        status=chance.choice(_STATUSES),
        type=chance.choice([None, "t"]),
        parent_id=chance.choice([None, None, "r1"]) if number > 1 else None,
        root_id="r1",
        created_at=chance.choice(_TIMES),
        started_at=chance.choice([None, *_TIMES]),
        ended_at=chance.choice([None, *_TIMES]),
        tags=_some_labels(chance),
        properties=_some_labels(chance),
    )
    names = [name for name in "mn" if chance.random() < 0.7]
    return LoggedRun(run, {name: _some_summary(run.id, name, chance) for name in names})


def _some_labels(chance: random.Random) -> dict[str, str | None]:
    return {key: chance.choice([None, *_TEXTS]) for key in "tu" if chance.random() < 0.7}


def _some_summary(run_id: str, name: str, chance: random.Random) -> SeriesSummary:
    bounds = [None, *(float(number) for number in _NUMBERS if not math.isnan(number))]
    return SeriesSummary(
        run_id=run_id,
        name=name,
        count=chance.randint(0, 3),
        last=chance.choice([*[None] * 5, True, False, *_UNLIKE_NAN, *_NUMBERS, *_NUMBERS]),
        minimum=chance.choice(bounds),
        maximum=chance.choice(bounds),
    )


def _write(tx: Transaction, logged: list[LoggedRun]) -> None:
    for name in ("one", "two"):
        experiments.insert(tx, Experiment(id=f"id of {name}", name=name, created_at=0))
    for one in logged:
        run = one.run
        request = NewRun(id=run.id, experiment_id=run.experiment_id)
        stored = runs.insert(tx, run, request)
        runs.move(tx, stored.rid, run.status, run)  # insert does not write when it ended
        for summary in one.metrics.values():
            empty = series.insert(tx, stored.rid, SeriesSummary(run_id=run.id, name=summary.name))
            series.update(tx, [StoredSeries(empty.id, summary)])


# ---------------------------------------------------------------------- queries


@st.composite
def _asked(draw: st.DrawFn) -> _Asked:
    label = st.none() | st.sampled_from(_TEXTS)
    query = RunQuery(
        experiment_id=draw(st.sampled_from([None, None, "id of one"])),
        include_children=draw(st.booleans()),
        statuses=draw(st.just([]) | st.lists(st.sampled_from(_STATUSES), max_size=2)),
        tags=draw(st.dictionaries(st.sampled_from(["t"]), label, max_size=1)),
        has_tags=draw(st.sampled_from([[], [], ["u"]])),
        limit=draw(st.integers(1, 6)),
    )
    return _Asked(
        query,
        draw(st.none() | _tests() | _expressions()),
        draw(st.lists(_orders(), max_size=2)),
        draw(st.integers(1, 6)),
    )


def _expressions() -> st.SearchStrategy[Expression]:
    return st.recursive(
        _tests(),
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda given: And(tuple(given))),
            st.lists(inner, min_size=2, max_size=3).map(lambda given: Or(tuple(given))),
            inner.map(Not),
        ),
        max_leaves=5,
    )


def _of_kind(kind: FieldKind) -> list[Field]:
    if kind is FieldKind.COLUMN:
        return [Field(kind, name) for name in COLUMNS]
    aggregates = [*Aggregate] if kind is FieldKind.METRIC else [None]
    return [Field(kind, key, aggregate) for key in _KEYS[kind] for aggregate in aggregates]


@st.composite
def _fields(draw: st.DrawFn) -> Field:
    return draw(st.sampled_from(_of_kind(draw(st.sampled_from(FieldKind)))))


@st.composite
def _tests(draw: st.DrawFn) -> Expression:
    field = draw(_fields())
    return draw(st.sampled_from(_single_tests(field)))


def _single_tests(field: Field) -> list[Expression]:
    """Every test of a field by itself, with every value."""
    values = _values(field)
    found: list[Expression] = [NullTest(field, negated) for negated in (False, True)]
    found += [
        InList(field, (value, other), negated)
        for value, other in zip(values[::2], values[1::2], strict=False)
        for negated in (False, True)
    ]
    found += [Comparison(field, how, value) for how in _operators(field) for value in values]
    if field.value_type in {ValueType.TEXT, ValueType.ANY}:
        found += [Comparison(field, how, pattern) for how in _LIKE for pattern in _PATTERNS]
    if field.value_type is not ValueType.STATUS:
        found += [
            And((Comparison(field, Operator.GREATER, low), Comparison(field, Operator.LESS, high)))
            for low in values[::2]
            for high in values[1::2]
        ]
    return found + [Not(test) for test in found[::5]]


def _operators(field: Field) -> list[Operator]:
    return _EQUALITY if field.value_type is ValueType.STATUS else [*_EQUALITY, *_RANGES]


def _values(field: Field) -> list[Literal]:
    known: dict[ValueType, list[Literal]] = {
        ValueType.STATUS: [*_STATUSES],
        ValueType.TIME: [*_TIMES],
        ValueType.TEXT: [*_TEXTS, "one", "two", "r1", "r2", "t"],
        ValueType.ANY: [*_NUMBERS, *_UNLIKE_NAN, True, False],
    }
    return known.get(field.value_type, [*_NUMBERS])


@st.composite
def _orders(draw: st.DrawFn) -> Order:
    return Order(draw(_fields()), draw(st.booleans()))


class SearchContract:
    """Finding runs, by whatever way the database takes."""

    @pytest.fixture
    def database(self) -> Iterator[Database]:
        """An empty database with the current schema."""
        raise NotImplementedError("give a fixture 'database' that yields an empty database")

    @pytest.mark.parametrize("kind", FieldKind)
    def test_each_test_of_the_language_finds_what_it_says(
        self, database: Database, kind: FieldKind
    ) -> None:
        logged = _some_runs(random.Random(7), 20)  # noqa: S311  not a secret
        query = RunQuery(include_children=True, limit=40)
        with suppress(_Undo), database.write() as tx:
            _write(tx, logged)
            for expression in (test for field in _of_kind(kind) for test in _single_tests(field)):
                found = _pages(tx, _Asked(query, expression, [], 100))
                assert found == find(logged, query, expression, [], NOW), expression
            raise _Undo

    @settings(suppress_health_check=_UNDONE_EACH_TIME)
    @given(st.integers(0, 1_000_000), st.lists(_asked(), min_size=1, max_size=3))
    def test_what_is_found_is_what_the_language_says(
        self, database: Database, seed: int, asked: list[_Asked]
    ) -> None:
        chance = random.Random(seed)  # noqa: S311  not a secret
        logged = _some_runs(chance, chance.randint(0, 30))
        with suppress(_Undo), database.write() as tx:
            _write(tx, logged)
            for one in asked:
                found = _pages(tx, one)
                assert found == find(logged, one.query, one.expression, one.orders, NOW), one
            raise _Undo
