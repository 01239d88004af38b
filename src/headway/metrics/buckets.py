"""Points counted into the buckets of a chart.

A bucket holds what lies from its lower edge up to, but not on, its upper one. Edges are whole
numbers, so every point has exactly one bucket whatever the rounding of floats.
"""

from dataclasses import dataclass
from typing import Final, Literal, cast

import numpy as np

from headway.metrics.overviews import Units
from headway.metrics.records import Bools, Floats, Ints, Values

Axis = Literal["step", "time"]

_NUMERIC: Final = frozenset({float, int, bool})
_MAX_INT: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Where the buckets of a chart begin and end."""

    lower: Ints
    """Of each bucket."""
    end: int
    """Behind the last bucket; it may be 2**63, which no int64 is."""

    def __len__(self) -> int:
        return len(self.lower)

    def to_floats(self) -> Floats:
        """One edge more than there are buckets."""
        return np.append(self.lower.astype(np.float64), float(self.end))

    def indices(self, at: Ints) -> Ints:
        """The bucket of each place; -1 and ``len(self)`` for those in none."""
        found = np.searchsorted(self.lower, at, side="right") - 1
        if self.end <= _MAX_INT:
            found[at >= self.end] = len(self)
        return found.astype(np.int64, copy=False)


def make_edges(start: int, end: int, buckets: int) -> Edges:
    """Buckets of equal width, as far as whole numbers allow.

    Args:
        start: Where the first one begins.
        end: Where the last one ends, beyond ``start``.
        buckets: At most so many; fewer where there are fewer whole numbers.
    """
    count = max(1, min(buckets, end - start))
    span = end - start
    lower = [start + span * i // count for i in range(count)]
    return Edges(np.array(lower, np.int64), end)


class Buckets:
    """What was counted so far of one series, one number a bucket."""

    def __init__(self, edges: Edges) -> None:
        count = len(edges)
        self.edges = edges
        self.count = np.zeros(count, np.int64)
        self.not_finite = np.zeros(count, np.int64)
        self.minimum = np.full(count, np.nan)
        self.maximum = np.full(count, np.nan)
        self.total = np.zeros(count, np.float64)
        self.last = np.full(count, np.nan)
        self._logged = np.full(count, -1, np.int64)
        """Where in the series the last one stands."""

    @property
    def mean(self) -> Floats:
        """Of the finite numbers; NaN where there are none."""
        finite = self.count - self.not_finite
        return np.divide(self.total, finite, out=np.full(len(finite), np.nan), where=finite > 0)

    def add(self, at: Ints, numbers: Floats, logged: Ints) -> None:
        """Count points.

        Args:
            at: Their steps or times.
            numbers: Their values, as many.
            logged: Where in the series they stand, ascending.
        """
        if not len(at):
            return
        if (at[1:] >= at[:-1]).all():
            bounds = np.searchsorted(at, self.edges.lower)
            end = self.edges.end
            stop = len(at) if end > _MAX_INT else int(np.searchsorted(at, end))
        else:
            found = self.edges.indices(at)
            order = np.argsort(found.astype(_narrowest(len(self.edges))), kind="stable")
            numbers, logged, found = numbers[order], logged[order], found[order]
            bounds = np.searchsorted(found, np.arange(len(self.edges)))
            stop = int(np.searchsorted(found, len(self.edges)))
        sizes = np.diff(bounds, append=stop)
        filled = np.flatnonzero(sizes)
        if filled.size:
            self._add(filled, bounds[filled], sizes[filled], numbers[:stop], logged)

    def _add(self, places: Ints, begins: Ints, sizes: Ints, numbers: Floats, logged: Ints) -> None:
        """Count stretches of numbers, one a bucket, the last one up to the end."""
        self.count[places] += sizes
        lasts = begins + sizes - 1
        self._note_last(places, numbers[lasts], logged[lasts])
        self.minimum[places] = np.fmin(self.minimum[places], np.fmin.reduceat(numbers, begins))
        self.maximum[places] = np.fmax(self.maximum[places], np.fmax.reduceat(numbers, begins))
        finite = np.isfinite(numbers)
        if not finite.all():
            self.not_finite[places] += np.add.reduceat((~finite).astype(np.int64), begins)
            numbers = np.where(finite, numbers, 0.0)
        with np.errstate(over="ignore"):
            self.total[places] += np.add.reduceat(numbers, begins)

    def _note_last(self, places: Ints, numbers: Floats, logged: Ints) -> None:
        newer = logged >= self._logged[places]
        self.last[places[newer]] = numbers[newer]
        self._logged[places[newer]] = logged[newer]

    def fits(self, units: Units, axis: Axis) -> Bools:
        """Which units lie in one bucket or two neighbouring ones.

        The points of the others must be counted one by one, but for those of no bucket at all.
        """
        low = self.edges.indices(units[f"low_{axis}"])
        high = self.edges.indices(units[f"high_{axis}"])
        return (high - low <= 1) & (low >= 0) & (high < len(self.edges))

    def misses(self, units: Units, axis: Axis) -> Bools:
        """Which units have no point in any bucket."""
        low = self.edges.indices(units[f"low_{axis}"])
        high = self.edges.indices(units[f"high_{axis}"])
        return (high < 0) | (low >= len(self.edges))

    def add_units(self, units: Units, axis: Axis, logged: Ints) -> None:
        """Count units that fit.

        The least and the greatest point of a unit count in the bucket that they lie in, the rest
        in the one that its middle lies in.

        Args:
            units: In the order of logging.
            axis: What the edges are.
            logged: Where in the series they begin.
        """
        filled = units["count"] > 0
        units, logged = units[filled], logged[filled]
        low, high = units[f"low_{axis}"], units[f"high_{axis}"]
        places = self.edges.indices(
            (low & high) + ((low ^ high) >> 1)
        )  # the mean, without overflow
        count = units["count"].astype(np.int64)
        not_finite = units["not_finite"].astype(np.int64)
        total = units["total"].copy()
        for field, best, kept in (
            ("minimum", np.fmin, self.minimum),
            ("maximum", np.fmax, self.maximum),
        ):
            numbers, at = units[field], self.edges.indices(units[f"{field}_{axis}"])
            best.at(kept, at, numbers)
            apart = (at != places) & ~np.isnan(numbers)
            if field == "maximum":  # a unit of one number has one extreme
                apart &= (units["count"] > 1) & (numbers != units["minimum"])
            finite = np.isfinite(numbers)
            count -= apart
            not_finite -= apart & ~finite
            total -= np.where(apart & finite, numbers, 0.0)
            self._count_apart(at[apart], numbers[apart], logged[apart])
        self._count(places, count, not_finite, total)
        rest = count > 0
        self._note_lasts(places[rest], units["last"][rest], logged[rest] + 1)

    def _count_apart(self, places: Ints, numbers: Floats, logged: Ints) -> None:
        finite = np.isfinite(numbers)
        ones = np.ones(len(places), np.int64)
        self._count(places, ones, ones - finite, np.where(finite, numbers, 0.0))
        self._note_lasts(places, numbers, logged)

    def _count(self, places: Ints, count: Ints, not_finite: Ints, total: Floats) -> None:
        np.add.at(self.count, places, count)
        np.add.at(self.not_finite, places, not_finite)
        with np.errstate(over="ignore"):
            np.add.at(self.total, places, total)

    def _note_lasts(self, places: Ints, numbers: Floats, logged: Ints) -> None:
        """The last of each place; ``logged`` ascends."""
        ends, firsts = np.unique(places[::-1], return_index=True)
        lasts = len(places) - 1 - firsts
        self._note_last(ends, numbers[lasts], logged[lasts])


def numbers_of(values: Values) -> tuple[Floats, Ints | None]:
    """Values as float64, and the places of those that are numbers where not all are.

    Truth values are 0 and 1; whole numbers beyond what a float can be are infinite.
    """
    if isinstance(values, np.ndarray):
        return values.astype(np.float64, copy=False), None
    if {type(value) for value in values} <= _NUMERIC:
        try:
            return np.array(values, np.float64), None
        except OverflowError:  # one that is too large for a float
            return np.array([as_float(cast("float", value)) for value in values]), None
    places = [i for i, value in enumerate(values) if type(value) in _NUMERIC]
    numbers = np.array([as_float(cast("float", values[i])) for i in places], np.float64)
    return numbers, np.array(places, np.int64)


def as_float(value: float) -> float:
    """A number as a float; whole ones that are too large for it become infinite."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _narrowest(buckets: int) -> type[np.int16] | type[np.int32]:
    """NumPy sorts 16 bits by radix, ten times as fast."""
    return np.int16 if buckets < 1 << 15 else np.int32
