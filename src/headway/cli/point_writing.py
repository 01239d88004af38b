"""Points of metrics as JSON and as CSV, written as they are read."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeVar

import click

from headway.cli import times
from headway.cli.documents import summary_document
from headway.cli.output import json_value, write, write_bytes
from headway.cli.point_reading import Logged, PointReader
from headway.model import Scalar, SeriesSummary

_T = TypeVar("_T")
_LINES: Final = 4096
"""How many are written at once."""
_NEEDS_QUOTES: Final = {",", '"', "\r", "\n"}


def write_documents(reader: PointReader, found: Sequence[SeriesSummary]) -> None:
    """Write one JSON document: a list of metrics, each with its steps, times and values.

    As everywhere, times are ISO 8601 in UTC, and NaN and infinities texts.
    """
    write("[" if found else "[]")
    for number, series in enumerate(found, start=1):
        points = reader.read(series)
        write("  {")
        for key, value in summary_document(points.summary).items():
            write(f"    {json.dumps(key)}: {json.dumps(json_value(value), allow_nan=False)},")
        # Decoded once for each field: at most a stretch of them is in memory.
        _write_array("steps", (_json(one.steps) for one in points), ",")
        _write_array("times", (_json(map(times.iso, one.times)) for one in points), ",")
        _write_array("values", (_json(one.values) for one in points), "")
        write("  }," if number < len(found) else "  }\n]")


def _write_array(key: str, parts: Iterable[str], end: str) -> None:
    """One field of a document, given as the texts of lists of its elements."""
    click.echo(f'    "{key}": [', nl=False)
    before = ""
    for part in parts:
        if part != "[]":
            click.echo(before + part[1:-1], nl=False)
            before = ", "
    write(f"]{end}")


def _json(elements: Iterable[Scalar]) -> str:
    values = list(elements)
    try:
        return json.dumps(values, allow_nan=False)
    except ValueError:  # there is one that JSON does not have
        return json.dumps(json_value(values))


def write_json_lines(found: Iterable[Logged]) -> None:
    """Write a line of JSON for each point."""
    for group in _groups(found):
        documents = [
            {
                "name": series.name,
                "column": series.column,
                "step": step,
                "time": times.iso(at),
                "value": json_value(value),
            }
            for series, (step, at, value) in group
        ]
        write("\n".join(json.dumps(document, allow_nan=False) for document in documents))


def write_csv(reader: PointReader, found: Sequence[SeriesSummary]) -> None:
    """Write a line for each point, under a heading."""
    write_csv_heading()
    for series in found:
        for one in reader.read(series):
            _write_csv_rows(_name(series), zip(one.steps, one.times, one.values, strict=True))


def write_csv_heading() -> None:
    """Write the first line of CSV."""
    write_bytes(b"name,column,step,time,value\n")


def write_csv_lines(found: Iterable[Logged]) -> None:
    """Write a line of CSV for each point."""
    for group in _groups(found):
        write_bytes("".join(_csv_line(_name(series), *row) for series, row in group).encode())


def _write_csv_rows(name: str, rows: Iterable[tuple[int, int, Scalar]]) -> None:
    """Write points of one metric."""
    write_bytes("".join(_csv_line(name, *row) for row in rows).encode())


def _csv_line(name: str, step: int, at: int, value: Scalar) -> str:
    """A line, to be written in UTF-8 whatever the terminal."""
    return f"{name},{step},{times.iso(at)},{_cell(value)}\n"


def _name(series: SeriesSummary) -> str:
    return f"{_quoted(series.name)},{_quoted(series.column) if series.column else ''}"


def _groups(elements: Iterable[_T]) -> Iterator[list[_T]]:
    """Some at a time, so that output is neither held back nor written piece by piece."""
    remaining = iter(elements)
    while group := list(islice(remaining, _LINES)):
        yield group


def _cell(value: Scalar) -> str:
    """A value; None is nothing at all, an empty text a pair of quotes."""
    if isinstance(value, str):
        return _quoted(value)
    return "" if value is None else str(value)


def _quoted(text: str) -> str:
    if text and not _NEEDS_QUOTES.intersection(text):
        return text
    return '"' + text.replace('"', '""') + '"'
