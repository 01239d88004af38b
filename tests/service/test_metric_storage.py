"""Points come back as they were logged, and are drawn: every size and order, against Python."""

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.service.filling import LARGE, SMALL, Fill, plain, read

from headway.metrics.columns import decode_points, floats, integers
from headway.model import BucketSeries, ChartQuery, MetricQuery, PointQuery, Scalar
from headway.service.metrics import MetricService
from headway.service.sizes import Sizes
from headway.testing.records import Logged


def same(one: Scalar, other: Scalar) -> bool:
    return repr(one) == repr(other)


# ---------------------------------------------------------------- what is logged

_FLOATS = st.sampled_from([0.0, -0.0, 1.5, -3.25, 1e300, math.nan, math.inf, -math.inf])
_VALUES: dict[str, st.SearchStrategy[Scalar]] = {
    "floats": st.floats(-100, 100) | _FLOATS,
    "integers": st.integers(-5, 5) | st.sampled_from([2**63 - 1, -(2**63)]),
    "truths": st.booleans(),
    "texts": st.text(max_size=40).filter(lambda text: "\0" not in text),
    "anything": st.one_of(
        st.floats(-9, 9), _FLOATS, st.integers(-9, 9), st.booleans(), st.none(), st.just("text")
    ),
}


@st.composite
def _logged(draw: st.DrawFn, kinds: Sequence[str] = tuple(_VALUES)) -> list[Logged]:
    values = draw(st.lists(_VALUES[draw(st.sampled_from(kinds))], min_size=1, max_size=6))
    length = draw(st.integers(1, 400))
    spread = draw(st.randoms(use_true_random=False))
    orders: dict[str, Callable[[], Sequence[int | None]]] = {
        "ascending": lambda: list(range(length)),
        "counted": lambda: [None] * length,
        "gaps": lambda: sorted(spread.randrange(10_000) for _ in range(length)),
        "restarts": lambda: [i % 97 for i in range(length)],
        "shuffled": lambda: [spread.randrange(300) for _ in range(length)],
        "one": lambda: [7] * length,
        "extreme": lambda: [spread.choice([-(2**63), 2**63 - 1, 0, i]) for i in range(length)],
    }
    steps = orders[draw(st.sampled_from(sorted(orders)))]()
    return [(step, 1000 + 10 * i, spread.choice(values)) for i, step in enumerate(steps)]


def expected(logged: Sequence[Logged]) -> list[tuple[int, int, Scalar]]:
    return [
        (i if step is None else step, time, value) for i, (step, time, value) in enumerate(logged)
    ]


_many = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@_many
@given(logged=_logged())
def test_every_point_comes_back_as_it_was_logged(fill: Fill, logged: list[Logged]) -> None:
    metrics, run_id = fill(SMALL, logged)
    found = plain(read(metrics, run_id))
    wanted = expected(logged)
    assert [point[:2] for point in found] == [point[:2] for point in wanted]
    assert list(map(repr, (v for *_, v in found))) == list(map(repr, (v for *_, v in wanted)))
    [series] = metrics.read(MetricQuery(run_id))
    assert list(map(repr, series.values)) == list(map(repr, (v for *_, v in wanted)))
    assert series.summary.count == len(logged)


@_many
@given(logged=_logged(), start=st.integers(-5, 400), length=st.integers(0, 400))
def test_a_range_of_steps_is_cut_exactly(
    fill: Fill, logged: list[Logged], start: int, length: int
) -> None:
    metrics, run_id = fill(SMALL, logged)
    blocks = metrics.points(PointQuery(run_id, "x", start=start, end=start + length)).blocks
    found = plain(decode_points(blocks, start, start + length))
    wanted = [point for point in expected(logged) if start <= point[0] < start + length]
    assert list(map(repr, found)) == list(map(repr, wanted))


# ---------------------------------------------------------------- charts


class Bucket:
    """One bucket of a chart, in plain Python."""

    def __init__(self) -> None:
        self.numbers: list[float] = []

    def finite(self) -> list[float]:
        return [number for number in self.numbers if math.isfinite(number)]

    def ordered(self) -> list[float]:
        return [number for number in self.numbers if not math.isnan(number)]


