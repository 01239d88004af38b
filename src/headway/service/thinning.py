"""Fewer points of a series than there are, without reading all of very many.

Brings NumPy with it, so it is imported when there is something to read, and not before.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from headway.metrics.buckets import numbers_of
from headway.metrics.columns import Points, decode_block, joined
from headway.metrics.overviews import EXTREMES, Units
from headway.metrics.overviews import joined as joined_units
from headway.metrics.records import Values
from headway.metrics.reduction import reduce_points
from headway.model import PointQuery
from headway.service.sealing import kind_of
from headway.service.sizes import Sizes
from headway.service.units import read_units
from headway.store import points as stored
from headway.store.base import Transaction
from headway.store.points import Level, Outline

_EXACT_FLOATS: Final = 1 << 53
"""Whole numbers below this are the same as floats."""


def thin(
    tx: Transaction,
    series_id: int,
    outlines: Sequence[Outline],
    tail: Points | None,
    query: PointQuery,
    sizes: Sizes,
) -> Points:
    """As many points as a query asks for at most.

    Args:
        tx: A transaction.
        series_id: The series.
        outlines: Its chunks that may have points in the range.
        tail: Its newest points, where they are in no chunk.
        query: Which steps, and how many points.
        sizes: Up to how many points all of them are read.
    """
    limit = query.points or 1
    count = sum(one.count for one in outlines)
    newest = [] if tail is None else [tail.within(query.start, query.end)]
    if count <= sizes.read_whole:
        whole = [_decoded(tx, series_id, one, query) for one in outlines] + newest
        found = sum(map(len, whole))
        if found > limit:  # part by part first: what is small stays in the cache
            whole = [
                reduce_points(one, sizes.ratio * limit * len(one) // found + 4) for one in whole
            ]
        return reduce_points(joined(whole), limit)
    parts = _few(tx, series_id, outlines, query, sizes)
    candidates = joined(parts + [_as_floats(part) for part in newest])
    candidates = candidates.at(np.lexsort((candidates.times, candidates.steps)))
    chosen = reduce_points(candidates, limit)
    kinds = {one.kind for one in outlines} | {kind_of(part.values) for part in newest}
    return Points(chosen.steps, chosen.times, _restored(chosen.values, kinds))


def _few(
    tx: Transaction,
    series_id: int,
    outlines: Sequence[Outline],
    query: PointQuery,
    sizes: Sizes,
) -> list[Points]:
    """What is to be chosen from: extremes of units, and points of chunks without or at the ends."""
    limit = query.points or 1
    count = sum(one.count for one in outlines)
    level = _level(count, limit, sizes)
    inner = [one for one in outlines[1:-1] if level is not None and _is_inside(one, query)]
    units: dict[int, Units] = {}
    if level is not None:
        read = read_units(tx, series_id, inner, level, EXTREMES)
        units = {one.position: found.units for one, found in zip(inner, read, strict=True)}
    units = {position: found for position, found in units.items() if found["count"].any()}
    parts: list[Points] = [_extremes(list(units.values()))] if units else []
    for outline in outlines:
        if outline.position not in units:
            share = sizes.ratio * limit * outline.count // count + 4
            points = reduce_points(_decoded(tx, series_id, outline, query), share)
            parts.append(_as_floats(points))
    return parts


def _level(count: int, limit: int, sizes: Sizes) -> Level | None:
    """The coarsest units of whose extremes there are enough to choose from; None where none are."""
    levels: tuple[tuple[Level, int], ...] = (
        ("coarse", sizes.coarse),
        ("medium", sizes.medium),
        ("fine", sizes.fine),
    )
    for level, size in levels:
        if 2 * count // size >= sizes.ratio * limit:
            return level
    return None


def _is_inside(outline: Outline, query: PointQuery) -> bool:
    """Whether all points of a chunk are wanted and it has overviews."""
    if not outline.has_overviews or outline.low_step is None or outline.high_step is None:
        return False
    return (query.start is None or outline.low_step >= query.start) and (
        query.end is None or outline.high_step < query.end
    )


def _extremes(parts: Sequence[Units]) -> Points:
    """The least and the greatest point of each unit."""
    units = joined_units(parts)
    units = units[~np.isnan(units["minimum"])]
    extremes = Points(
        _both(units, "_step").astype(np.int64),
        _both(units, "_time").astype(np.int64),
        _both(units, "").astype(np.float64),
    )
    apart = np.ones(len(extremes), np.bool_)
    apart[1::2] = units["minimum"] != units["maximum"]  # where they are equal it is one point
    return extremes.at(np.flatnonzero(apart))


def _both(units: Units, suffix: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.generic]]":
    return np.stack([units[f"minimum{suffix}"], units[f"maximum{suffix}"]], axis=1).reshape(-1)


def _as_floats(points: Points) -> Points:
    """The numbers among points, or all of them where there are none."""
    numbers, places = numbers_of(points.values)
    if not len(numbers):
        return points
    kept = points if places is None else points.at(places)
    return Points(kept.steps, kept.times, numbers)


def _restored(values: Values, kinds: set[str | None]) -> Values:
    """Numbers as they were logged, where all are of one type and none was rounded."""
    if not isinstance(values, np.ndarray) or not len(values):
        return values
    if kinds == {"bool"}:
        return values != 0
    if kinds == {"int"} and float(np.abs(values).max()) < _EXACT_FLOATS:
        return values.astype(np.int64)
    return values


def _decoded(tx: Transaction, series_id: int, outline: Outline, query: PointQuery) -> Points:
    points = decode_block(stored.block(tx, series_id, outline))
    return points.within(query.start, query.end)
