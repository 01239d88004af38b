"""New points of a series joined to its summary and to the few that it keeps in its tail."""

from collections.abc import Callable
from typing import Final, cast, get_args

import msgspec
import numpy as np

from headway.metrics import chunks
from headway.metrics.buckets import as_float
from headway.metrics.chunks import Numbers
from headway.metrics.columns import Points, joined, listed, points_of
from headway.metrics.records import Column, Ints
from headway.model import Scalar, SeriesForm, SeriesSummary
from headway.service.sizes import Sizes
from headway.store.points import Tail
from headway.store.series import StoredSeries

_RANK: Final[dict[SeriesForm, int]] = {form: rank for rank, form in enumerate(get_args(SeriesForm))}

_Tail = tuple[list[int], list[int], list[Scalar]]
_NO_TAIL: Final[_Tail] = ([], [], [])


class Grown(msgspec.Struct, frozen=True):
    """A series after new points, and where they go."""

    series: StoredSeries
    tail: Tail
    points: Points | None
    """For a chunk, with what was in the tail before; None where the tail holds them."""


def grow(stored: StoredSeries, column: Column, tail: bytes | None, sizes: Sizes) -> Grown:
    """Join new points to a series.

    Points logged without a step get the number of points before them.

    Args:
        stored: The series as stored.
        column: At least one new point.
        tail: Its newest points, where some are outside of chunks.
        sizes: How much a tail may hold.
    """
    before = chunks.decode_tail(tail) if tail else _NO_TAIL
    if len(before[0]) + len(column.values) < sizes.tail:
        # Lists: for a few points they are several times as fast as arrays.
        steps, times, values = _lists(column, stored.summary.count)
        encoded = chunks.encode_tail(before[0] + steps, before[1] + times, before[2] + values)
        if len(encoded) <= sizes.tail_bytes:
            grown = _grown(stored, column, steps, values[-1], _of_list(values))
            return Grown(grown, Tail(stored.id, len(before[0]) + len(steps), encoded), None)
    return _grow_chunk(stored, column, before)


def _grow_chunk(stored: StoredSeries, column: Column, tail: _Tail) -> Grown:
    """Join new points and those of the tail for a chunk."""
    steps = _steps(column, stored.summary.count)
    if isinstance(column.values, list):
        extremes = _of_list(column.values)
    else:
        extremes = _of_array(column.values)
    series = _grown(
        stored, column, steps[[0, -1]].tolist(), listed(column.values[-1:])[0], extremes
    )
    points = Points(steps, column.times, column.values)
    if tail[0]:
        points = joined([points_of(*tail), points])
    return Grown(series, Tail(stored.id, 0, None), points)


def _lists(column: Column, before: int) -> _Tail:
    """Steps, times and values of a few points."""
    steps = cast("list[int]", column.steps.tolist())
    known = cast("list[bool]", column.has_step.tolist())
    if not all(known):
        steps = [step if known[i] else before + i for i, step in enumerate(steps)]
    return steps, cast("list[int]", column.times.tolist()), listed(column.values)


def _steps(column: Column, before: int) -> Ints:
    if column.has_step.all():
        return column.steps
    counted = np.arange(before, before + len(column.steps), dtype=np.int64)
    return np.where(column.has_step, column.steps, counted)


def _grown(
    stored: StoredSeries,
    column: Column,
    steps: list[int],
    last: Scalar,
    extremes: tuple[float | None, float | None],
) -> StoredSeries:
    """The series after new points, of whose steps the first and the last one matter."""
    before = stored.summary
    after = SeriesSummary(
        run_id=before.run_id,
        name=before.name,
        column=before.column,
        form=max(before.form, column.form, key=_RANK.__getitem__),
        count=before.count + len(column.values),
        last=last,
        first_step=steps[0] if before.first_step is None else before.first_step,
        last_step=steps[-1],
        minimum=_pick(min, before.minimum, extremes[0]),
        maximum=_pick(max, before.maximum, extremes[1]),
    )
    return StoredSeries(stored.id, after)


def _of_list(values: list[Scalar]) -> tuple[float | None, float | None]:
    """The least and the greatest number; NaN and texts are left out."""
    numbers = [as_float(value) for value in values if isinstance(value, int | float)]
    numbers = [number for number in numbers if number == number]
    return (min(numbers), max(numbers)) if numbers else (None, None)


def _of_array(values: Numbers) -> tuple[float | None, float | None]:
    numbers = values.astype(np.float64, copy=False)
    low = float(np.fmin.reduce(numbers))
    return (low, float(np.fmax.reduce(numbers))) if low == low else (None, None)


def _pick(
    choose: Callable[[float, float], float], old: float | None, new: float | None
) -> float | None:
    if old is None or new is None:
        return new if old is None else old
    return choose(old, new)