def counted(logged: Sequence[Logged], edges: Sequence[float]) -> list[Bucket]:
    buckets = [Bucket() for _ in edges[1:]]
    for step, _, value in expected(logged):
        if isinstance(value, int | float) and edges[0] <= step < edges[-1]:
            buckets[bisect_right(edges, step) - 1].numbers.append(float(value))
    return buckets


def within_floats(logged: Sequence[Logged]) -> list[Logged]:
    """The same with steps that edges, which are floats, tell apart."""
    return [(None if step is None else step % 2**52, time, value) for step, time, value in logged]


class Drawn:
    """One series of a chart as lists."""

    def __init__(self, series: BucketSeries) -> None:
        self.count: list[int] = integers(series.count).tolist()
        self.not_finite: list[int] = integers(series.not_finite).tolist()
        self.minimum: list[float] = floats(series.minimum).tolist()
        self.maximum: list[float] = floats(series.maximum).tolist()
        self.mean: list[float] = floats(series.mean).tolist()
        self.last: list[float] = floats(series.last).tolist()


def draw_chart(
    metrics: MetricService, run_id: str, buckets: int, start: int | None, end: int | None
) -> tuple[list[float], Drawn | None]:
    chart = metrics.chart(ChartQuery([run_id], ["x"], buckets, start, end))
    edges: list[float] = floats(chart.edges).tolist()
    return edges, Drawn(chart.series[0]) if chart.series else None


_LIMITS = st.none() | st.integers(-10, 300)
_tame = ("floats", "anything", "truths", "texts")


@_many
@given(logged=_logged(), buckets=st.integers(1, 20), start=_LIMITS, end=_LIMITS)
def test_a_chart_of_all_points_is_exact(
    fill: Fill, logged: list[Logged], buckets: int, start: int | None, end: int | None
) -> None:
    logged = within_floats(logged)
    metrics, run_id = fill(LARGE, logged)
    edges, drawn = draw_chart(metrics, run_id, buckets, start, end)
    if drawn is None:
        return
    assert len(edges) - 1 == len(drawn.count) <= buckets
    for i, bucket in enumerate(counted(logged, edges)):
        finite, ordered = bucket.finite(), bucket.ordered()
        assert drawn.count[i] == len(bucket.numbers)
        assert drawn.not_finite[i] == len(bucket.numbers) - len(finite)
        assert same(drawn.minimum[i] + 0, min(ordered, default=math.nan) + 0)
        assert same(drawn.maximum[i] + 0, max(ordered, default=math.nan) + 0)
        assert same(drawn.last[i], bucket.numbers[-1] if bucket.numbers else math.nan)
        if finite:
            assert drawn.mean[i] == pytest.approx(
                math.fsum(finite) / len(finite), rel=1e-9, abs=1e-12 * max(map(abs, finite))
            )
        else:
            assert math.isnan(drawn.mean[i])


@_many
@given(logged=_logged(_tame), buckets=st.integers(1, 20), start=_LIMITS, end=_LIMITS)
def test_a_chart_by_units_loses_nothing_and_moves_no_extreme(
    fill: Fill, logged: list[Logged], buckets: int, start: int | None, end: int | None
) -> None:
    logged = within_floats(logged)
    metrics, run_id = fill(SMALL, logged)
    edges, drawn = draw_chart(metrics, run_id, buckets, start, end)
    if drawn is None:
        return
    wanted = counted(logged, edges)
    numbers = [number for bucket in wanted for number in bucket.numbers]
    finite = [number for bucket in wanted for number in bucket.finite()]
    assert sum(drawn.count) == len(numbers)
    assert sum(drawn.not_finite) == len(numbers) - len(finite)
    for i, bucket in enumerate(wanted):
        assert (drawn.count[i] == 0) <= math.isnan(drawn.minimum[i])
        for extreme in (drawn.minimum[i], drawn.maximum[i]):
            assert math.isnan(extreme) or extreme in bucket.numbers
    ordered = [number for number in numbers if not math.isnan(number)]
    if ordered:
        assert np.nanmin(drawn.minimum) == min(ordered)
        assert np.nanmax(drawn.maximum) == max(ordered)
    if finite and max(map(abs, finite)) < 1e200:
        totals = [
            mean * (many - others)
            for mean, many, others in zip(drawn.mean, drawn.count, drawn.not_finite, strict=True)
            if many > others
        ]
        assert math.fsum(totals) == pytest.approx(math.fsum(finite), rel=1e-9, abs=1e-6)


