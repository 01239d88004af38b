"""New points of a series joined to what is stored of it: summary and chunks."""

import math
from collections.abc import Callable
from typing import Final, cast

import msgspec
import numpy as np
from msgspec.structs import replace

from headway.metrics import chunks
from headway.metrics.records import Column, Ints, Values
from headway.model import Scalar, SeriesForm, SeriesSummary
from headway.store.series import Chunk, StoredSeries

CHUNK_POINTS: Final = 8192
"""A chunk of this many points is full and not written again."""

_RANK: Final[dict[SeriesForm, int]] = {"scalar": 0, "list": 1, "table": 2}


class Merged(msgspec.Struct, frozen=True):
    """A series after new points, and the chunks to write."""

    series: StoredSeries
    chunks: list[Chunk]


def merge(stored: StoredSeries, column: Column, tail: Chunk | None) -> Merged:
    """Join new points to a series.

    Points logged without a step get the number of points before them.

    Args:
        stored: The series as stored.
        column: At least one new point.
        tail: Its last chunk, which is replaced unless it is full.
    """
    counted = np.arange(len(column.values), dtype=np.int64) + stored.summary.count
    steps: Ints = np.where(column.has_step, column.steps, counted)
    summary = _summary(stored.summary, column, steps)
    values, times = column.values, column.times
    sequence = 0 if tail is None else tail.sequence + 1
    if tail is not None and tail.count < CHUNK_POINTS:
        sequence = tail.sequence
        values = _joined(chunks.decode(tail.values), values)
        steps = np.concatenate([_integers(tail.steps), steps])
        times = np.concatenate([_integers(tail.times), times])
    written = [
        Chunk(
            series_id=stored.id,
            sequence=sequence + i,
            count=min(CHUNK_POINTS, len(values) - start),
            values=chunks.encode(values[start : start + CHUNK_POINTS]),
            steps=chunks.encode(steps[start : start + CHUNK_POINTS]),
            times=chunks.encode(times[start : start + CHUNK_POINTS]),
        )
        for i, start in enumerate(range(0, len(values), CHUNK_POINTS))
    ]
    return Merged(StoredSeries(stored.id, summary), written)


def values(blocks: list[bytes]) -> list[Scalar]:
    """The points of a series from its blocks of values."""
    if len(blocks) == 1:
        return chunks.decode_list(blocks[0])
    return [value for block in blocks for value in chunks.decode_list(block)]


def _summary(before: SeriesSummary, column: Column, steps: Ints) -> SeriesSummary:
    low, high = _extremes(column)
    first = int(steps[0]) if before.first_step is None else before.first_step
    return replace(
        before,
        form=max(before.form, column.form, key=_RANK.__getitem__),
        count=before.count + len(column.values),
        last=_last(column),
        first_step=first,
        last_step=int(steps[-1]),
        minimum=_pick(min, before.minimum, low),
        maximum=_pick(max, before.maximum, high),
    )


def _joined(before: Values, new: Values) -> Values:
    """Both, as an array where they are arrays of one type."""
    if isinstance(before, np.ndarray) and isinstance(new, np.ndarray) and before.dtype == new.dtype:
        return cast("Values", np.concatenate([before, new]))
    return [*_listed(before), *_listed(new)]


def _listed(values: Values) -> list[Scalar]:
    return values if isinstance(values, list) else cast("list[Scalar]", values.tolist())


def _integers(block: bytes) -> Ints:
    return cast("Ints", chunks.decode(block))


def _last(column: Column) -> Scalar:
    return _listed(column.values[-1:])[0]


def _extremes(column: Column) -> tuple[float | None, float | None]:
    """The least and the greatest number among new points; NaN and texts are left out."""
    if isinstance(column.values, np.ndarray):
        numbers = column.values.astype(np.float64)
    else:
        numbers = np.array(
            [_as_float(value) for value in column.values if isinstance(value, int | float)],
            dtype=np.float64,
        )
    numbers = numbers[~np.isnan(numbers)]
    if not len(numbers):
        return None, None
    return float(numbers.min()), float(numbers.max())


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond what a float can be
        return math.copysign(math.inf, value)


def _pick(
    choose: Callable[[float, float], float], old: float | None, new: float | None
) -> float | None:
    if old is None or new is None:
        return new if old is None else old
    return choose(old, new)
