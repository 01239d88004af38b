"""Tables and status colours, through rich; only imported where something of that is printed.

On a terminal a table fits its width: what can be shortened is, and columns go that may go.
Elsewhere nothing is cut, and there is no colour.
"""

import os
import sys
from collections.abc import Sequence
from typing import Final, NamedTuple

import click
from rich.cells import cell_len, set_cell_size
from rich.console import Console
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
    cells = [[_table_cell(cell) for cell in row] for row in rows]
    room = width() - indent
    natural = _widths(columns, cells)
    kept = _fitting(columns, natural, room)
    widths = _shared_out(columns, natural, kept, room)
    painter = _Painter()
    heading = [_TableCell(column.title, "bold") for column in columns]
    for row in [heading, *cells]:
        line = (" " * _GAP).join(
            painter.paint(row[index], widths[index], right=columns[index].right) for index in kept
        )
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


class _TableCell(NamedTuple):
    """One line of text, and its style in the words of rich."""

    text: str
    style: str = ""


class _Painter:
    """Makes cells as wide as their columns. rich is slow at it, and tables may be long."""

    def __init__(self) -> None:
        self._console = console()
        self._styled: dict[_TableCell, str] = {}

    def paint(self, cell: _TableCell, wide: int, *, right: bool) -> str:
        """The text in its style, with blanks where there is room and dots where there is none."""
        text = fit(cell.text, wide)
        blanks = " " * (wide - cells_of(text))
        if cell.style:
            text = self._in_style(_TableCell(text, cell.style))
        return blanks + text if right else text + blanks

    def _in_style(self, cell: _TableCell) -> str:
        if cell not in self._styled:
            with self._console.capture() as capture:
                self._console.print(Text(*cell), end="")
            self._styled[cell] = capture.get()
        return self._styled[cell]


def cells_of(text: str) -> int:
    """The cells that a text takes in a line; nearly all texts are ASCII."""
    return len(text) if text.isascii() else cell_len(text)


def fit(text: str, room: int) -> str:
    """The text, cut where it has more cells than there is room for."""
    return text if cells_of(text) <= room else set_cell_size(text, max(0, room - 1)) + "…"


def _table_cell(value: str | Text) -> _TableCell:
    if isinstance(value, Text):
        return _TableCell(one_line(value.plain), str(value.style))
    return _TableCell(one_line(value))


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[_TableCell]]) -> list[int]:
    return [
        max([cells_of(column.title), *(cells_of(row[index].text) for row in cells)])
        for index, column in enumerate(columns)
    ]


def _fitting(columns: Sequence[Column], widths: Sequence[int], room: int) -> Sequence[int]:
    """The columns that a line has room for, once what can be shortened is."""
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


def _shared_out(
    columns: Sequence[Column], natural: Sequence[int], kept: Sequence[int], room: int
) -> list[int]:
    """How wide to make the columns: the widest give way first, those that may be shortened."""
    widths = list(natural)
    over = sum(widths[index] + _GAP for index in kept) - _GAP - room
    shortened = [index for index in kept if columns[index].shorten]
    for giving, least in ((shortened, _SHORTEST), (kept, 1)):
        while over > 0 and any(widths[index] > least for index in giving):
            widths[max(giving, key=widths.__getitem__)] -= 1
            over -= 1
    return widths
