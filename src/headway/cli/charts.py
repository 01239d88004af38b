"""A small line chart in the terminal, through plotext.

plotext's compiled part aborts the whole process when it meets a NaN, and is slow with a million
points. It is given few and finite ones: the least and the greatest of each stretch, so that no
spike disappears.
"""

# plotext has no type hints:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

import math
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

import click
import plotext

from headway.cli import tables
from headway.model import Scalar

_WIDEST: Final = 100
_NARROWEST: Final = 30
_ROWS: Final = 12
_LARGEST: Final = 1e300


class Point(NamedTuple):
    """A value and where in the series it stands."""

    at: int
    value: float


def numbers(values: Sequence[Scalar], first: int = 0) -> list[Point]:
    """The finite numbers of a series, counted from ``first`` on."""
    return [
        Point(at, max(-_LARGEST, min(_LARGEST, float(value))))
        for at, value in enumerate(values, start=first)
        if isinstance(value, int | float) and math.isfinite(value)
    ]


def print_chart(title: str, points: Sequence[Point]) -> None:
    """Draw a line through the points."""
    wide = max(_NARROWEST, min(tables.width(), _WIDEST))
    shown = reduced(points, wide)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(wide, _ROWS)
    figure.title(title)
    line = figure.signal(
        [point.at for point in shown], [point.value for point in shown], marker=_marker()
    )
    figure.draw(line.lines())
    for row in str(plotext.uncolorize(figure.build().string())).splitlines():
        click.echo(row.rstrip())


def reduced(points: Sequence[Point], stretches: int) -> Sequence[Point]:
    """At most two points a stretch: the least and the greatest, in their order."""
    if len(points) <= 2 * stretches:
        return points
    kept: list[Point] = []
    for number in range(stretches):
        start = number * len(points) // stretches
        stretch = points[start : (number + 1) * len(points) // stretches]
        ends = {min(stretch, key=_value), max(stretch, key=_value)}
        kept += sorted(ends)
    return kept


def _value(point: Point) -> float:
    return point.value


def _marker() -> str:
    try:
        "⣿┤".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return "*"
    return "braille"