def test_by_units_a_bucket_is_off_by_a_unit_at_most(fill: Fill) -> None:
    logged: list[Logged] = [(step, step, float(step)) for step in range(1000)]
    metrics, run_id = fill(SMALL, logged)
    for buckets in (3, 7, 50):
        edges, drawn = draw_chart(metrics, run_id, buckets, 13, 977)
        assert drawn is not None
        wanted = [len(bucket.numbers) for bucket in counted(logged, edges)]
        assert sum(drawn.count) == 977 - 13
        for i in range(buckets):
            assert abs(sum(drawn.count[:i]) - sum(wanted[:i])) <= SMALL.coarse
            assert edges[i] <= drawn.minimum[i] <= drawn.mean[i] <= drawn.maximum[i] < edges[i + 1]


def test_steps_at_the_ends_of_what_there_is_are_counted(fill: Fill) -> None:
    ends = [-(2**63), -(2**63) + 1, 0, 2**63 - 2, 2**63 - 1]
    for sizes in (SMALL, LARGE):
        metrics, run_id = fill(sizes, [(ends[i % 5], i, float(i % 5)) for i in range(500)])
        edges, drawn = draw_chart(metrics, run_id, 3, None, None)
        assert (edges[0], edges[-1]) == (-(2.0**63), 2.0**63)
        assert drawn is not None
        assert drawn.count == [200, 100, 200]
        assert drawn.maximum == [1.0, 2.0, 4.0]


def test_a_chart_over_time(fill: Fill) -> None:
    logged: list[Logged] = [(500 - i, 1_000_000 * i, float(i)) for i in range(500)]
    metrics, run_id = fill(LARGE, logged)
    chart = metrics.chart(ChartQuery([run_id], ["x"], 5, axis="time"))
    assert floats(chart.edges)[0] == 0
    assert floats(chart.edges)[-1] == 499_000_001
    assert floats(chart.series[0].minimum).tolist() == [0, 100, 200, 300, 400]
    assert floats(chart.series[0].last).tolist() == [99, 199, 299, 399, 499]


# ---------------------------------------------------------------- some of many points


@_many
@given(logged=_logged(), wanted=st.integers(1, 60), sizes=st.sampled_from([SMALL, LARGE]))
def test_chosen_points_were_logged_and_keep_the_extremes(
    fill: Fill, logged: list[Logged], wanted: int, sizes: Sizes
) -> None:
    metrics, run_id = fill(sizes, logged)
    found = plain(read(metrics, run_id, points=wanted))
    assert len(found) <= wanted
    there = {(step, time) for step, time, _ in expected(logged)}
    assert {(step, time) for step, time, _ in found} <= there
    if len(logged) <= wanted:
        assert list(map(repr, found)) == list(map(repr, expected(logged)))
        return
    assert [step for step, *_ in found] == sorted(step for step, *_ in found)
    assert len({(step, time) for step, time, _ in found}) == len(found)
    numbers = [v for *_, v in logged if isinstance(v, int | float) and not math.isnan(v)]
    if numbers and wanted >= 4:
        chosen = [float(cast("float", v)) for *_, v in found]
        assert float(max(numbers)) in chosen
        assert float(min(numbers)) in chosen


def test_chosen_points_keep_their_type_and_place(fill: Fill) -> None:
    logged: list[Logged] = [(i, i, i % 10 + (1000 if i == 777 else 0)) for i in range(2000)]
    metrics, run_id = fill(SMALL, logged)
    found = read(metrics, run_id, points=50)
    assert 10 <= len(found) <= 50
    assert isinstance(found.values, np.ndarray)
    assert found.values.dtype == np.int64
    assert (777, 777, 1007) in plain(found)
    part = read(metrics, run_id, points=20, start=500, end=900)
    assert min(part.steps) == 500
    assert max(part.steps) == 899
    assert (777, 777, 1007) in plain(part)


def test_texts_are_chosen_evenly(fill: Fill) -> None:
    logged: list[Logged] = [(i, i, f"text {i}") for i in range(500)]
    metrics, run_id = fill(SMALL, logged)
    found = plain(read(metrics, run_id, points=20))
    assert 15 <= len(found) <= 20
    assert found[0] == (0, 0, "text 0")
    assert found[-1] == (499, 499, "text 499")
