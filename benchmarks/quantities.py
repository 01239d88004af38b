"""Figures as text, and what two of them say about each other."""

import math
import statistics

from benchmarks.contests.field import Cell
from benchmarks.contests.measures import Measure
from benchmarks.harness import Curve, Timing

SHARES = {"share", "of 8"}
"""Units whose figures are said as they are: how many times more is found says little."""


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= size:
            return f"{_three(seconds / size)} {unit}"
    return f"{seconds / 1e-9:.0f} ns"


def quantity(value: float, unit: str) -> str:
    """A figure with its unit."""
    if unit == "s":
        return duration(value)
    if unit == "bytes":
        return _bytes(value)
    if unit == "share":
        return f"{100 * value:.4g} %"
    if unit == "of 8":
        return f"{value:g} of 8"
    return f"{_three(value)}/s"


def _bytes(value: float) -> str:
    """Three digits and a decimal unit."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= size:
            return f"{_three(value / size)} {unit}"
    return f"{_three(value)} B"


def _three(value: float) -> str:
    """Three digits, never with an exponent."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def ratio_of(measure: Measure, subject: Cell, peer: Cell) -> float | None:
    """How many times better headway is than a peer; below 1, the peer is ahead."""
    ours, theirs = subject.value, peer.value
    if ours is None or theirs is None:
        return None
    better, worse = (theirs, ours) if measure.more_is_better else (ours, theirs)
    return worse / better if better else None


def ratio_text(measure: Measure, subject: Cell, peer: Cell | None) -> str:
    """A peer's place in the table: a ratio, its share, or why there is none."""
    if peer is None:
        return ""
    if peer.value is None:
        return "failed" if peer.error else "-"
    if measure.unit in SHARES:
        return quantity(peer.value, measure.unit)
    ratio = ratio_of(measure, subject, peer)
    about = "~" if "extrapolated" in peer.note else ""
    return "" if ratio is None else f"{about}{_ratio(ratio)}x"


def _ratio(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else _three(ratio) if ratio < 10 else f"{ratio:.1f}"


def ahead(measure: Measure, subject: Cell, peer: Cell) -> bool:
    """Whether the peer's figure is the better one, by more than the noise of a few percent."""
    ratio = ratio_of(measure, subject, peer)
    return ratio is not None and ratio < 0.95


def has_tail(timing: Timing) -> bool:
    """Whether there are enough measurements for a 99th percentile that is not the maximum."""
    return timing.count > 100


def exponent(curve: Curve) -> float:
    """The power of the size with which the values grow, fitted by least squares on logarithms."""
    pairs = [(s, v) for s, v in zip(curve.sizes, curve.values, strict=True) if s > 0 and v > 0]
    if len({size for size, _ in pairs}) < 2:
        return math.nan
    sizes = [math.log(size) for size, _ in pairs]
    values = [math.log(value) for _, value in pairs]
    return statistics.linear_regression(sizes, values).slope
