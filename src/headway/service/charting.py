"""Series counted into the buckets of a chart.

Brings NumPy with it, so it is imported when there is something to draw, and not before.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from headway.errors import InvalidValueError
from headway.metrics import chunks
from headway.metrics.buckets import Axis, Buckets, Edges, make_edges, numbers_of
from headway.metrics.columns import integers, naming
from headway.metrics.overviews import joined
from headway.metrics.records import Bools, Ints, Values
from headway.model import BucketSeries, Chart, ChartQuery
from headway.service.lookup import find_rid
from headway.service.reading import tail_of
from headway.service.sizes import Sizes
from headway.service.units import read_units
from headway.store import points as stored
from headway.store import series
from headway.store.base import Database, Transaction
from headway.store.points import Level, Outline
from headway.store.series import StoredSeries

_MOST_BUCKETS: Final = 100_000
_FIELDS: Final = {
    axis: (
        *("count", "not_finite", "minimum", "maximum", "total", "last"),
        *(f"{word}_{axis}" for word in ("low", "high", "minimum", "maximum")),
    )
    for axis in ("step", "time")
}


def chart(database: Database, query: ChartQuery, sizes: Sizes) -> Chart:
    """Series over the same buckets."""
    if not 1 <= query.buckets <= _MOST_BUCKETS:
        raise InvalidValueError(
            f"{query.buckets} buckets were asked for: ask for 1 to {_MOST_BUCKETS}"
        )
    with database.read() as tx:
        lines = [
            _Line(tx, one, query.axis, sizes)
            for run_id in dict.fromkeys(query.run_ids)
            for one in _wanted(tx, run_id, query.names)
        ]
        edges = _edges(query, lines)
        if edges is None:
            return Chart(chunks.encode_numbers(np.empty(0, np.float64)), [])
        most = max(sizes.exact // len(lines), sizes.units * len(edges) * sizes.fine)
        return Chart(
            chunks.encode_numbers(edges.to_floats()), [line.drawn(edges, most) for line in lines]
        )


def _wanted(tx: Transaction, run_id: str, names: Sequence[str]) -> list[StoredSeries]:
    rid = find_rid(tx, run_id)
    by_name: dict[str, list[StoredSeries]] = {}
    for one in series.of_run(tx, run_id, rid).values():
        by_name.setdefault(one.summary.name, []).append(one)
    return [one for name in dict.fromkeys(names) for one in by_name.get(name, [])]


def _edges(query: ChartQuery, lines: "Sequence[_Line]") -> Edges | None:
    """The buckets of a chart; None where nothing is in them."""
    start, end = query.start, query.end
    if start is None or end is None:
        ranges = [found for line in lines if (found := line.range()) is not None]
        if not ranges:
            return None
        start = min(low for low, _ in ranges) if start is None else start
        end = max(high for _, high in ranges) + 1 if end is None else end
    start, end = max(start, -(1 << 63)), min(end, 1 << 63)
    return make_edges(start, end, query.buckets) if start < end and lines else None


class _Line:
    """One series of a chart, read in one transaction."""

    def __init__(self, tx: Transaction, one: StoredSeries, axis: Axis, sizes: Sizes) -> None:
        self._tx = tx
        self._one = one
        self._axis: Axis = axis
        self._sizes = sizes
        self._outlines = stored.outlines(tx, one.id)
        self._tail = tail_of(tx, one)

    def range(self) -> tuple[int, int] | None:
        """The least and the greatest step or time; None where there are no points."""
        found = [self._range_of(outline) for outline in self._outlines]
        if self._tail is not None:
            at = self._tail.steps if self._axis == "step" else self._tail.times
            found.append((int(at.min()), int(at.max())))
        if not found:
            return None
        return min(low for low, _ in found), max(high for _, high in found)

    def drawn(self, edges: Edges, most: int) -> BucketSeries:
        """The series over some buckets.

        Args:
            edges: The buckets.
            most: Up to so many points, all of them are read.
        """
        buckets = Buckets(edges)
        with naming(self._one.summary):
            self._fill(buckets, most)
        return BucketSeries(
            run_id=self._one.summary.run_id,
            name=self._one.summary.name,
            column=self._one.summary.column,
            count=chunks.encode_numbers(buckets.count),
            not_finite=chunks.encode_numbers(buckets.not_finite),
            minimum=chunks.encode_numbers(buckets.minimum),
            maximum=chunks.encode_numbers(buckets.maximum),
            mean=chunks.encode_numbers(buckets.mean),
            last=chunks.encode_numbers(buckets.last),
        )

    def _fill(self, buckets: Buckets, most: int) -> None:
        edges = buckets.edges
        wanted = [one for one in self._outlines if self._overlaps(one, edges)]
        count = sum(one.count for one in wanted)
        counted = [one for one in wanted if one.has_overviews] if count > most else []
        if counted:
            self._add_overviews(buckets, counted, self._level(count, len(edges)))
        with_units = {one.position for one in counted}
        for outline in wanted:
            if outline.position not in with_units:
                self._add_points(buckets, outline, None)
        if self._tail is not None:
            at = self._tail.steps if self._axis == "step" else self._tail.times
            before = self._one.summary.count - len(at)
            _add(buckets, at, self._tail.values, before)

    def _level(self, count: int, buckets: int) -> Level:
        """The coarsest units of which there are enough for each bucket."""
        needed = self._sizes.units * buckets
        if count // self._sizes.coarse >= needed:
            return "coarse"
        return "medium" if count // self._sizes.medium >= needed else "fine"

    def _add_overviews(self, buckets: Buckets, outlines: Sequence[Outline], level: Level) -> None:
        read = read_units(self._tx, self._one.id, outlines, level, _FIELDS[self._axis])
        units = joined([one.units for one in read])
        logged = np.concatenate(
            [
                np.arange(len(one.units), dtype=np.int64) * one.size + outline.position
                for outline, one in zip(outlines, read, strict=True)
            ]
        )
        fits = buckets.fits(units, self._axis)
        buckets.add_units(units[fits], self._axis, logged[fits])
        apart = ~fits & ~buckets.misses(units, self._axis)
        if not apart.any():
            return
        ends = np.cumsum([len(one.units) for one in read])
        for outline, one, chosen in zip(outlines, read, np.split(apart, ends[:-1]), strict=True):
            if chosen.any():
                self._add_points(buckets, outline, np.repeat(chosen, one.size)[: outline.count])

    def _add_points(self, buckets: Buckets, outline: Outline, chosen: Bools | None) -> None:
        """Count the points of a chunk, all or those of some places."""
        at, values = self._points(outline)
        _add(buckets, at, values, outline.position, chosen)

    def _points(self, outline: Outline) -> tuple[Ints, Values]:
        """Where the points of a chunk stand on the axis, and their values."""
        if self._axis == "step":
            steps, values = stored.steps_and_values(self._tx, self._one.id, outline.position)
            at = integers(steps)
        else:
            columns = stored.columns(self._tx, self._one.id, outline.position)
            at, values = integers(columns.times), columns.values
        decoded = chunks.decode(values)
        if not len(at) == len(decoded) == outline.count:
            raise chunks.damaged(f"{outline.count} points have {len(at)} and {len(decoded)} parts")
        return at, decoded

    def _bounds(self, outline: Outline) -> tuple[int | None, int | None]:
        if self._axis == "step":
            return outline.low_step, outline.high_step
        return outline.low_time, outline.high_time

    def _overlaps(self, outline: Outline, edges: Edges) -> bool:
        low, high = self._bounds(outline)
        if low is None or high is None:
            return True
        return high >= int(edges.lower[0]) and low < edges.end

    def _range_of(self, outline: Outline) -> tuple[int, int]:
        low, high = self._bounds(outline)
        if low is None or high is None:  # of a workspace of schema 1
            with naming(self._one.summary):
                at = self._points(outline)[0]
            return int(at.min()), int(at.max())
        return low, high


def _add(
    buckets: Buckets, at: Ints, values: Values, position: int, chosen: Bools | None = None
) -> None:
    """Count points that stand at a position of their series, all or some of them."""
    logged = np.arange(position, position + len(at), dtype=np.int64)
    numbers, places = numbers_of(values)
    if places is not None:
        at, logged = at[places], logged[places]
        chosen = None if chosen is None else chosen[places]
    if chosen is not None:
        at, numbers, logged = at[chosen], numbers[chosen], logged[chosen]
    buckets.add(at, numbers, logged)
