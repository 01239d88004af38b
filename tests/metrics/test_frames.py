"""Series side by side as the columns of a table."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.metrics import frames
from headway.metrics.frames import Array, Ints

STEPS = st.lists(st.integers(-3, 3) | st.sampled_from([-(2**63), 2**63 - 1]), max_size=12)


def steps(*numbers: int) -> Ints:
    return np.array(numbers, np.int64)


def keys(numbers: list[int]) -> list[tuple[int, int]]:
    """Each step, and how many times it was there before."""
    seen: Counter[int] = Counter()
    found: list[tuple[int, int]] = []
    for number in numbers:
        found.append((number, seen[number]))
        seen[number] += 1
    return found


@given(st.lists(STEPS, max_size=4))
def test_points_share_a_row_where_step_and_repetition_are_the_same(series: list[list[int]]) -> None:
    joined = frames.join([steps(*one) for one in series])
    rows = sorted({key for one in series for key in keys(one)})
    assert joined.steps.tolist() == [step for step, _ in rows]
    assert [one.tolist() for one in joined.rows] == [
        [rows.index(key) for key in keys(one)] for one in series
    ]


def test_series_with_the_same_steps_are_not_sorted() -> None:
    one = steps(1, 2, 5)
    joined = frames.join([one, one.copy()])
    assert joined.steps is one
    assert [rows.tolist() for rows in joined.rows] == [[0, 1, 2]] * 2


@pytest.mark.parametrize(
    ("values", "filler"),
    [
        (np.array([1.5, 2.5]), np.nan),
        (np.array([2**60, 2]), 0),
        (np.array([True, True]), False),
        (frames.array(["a", 10**30]), None),
    ],
    ids=["floats", "integers", "truth values", "objects"],
)
def test_holes_keep_the_type_of_a_column(values: Array, filler: object) -> None:
    column = frames.spread(values, steps(2, 0), 4)
    assert column.values.dtype == values.dtype
    assert column.values[[2, 0]].tolist() == values.tolist()
    assert column.holes is not None
    assert column.holes.tolist() == [False, True, False, True]
    np.testing.assert_equal(column.values[[1, 3]].tolist(), [filler, filler])


def test_a_column_without_holes_says_so() -> None:
    assert frames.spread(np.array([1.5, 2.5]), steps(1, 0), 2).holes is None


def test_values_of_several_types_become_objects() -> None:
    mixed = frames.array([1, "x", None])
    assert mixed.dtype == np.object_
    assert mixed.tolist() == [1, "x", None]
