"""Some points of many, chosen so that the line through them looks as it would through all.

MinMaxLTTB: of each stretch of the axis the least and the greatest points are looked at, and of
these those are taken that span the largest triangles (Van Der Donckt et al., "MinMaxLTTB:
Leveraging MinMax-Preselection to Scale LTTB", 2023; Steinarsson, "Downsampling Time Series for
Visual Representation", 2013).
"""

from typing import Final, Protocol, cast

import numpy as np
from tsdownsample import MinMaxLTTBDownsampler

from headway.metrics.buckets import numbers_of
from headway.metrics.columns import Points
from headway.metrics.records import Floats, Ints

_LEAST: Final = 3
"""The fewest points that the algorithm can choose."""


class _Downsampler(Protocol):
    """What is used of tsdownsample, whose types leave the arguments open."""

    def downsample(self, x: Floats, y: Floats, /, *, n_out: int) -> Ints: ...


_lttb: Final = cast("_Downsampler", MinMaxLTTBDownsampler())


def reduce_points(points: Points, limit: int) -> Points:
    """At most ``limit`` of some points, in the order of their steps.

    Where there are more, NaN and what is no number is left out; the first, the last, the least and
    the greatest number stay, as many as have room, and infinities, evenly chosen where they are
    many. Where nothing is a number the points are evenly chosen.
    """
    if len(points) <= limit:
        return points
    numbers, at = numbers_of(points.values)
    kept = points if at is None else points.at(at)
    is_nan = np.isnan(numbers)
    if is_nan.any():
        kept, numbers = kept.at(np.flatnonzero(~is_nan)), numbers[~is_nan]
    if not len(kept):
        kept, numbers = points, np.zeros(len(points))
    if (kept.steps[1:] < kept.steps[:-1]).any():
        order = np.argsort(kept.steps, kind="stable")
        kept, numbers = kept.at(order), numbers[order]
    return kept.at(_choose(kept.steps, numbers, limit))


def _choose(steps: Ints, numbers: Floats, limit: int) -> Ints:
    """The places of at most ``limit`` points; steps ascend and no number is NaN."""
    ends = [len(numbers) - 1, 0, int(np.argmax(numbers)), int(np.argmin(numbers))]
    ends = list(dict.fromkeys(ends))[:limit]
    is_finite = np.isfinite(numbers)
    if is_finite.all():
        line = _line(steps, numbers, limit - len(ends))
        return np.unique(np.concatenate([np.array(ends, np.int64), line]))
    infinite = _evenly(np.flatnonzero(~is_finite), (limit - len(ends)) // 4)
    kept = np.unique(np.concatenate([np.array(ends, np.int64), infinite]))
    finite = np.flatnonzero(is_finite)
    line = finite[_line(steps[finite], numbers[finite], limit - len(kept))]
    return np.unique(np.concatenate([kept, line]))


def _line(steps: Ints, numbers: Floats, limit: int) -> Ints:
    """The places of at most ``limit`` points of which none is infinite."""
    places = np.arange(len(numbers), dtype=np.int64)
    if len(numbers) <= limit:
        return places
    if limit < _LEAST or steps[0] == steps[-1]:
        return _evenly(places, limit)
    # The unsigned difference to the first is right although the signed one may overflow.
    distances = (steps - steps[0]).view(np.uint64).astype(np.float64)
    return _lttb.downsample(distances, numbers, n_out=limit).astype(np.int64)


def _evenly(places: Ints, count: int) -> Ints:
    if len(places) <= count:
        return places
    return places[np.arange(count) * len(places) // max(count, 1)]
