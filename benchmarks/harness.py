"""Measuring: acts in turn, again and again; medians and tails; one line a figure."""

import gc
import math
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

Act = Callable[[], float]
"""Something that is measured; it returns the seconds that it took."""


class Effort(NamedTuple):
    """How long a measurement may take, and how large it is."""

    quick: bool = False
    scale: int = 1
    """How many times the usual number of runs, children or points there are."""

    def rounds(self, usual: int, quick: int) -> int:
        """How often to measure."""
        return quick if self.quick else usual


class Timing(msgspec.Struct, frozen=True):
    """Many measurements of one thing, in seconds."""

    count: int
    median_s: float
    p99_s: float
    low_s: float
    high_s: float


class Line(msgspec.Struct, frozen=True, tag=True):
    """One line of the table."""

    what: str
    timing: Timing
    baseline: str = ""
    """What the figure is compared with; empty for nothing."""
    base: Timing | None = None
    aim: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure in units of its baseline, median by median."""
        if self.base is None or not self.base.median_s:
            return None
        return self.timing.median_s / self.base.median_s

    @property
    def above_s(self) -> float | None:
        """What the figure adds to its baseline, median by median."""
        return None if self.base is None else self.timing.median_s - self.base.median_s


class Curve(msgspec.Struct, frozen=True, tag=True):
    """How one thing grows with the size of something."""

    what: str
    of: str
    """What there is more and more of: points, runs."""
    unit: str
    """``s`` or ``bytes``."""
    sizes: list[int]
    values: list[float]
    wall: str = ""
    """What stops it first, and what would move that."""


class Part(msgspec.Struct, frozen=True):
    """A function of a path."""

    name: str
    share: float
    """Of the path's time, in the function itself."""
    calls: int


class Profile(msgspec.Struct, frozen=True, tag=True):
    """Where the time of one hot path goes."""

    what: str
    wall_s: float
    """Without the profiler, as are the others."""
    user_s: float
    """Of all threads of the process."""
    system_s: float
    waits: int
    """How often a thread gave the processor away of itself: for a disk, a lock, a process."""
    page_faults: int
    parts: list[Part]
    bound: str = ""
    """What bounds it, and what would move that."""


Finding = Line | Curve | Profile
"""What a topic has found."""


def timing_of(samples: Sequence[float]) -> Timing:
    """Sum up measurements in seconds.

    Raises:
        ValueError: There are none.
    """
    ordered = sorted(samples)
    return Timing(
        count=len(ordered),
        median_s=percentile(ordered, 0.5),
        p99_s=percentile(ordered, 0.99),
        low_s=ordered[0],
        high_s=ordered[-1],
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    if not ordered:
        raise ValueError("no measurements were made")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def timed(act: Callable[[], object]) -> Act:
    """The act, with the whole call measured."""

    def measured() -> float:
        started = time.perf_counter()
        act()
        return time.perf_counter() - started

    return measured


def interleave(rounds: int, *acts: Act) -> list[Timing]:
    """Measure acts in turn (A B A B), so that whatever else the machine does meets them alike.

    One more round comes first, to warm up, and does not count.
    """
    samples: list[list[float]] = [[] for _ in acts]
    for act in acts:
        act()
    for _ in range(rounds):
        gc.collect()  # what one act left behind is not charged to the next
        for act, into in zip(acts, samples, strict=True):
            into.append(act())
    return [timing_of(each) for each in samples]
