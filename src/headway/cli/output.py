"""Writing: data to standard output, everything else to standard error."""

import json
import math
import sys
import unicodedata
from collections.abc import Mapping
from typing import cast

import click


def write_json(document: object) -> None:
    """Write one JSON document: ASCII only, so that it survives every terminal and locale."""
    click.echo(json_text(document))


def json_text(document: object) -> str:
    """The text of a JSON document."""
    return json.dumps(json_value(document), indent=2, allow_nan=False)


def write_json_line(document: object) -> None:
    """Write a JSON document in one line, at once."""
    click.echo(json.dumps(json_value(document), allow_nan=False))
    sys.stdout.flush()


def json_value(value: object) -> object:
    """The value with numbers that JSON does not have as the texts NaN, Infinity, -Infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(k): json_value(v) for k, v in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in cast("list[object]", value)]
    return value


def write_bytes(data: bytes) -> None:
    """Write bytes exactly as they are, at once."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def write(text: str = "") -> None:
    """Write a line of data."""
    click.echo(text)


def say(text: str) -> None:
    """Tell the person something that is not data."""
    click.echo(text, err=True)


def printable(text: str) -> str:
    """The text with characters that would steer a terminal made visible; line ends stay."""
    if text.isprintable():
        return text
    return "".join(
        repr(c)[1:-1] if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t" else c
        for c in text
    )


def one_line(text: str) -> str:
    """The text in one line, for a cell of a table."""
    return printable(" ".join(text.split()) if "\n" in text or "\t" in text else text)
