"""Line charts in the terminal, through plotext.

What is drawn are the least and the greatest number of each bucket, so that no spike disappears and
a hundred million points are as fast as a hundred. plotext's compiled part aborts the whole process
when it meets a NaN, so it is given finite numbers only.
"""

# plotext has no type hints:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

import math
import sys
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, cast

import click
import plotext

from headway.cli import tables
from headway.cli.output import one_line
from headway.sdk.metrics.chart import Chart, ChartSeries

_WIDEST: Final = 100
_NARROWEST: Final = 30
_ROWS: Final = 12
_MOST_TICKS: Final = 7
_LARGEST: Final = 1e300
_COLORS: Final = ("cyan", "orange", "magenta", "green", "red", "blue")
_SIGNS: Final = "*+ox#@%="
"""What tells lines apart where there are no colours."""
_PLAIN_FRAME: Final = str.maketrans("─│┌┐└┘┬┤", "-|++++++")


class Point(NamedTuple):
    """A number and the step where it stands."""

    at: float
    value: float


class Line(NamedTuple):
    """A line of a chart."""

    label: str
    points: Sequence[Point]


def width() -> int:
    """The columns of a chart in this terminal."""
    return max(_NARROWEST, min(tables.width(), _WIDEST))


def buckets() -> int:
    """How finely to divide the steps: braille has two dots a column."""
    return 2 * width()


def lines_of(chart: Chart, labels: Iterable[str]) -> list[Line]:
    """The series that have finite numbers, as lines.

    Args:
        chart: Over steps.
        labels: One for each of its series.
    """
    edges = cast("list[float]", chart.edges.tolist())
    if len(edges) < 2:
        return []
    first, span, buckets = edges[0], edges[-1] - 1 - edges[0], len(edges) - 1
    # From the first step to the last one; where a bucket is a step these are the steps.
    places = [first + span * index / max(1, buckets - 1) for index in range(buckets)]
    lines = [
        Line(label, _points(places, series))
        for label, series in zip(labels, chart.series, strict=True)
    ]
    return [line for line in lines if line.points]


def _points(places: Sequence[float], series: ChartSeries) -> list[Point]:
    """Both ends of each bucket, the one first that is closer to where the line comes from."""
    lows = cast("list[float]", series.minimum.tolist())
    highs = cast("list[float]", series.maximum.tolist())
    points: list[Point] = []
    for at, low, high in zip(places, lows, highs, strict=True):
        ends = [_drawable(end) for end in dict.fromkeys((low, high)) if math.isfinite(end)]
        if points:
            before = points[-1].value
            ends.sort(key=lambda end: abs(end - before))
        points += [Point(at, end) for end in ends]
    return points


def _drawable(value: float) -> float:
    """What plotext can calculate with: it must not come to infinite numbers on its way."""
    return max(-_LARGEST, min(_LARGEST, value))


def render(lines: Sequence[Line]) -> list[str]:
    """A chart as rows of text: the label of a single line above it, else a legend."""
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    wide = width()
    figure.plot_size(wide, _ROWS)
    if len(lines) == 1:
        figure.title(one_line(lines[0].label))
    for line, (marker, _) in zip(lines, _markers(len(lines)), strict=True):
        places = [point.at for point in line.points]
        signal = figure.signal(places, [point.value for point in line.points], marker=marker)
        figure.draw(signal.lines())
    for axis, numbers in (
        ("x", [point.at for line in lines for point in line.points]),
        ("y", [point.value for line in lines for point in line.points]),
    ):
        if min(numbers) == max(numbers):
            figure.ruler(axis).lim(*_around(numbers[0]))
    ticks = _ticks(lines, wide)
    figure.ruler("x").ticks(ticks, [str(tick) for tick in ticks])
    text = str(figure.build().string())
    if not _colored():
        text = str(plotext.uncolorize(text))
    if not _knows_braille():
        text = text.translate(_PLAIN_FRAME)
    return [*_legend(lines), *(row.rstrip() for row in text.splitlines())]


def print_rows(rows: Iterable[str]) -> None:
    """Print a chart."""
    for row in rows:
        click.echo(row, color=True)


def _around(number: float) -> tuple[float, float]:
    """Limits with a number in their middle, which are not equal however large it is."""
    room = max(1.0, abs(number) / 2)
    return number - room, number + room


def _markers(count: int) -> list[tuple[object, str]]:
    """For each line what draws it, and its sign in the legend."""
    dots = "braille" if _knows_braille() else None
    if count == 1:
        return [(dots or "*", "")]
    colors = [_COLORS[index % len(_COLORS)] for index in range(count)]
    signs = [_SIGNS[index % len(_SIGNS)] for index in range(count)]
    if not _colored():
        return [(sign, sign) for sign in signs]
    return [
        (plotext.marker(dots or sign, color), str(plotext.colorize("━━" if dots else sign, color)))
        for sign, color in zip(signs, colors, strict=True)
    ]


def _legend(lines: Sequence[Line]) -> list[str]:
    if len(lines) == 1:
        return []
    signs = (sign for _, sign in _markers(len(lines)))
    return [f"{sign} {one_line(line.label)}" for sign, line in zip(signs, lines, strict=True)]


def _ticks(lines: Sequence[Line], wide: int) -> list[int]:
    """Round steps along the axis, as many as have room, and the first and the last one."""
    first = math.floor(min(line.points[0].at for line in lines))
    last = math.ceil(max(line.points[-1].at for line in lines))
    longest = max(len(str(first)), len(str(last)))
    count = max(2, min(_MOST_TICKS, wide // (longest + 4)))
    apart = _round_up(-(-(last - first) // (count - 1)))
    between = range(-(-first // apart) * apart, last, apart)
    room = apart * 2 // 5  # for the label of an end
    return [
        first,
        *(tick for tick in between if first + room < tick < last - room),
        *([last] if last > first else []),
    ]


def _round_up(number: int) -> int:
    """The least of 1, 2, 5, 10, 20 ... that is not below it."""
    power = 10 ** max(0, len(str(number)) - 1)
    return next(step * power for step in (1, 2, 5, 10) if step * power >= number)


def _colored() -> bool:
    out = tables.console()
    return out.color_system is not None and not out.no_color


def _knows_braille() -> bool:
    try:
        "⣿┤".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
