"""Tables and status colours, through rich; only imported where something of that is printed.

On a terminal a table fits its width: what can be shortened is, and columns go that may go.
Elsewhere nothing is cut, and there is no colour.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from headway.cli.output import one_line
from headway.model import Status

_UNLIMITED: Final = 100_000
_GAP: Final = 2
_SHORTEST: Final = 10
"""Cells that a column keeps which can be shortened."""

_STYLES: Final = {
    Status.COMPLETED: "green",
    Status.FAILED: "red",
    Status.CANCELED: "yellow",
    Status.CANCEL_REQUESTED: "yellow",
    Status.NOT_RESPONDING: "magenta",
    Status.RUNNING: "cyan",
}


class Column(NamedTuple):
    """One column of a table."""

    title: str
    right: bool = False
    shorten: bool = False
    """Whether it may be shortened to fit a terminal."""
    drop: int = 0
    """Its turn to be left out where a terminal is too narrow; 0 for never."""


def console() -> Console:
    """Where to print text with styles. NO_COLOR and the like are obeyed."""
    return Console(
        file=sys.stdout,
        width=width(),
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def width() -> int:
    """The cells in a line of the terminal; no limit where output goes elsewhere."""
    if not sys.stdout.isatty():
        return _UNLIMITED
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except OSError:
        return 80


def status_text(status: Status) -> Text:
    """A status in its colour."""
    return Text(str(status), style=_STYLES.get(status, ""))


def print_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str | Text]], indent: int = 0
) -> None:
    """Print a table without lines."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    room = width() - indent
    kept = _fitting(columns, cells, room)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for index in kept:
        column = columns[index]
        table.add_column(
            Text(column.title),
            justify="right" if column.right else "left",
            no_wrap=not column.shorten,
        )
    for row in cells:
        table.add_row(*(row[index] for index in kept))
    out = console()
    with out.capture() as capture:
        out.print(table, width=min(room, _natural(columns, cells, kept)), soft_wrap=False)
    for line in capture.get().splitlines():
        click.echo(" " * indent + line.rstrip(), color=True)


def print_pairs(pairs: Sequence[tuple[str, str | Text]], indent: int = 0) -> None:
    """Print names and values, one pair a line, the values in one column."""
    longest = max((cell_len(one_line(name)) for name, _ in pairs), default=0)
    out = console()
    for name, value in pairs:
        shown = one_line(name)
        line = Text(" " * indent + shown, style="bold")
        line.append(" " * (longest - cell_len(shown) + _GAP))
        line.append_text(_cell(value, style="not bold"))
        line.rstrip()
        out.print(line)


def print_title(title: str) -> None:
    """Print the heading of a section."""
    out = console()
    out.print()
    out.print(Text(title, style="bold"))


def _cell(value: str | Text, style: str = "") -> Text:
    if isinstance(value, Text):
        text = value.copy()
        text.stylize(style)
    else:
        text = Text(one_line(value), style=style)
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[Text]]) -> list[int]:
    return [
        max([cell_len(column.title), *(row[index].cell_len for row in cells)])
        for index, column in enumerate(columns)
    ]


def _natural(
    columns: Sequence[Column], cells: Sequence[Sequence[Text]], kept: Sequence[int]
) -> int:
    widths = _widths(columns, cells)
    return sum(widths[index] + _GAP for index in kept)


def _fitting(
    columns: Sequence[Column], cells: Sequence[Sequence[Text]], room: int
) -> Sequence[int]:
    """The columns that a line has room for, once what can be shortened is."""
    widths = _widths(columns, cells)
    least = [
        min(wide, _SHORTEST) if column.shorten else wide
        for column, wide in zip(columns, widths, strict=True)
    ]
    kept = list(range(len(columns)))
    for index in sorted((i for i in kept if columns[i].drop), key=lambda i: columns[i].drop):
        if sum(least[i] + _GAP for i in kept) - _GAP <= room:
            break
        kept.remove(index)
    return kept
