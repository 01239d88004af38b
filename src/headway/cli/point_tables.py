"""Points of metrics as a table whose rows are printed as they are read.

``headway.cli.tables`` needs all rows to know how wide a column is. Here a column is as wide as what
it held so far, so that millions of rows cost no memory and the first one is there at once.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

import click

from headway.cli import tables, times
from headway.cli.output import one_line, say
from headway.cli.point_reading import Logged, PointReader
from headway.cli.summaries import title
from headway.cli.tables import cells_of, fit
from headway.model import Scalar, SeriesSummary

if TYPE_CHECKING:
    from headway.metrics.frames import Spread

_GAP: Final = 2
_SHORTEST: Final = 10
"""Cells that a text keeps."""
_ROWS: Final = 1000
"""Rows that are laid out together."""


class RowPrinter:
    """Prints rows under a heading, in columns that only grow.

    Args:
        titles: One a column.
        left: Columns whose cells begin on the left, as texts do; others end on the right.
    """

    def __init__(self, titles: Sequence[str], left: Iterable[int] = ()) -> None:
        self._titles = [one_line(one) for one in titles]
        self._left = {*left}
        self._widths = [cells_of(one) for one in self._titles]
        self._last = len(titles) - 1
        self.begun = False
        """Whether there was a row."""

    def print(self, rows: Iterable[Sequence[str]]) -> None:
        """Print rows, the heading before the first ones."""
        remaining = iter(rows)
        while group := list(islice(remaining, _ROWS)):
            room = tables.width()
            share = max(_SHORTEST, room // len(self._titles))
            columns = [list(column) for column in zip(*group, strict=True)]
            for index, column in enumerate(columns):
                if index in self._left and index < self._last:  # leave room for what comes after
                    columns[index] = column = [fit(text, share) for text in column]
                self._widths[index] = max(self._widths[index], *map(cells_of, column))
            if not self.begun:
                heading = self._lines([[title] for title in self._titles])[0]
                click.secho(fit(heading, room), bold=True)
                self.begun = True
            click.echo("\n".join(fit(line, room) for line in self._lines(columns)))

    def _lines(self, columns: Sequence[Sequence[str]]) -> list[str]:
        padded = [
            _padded(column, self._widths[index], left=index in self._left)
            for index, column in enumerate(columns)
        ]
        gap = " " * _GAP
        return [gap.join(row).rstrip() for row in zip(*padded, strict=True)]


def _padded(texts: Sequence[str], width: int, *, left: bool) -> list[str]:
    if left:
        return [text + " " * (width - cells_of(text)) for text in texts]
    return [" " * (width - cells_of(text)) + text for text in texts]


class LoggedPrinter:
    """Prints points of one or several metrics, below each other as they were logged."""

    def __init__(self) -> None:
        self._rows = RowPrinter(["TIME", "STEP", "METRIC", "VALUE"], {2, 3})

    def print(self, found: Iterable[Logged]) -> None:
        """Print points."""
        self._rows.print(
            (times.precise(row.time), str(row.step), title(series), cell(row.value))
            for series, row in found
        )


def print_points(reader: PointReader, found: Sequence[SeriesSummary]) -> None:
    """Print every value: of one series with step and time, of several side by side by step."""
    printer = (_print_side_by_side if len(found) > 1 else _print_one)(reader, found)
    if not printer.begun:
        say("headway: there are no values")


def _print_one(reader: PointReader, found: Sequence[SeriesSummary]) -> RowPrinter:
    printer = RowPrinter(["STEP", "TIME", "VALUE"], {2})
    for steps, moments, values in reader.read(found[0]):
        columns = (map(str, steps), map(times.precise, moments), map(cell, values))
        printer.print(zip(*columns, strict=True))
    return printer


def _print_side_by_side(reader: PointReader, found: Sequence[SeriesSummary]) -> RowPrinter:
    from headway.metrics import frames  # noqa: PLC0415  (brings NumPy)

    read = [reader.read(series).arrays() for series in found]
    joined = frames.join([points.steps for points in read])
    count = len(joined.steps)
    columns = [
        frames.spread(frames.array(points.values), rows, count)
        for points, rows in zip(read, joined.rows, strict=True)
    ]
    texts = {index for index, column in enumerate(columns, start=1) if column.values.dtype == "O"}
    printer = RowPrinter(["STEP", *(title(series) for series in found)], texts)
    for begin in range(0, count, _ROWS):
        stretch = slice(begin, begin + _ROWS)
        cells = [[str(step) for step in joined.steps[stretch].tolist()]]
        cells += [_cells(column, stretch) for column in columns]
        printer.print(zip(*cells, strict=True))
    return printer


def _cells(column: "Spread", stretch: slice) -> list[str]:
    shown = [cell(value) for value in cast("list[Scalar]", column.values[stretch].tolist())]
    if column.holes is None:
        return shown
    holes = column.holes[stretch].tolist()
    return ["" if hole else text for text, hole in zip(shown, holes, strict=True)]


def cell(value: Scalar) -> str:
    """A value as it is, in one line."""
    if isinstance(value, str):
        return one_line(value)
    return "-" if value is None else str(value)
