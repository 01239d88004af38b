"""Overviews: units against plain Python, and there and back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.metrics.overviews import (
    EXTREMES,
    FIELDS,
    Units,
    combine,
    decode_columns,
    decode_records,
    encode_columns,
    encode_records,
    joined,
    make_units,
)

_NUMBERS = st.floats(-100, 100) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0])
_POINTS = st.lists(
    st.tuples(
        st.integers(-50, 50) | st.sampled_from([-(2**63), 2**63 - 1]),
        st.integers(0, 1000),
        st.none() | _NUMBERS,
    ),
    min_size=1,
    max_size=60,
)
Point = tuple[int, int, float | None]


def units_of(points: list[Point], size: int) -> Units:
    is_number = np.array([value is not None for *_, value in points])
    return make_units(
        np.array([step for step, *_ in points], np.int64),
        np.array([time for _, time, _ in points], np.int64),
        np.array([7.0 if value is None else value for *_, value in points]),
        None if is_number.all() else is_number,
        size,
    )


def check(units: Units, points: list[Point], size: int) -> None:
    assert len(units) == -(-len(points) // size)
    for number, unit in enumerate(units):
        own = points[number * size : (number + 1) * size]
        numbers = [(value, step, time) for step, time, value in own if value is not None]
        ordered = [one for one in numbers if not math.isnan(one[0])]
        finite = [value for value, *_ in numbers if math.isfinite(value)]
        assert unit["count"] == len(numbers)
        assert unit["not_finite"] == len(numbers) - len(finite)
        assert (unit["low_step"], unit["high_step"]) == (
            min(step for step, *_ in own),
            max(step for step, *_ in own),
        )
        assert (unit["low_time"], unit["high_time"]) == (
            min(time for _, time, _ in own),
            max(time for _, time, _ in own),
        )
        assert unit["total"] == pytest.approx(math.fsum(finite), abs=1e-6)
        assert repr(float(unit["last"])) == repr(numbers[-1][0] if numbers else math.nan)
        for field, best in (("minimum", min), ("maximum", max)):
            if ordered:
                found = (unit[field], unit[f"{field}_step"], unit[f"{field}_time"])
                assert found[0] == best(ordered)[0]
                assert found in ordered
            else:
                assert math.isnan(unit[field])


@given(_POINTS, st.sampled_from([1, 2, 8]))
def test_units_say_what_their_points_say(points: list[Point], size: int) -> None:
    units = units_of(points, size)
    check(units, points, size)
    check(combine(units, 4), points, 4 * size)
    check(combine(combine(units, 2), 2), points, 4 * size)


@given(_POINTS, st.sampled_from([1, 2, 8]))
def test_overviews_come_back_as_they_were(points: list[Point], size: int) -> None:
    units = units_of(points, size)
    for found in (
        decode_records([encode_records(units, size)])[0],
        decode_columns(encode_columns(units, size), FIELDS),
    ):
        assert found.size == size
        assert found.units.tobytes() == units.tobytes()


def test_only_the_fields_that_are_needed_are_decoded() -> None:
    units = units_of([(i, 10 * i, float(i)) for i in range(300)], 2)
    found = decode_columns(encode_columns(units, 2), EXTREMES).units
    for field in EXTREMES:
        assert (found[field] == units[field]).all()
    assert not found["total"].any()


def test_units_of_several_chunks_are_put_together() -> None:
    one = units_of([(i, i, float(i)) for i in range(10)], 2)
    other = units_of([(i, i, float(i)) for i in range(7)], 2)
    assert joined([one, other])["count"].tolist() == [2, 2, 2, 2, 2, 2, 2, 2, 1]
