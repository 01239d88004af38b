"""Chunks of a series put together into ever larger ones, until they are sealed.

A drain a second must neither leave a row a second behind nor write a large chunk again each time.
So there are three sizes: whatever chunks at the end of a series are lighter than a size are put
together as soon as they reach it. A point is written four times in its life at most, whatever the
pace, and a series has a few dozen small chunks at most. A chunk of the last size is sealed: it gets
its overviews and is never written again.
"""

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Final

import numpy as np

from headway.errors import StorageCorruptError
from headway.metrics import chunks
from headway.metrics.buckets import numbers_of
from headway.metrics.columns import Points, integers, join
from headway.metrics.overviews import combine, encode_columns, encode_records, make_units
from headway.metrics.records import Values
from headway.service.sizes import Sizes
from headway.store import points as stored
from headway.store.base import Transaction
from headway.store.points import Chunk, Columns, Level, Outline

_BYTES_OF_A_POINT: Final = 32
"""Chunks of texts, whose points take more, count as if they had more points."""


def append(tx: Transaction, series_id: int, position: int, new: Points, sizes: Sizes) -> None:
    """Write points behind the chunks of a series, together with the last ones as it may be.

    Args:
        tx: A writing transaction.
        series_id: The series.
        position: How many points it has before these.
        new: At least one point.
        sizes: How large chunks become.
    """
    last = stored.newest(tx, series_id, sizes.looked_at) if position else []
    joined = _how_many([weight for _, weight in last], _weight(new.values), sizes.steps)
    if joined:
        start = last[joined - 1][0]
        # What is damaged stays where it is, for who reads it to be told; what is new is kept.
        with suppress(StorageCorruptError):
            new = _behind(stored.columns_from(tx, series_id, start), new)
            position = start
    stored.put(tx, series_id, _cut(position, new, sizes))


def _behind(old: Sequence[Columns], new: Points) -> Points:
    """The points of chunks and then those that are new."""
    return Points(
        np.concatenate([*(integers(one.steps) for one in old), new.steps]),
        np.concatenate([*(integers(one.times) for one in old), new.times]),
        join([*(chunks.decode(one.values) for one in old), new.values]),
    )


def _how_many(weights: Sequence[int], new: int, steps: Sequence[int]) -> int:
    """How many of the last chunks the new points are joined to.

    Args:
        weights: Of the last chunks, the last one first.
        new: The weight of what comes behind them.
        steps: The sizes at which chunks are put together.
    """
    joined, total = 0, new
    for size in steps:
        reached, weight = joined, total
        while reached < len(weights) and weights[reached] < size:
            weight += weights[reached]
            reached += 1
        if weight >= size:
            joined, total = reached, weight
    return joined


def _cut(position: int, new: Points, sizes: Sizes) -> list[Chunk]:
    """The chunks of a long stretch: equal parts, none larger than the largest."""
    weight = _weight(new.values)
    parts = min(-(-weight // sizes.largest), len(new))
    bounds = [len(new) * i // parts for i in range(parts + 1)]
    return [
        _encode(
            position + begin,
            Points(new.steps[begin:end], new.times[begin:end], new.values[begin:end]),
            sizes,
        )
        for begin, end in pairwise(bounds)
    ]


def _encode(position: int, points: Points, sizes: Sizes) -> Chunk:
    values = chunks.encode(points.values)
    columns = (chunks.encode(points.steps), values, chunks.encode(points.times))
    weight = max(len(points), sum(map(len, columns)) // _BYTES_OF_A_POINT)
    overviews = _overviews(points, sizes) if weight >= sizes.steps[-1] else {}
    outline = Outline(
        position=position,
        count=len(points),
        weight=weight,
        kind=kind_of(points.values),
        low_step=int(points.steps.min()),
        high_step=int(points.steps.max()),
        low_time=int(points.times.min()),
        high_time=int(points.times.max()),
        has_overviews=bool(overviews),
    )
    return Chunk(outline, overviews, *columns)


def _overviews(points: Points, sizes: Sizes) -> dict[Level, bytes]:
    numbers, chosen = numbers_of(points.values)
    is_number = None
    if chosen is not None:
        is_number = np.zeros(len(points), np.bool_)
        is_number[chosen] = True
        numbers_at = np.zeros(len(points), np.float64)
        numbers_at[chosen] = numbers
        numbers = numbers_at
    fine = make_units(points.steps, points.times, numbers, is_number, sizes.fine)
    medium = combine(fine, sizes.medium // sizes.fine)
    coarse = combine(medium, sizes.coarse // sizes.medium)
    return {
        "coarse": encode_records(coarse, sizes.coarse),
        "medium": encode_records(medium, sizes.medium),
        "fine": encode_columns(fine, sizes.fine),
    }


def kind_of(values: Values) -> str:
    """The word for the type of values."""
    if isinstance(values, list):
        return "mixed"
    return {"f": "float", "i": "int", "b": "bool"}[values.dtype.kind]


def _weight(values: Values) -> int:
    if not isinstance(values, list):
        return len(values)
    texts = sum(len(value) for value in values if isinstance(value, str))
    return max(len(values), texts // _BYTES_OF_A_POINT)
