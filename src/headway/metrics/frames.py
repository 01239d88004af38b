"""Series of points as the columns of a table: joined by step, with holes where one has no point."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from headway.model import Scalar

Ints = NDArray[np.int64]
Dates = NDArray[np.datetime64]
Objects = NDArray[np.object_]
Array = NDArray[np.float64] | Ints | NDArray[np.bool_] | Objects


class Joined(NamedTuple):
    """The rows of a table in which several series stand side by side."""

    steps: Ints
    """Ascending; a step that a series repeats has as many rows."""
    rows: list[Ints]
    """For each series, the row of each of its points."""


class Spread(NamedTuple):
    """A series as a column of such a table."""

    values: Array
    """One a row; where there is a hole: 0, NaN, False or None."""
    holes: NDArray[np.bool_] | None
    """Where the series has no point; None where it has one in every row."""


def join(series: Sequence[Ints]) -> Joined:
    """Put series side by side: the n-th points that they have at a step share a row.

    Args:
        series: The steps of each, in any order, repeats included.
    """
    if not series:
        return Joined(np.zeros(0, np.int64), [])
    first = series[0]
    if _ascend(first) and all(np.array_equal(first, steps) for steps in series[1:]):
        return Joined(first, [np.arange(len(first))] * len(series))
    steps = np.concatenate(series)
    nth = np.concatenate([_repeats(one) for one in series])
    order = np.lexsort((nth, steps))
    sorted_steps, sorted_nth = steps[order], nth[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (sorted_steps[1:] != sorted_steps[:-1]) | (sorted_nth[1:] != sorted_nth[:-1])
    rows = np.empty(len(order), np.int64)
    rows[order] = np.cumsum(new) - 1
    ends = np.cumsum([len(one) for one in series])
    return Joined(sorted_steps[new], np.split(rows, ends[:-1]))


def spread(values: Array, rows: Ints, count: int) -> Spread:
    """A series as a column of ``count`` rows."""
    full = cast("Array", np.full(count, _FILLERS[values.dtype.kind], values.dtype))
    full[rows] = values
    if len(rows) == count:  # no two points share a row
        return Spread(full, None)
    holes = np.ones(count, np.bool_)
    holes[rows] = False
    return Spread(full, holes)


def array(values: Array | list[Scalar]) -> Array:
    """An array; of objects where the values are no numbers of one kind."""
    if not isinstance(values, list):
        return values
    objects = np.empty(len(values), np.object_)
    objects[:] = values
    return objects


def dates(times: Ints) -> Dates:
    """Microseconds since 1970 UTC as dates, without a copy."""
    return cast("Dates", times.view("datetime64[us]"))


_FILLERS = {"f": np.nan, "i": 0, "b": False, "O": None}


def _ascend(steps: Ints) -> bool:
    return bool(np.all(steps[1:] > steps[:-1]))


def _repeats(steps: Ints) -> Ints:
    """For each point, how many before it have the same step."""
    if _ascend(steps):
        return np.zeros(len(steps), np.int64)
    order = np.argsort(steps, kind="stable")
    at = np.arange(len(steps))
    ordered = steps[order]
    begins = np.zeros(len(steps), np.int64)
    new = ordered[1:] != ordered[:-1]
    begins[1:] = np.where(new, at[1:], 0)
    counted = np.empty(len(steps), np.int64)
    counted[order] = at - np.maximum.accumulate(begins)
    return counted
