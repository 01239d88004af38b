import math
import os
import pty
import subprocess
import sys

import pytest

from headway.cli import times
from headway.cli.charts import Point, numbers, reduced
from headway.cli.metrics import value_text
from headway.cli.output import json_value, one_line, printable
from headway.cli.tables import Column, print_pairs, print_table

_SECOND = 1_000_000


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "just now"),
        (-5, "just now"),
        (1, "1 s ago"),
        (119, "119 s ago"),
        (120, "2 min ago"),
        (7_199, "119 min ago"),
        (7_200, "2 h ago"),
        (2 * 86_400, "2 d ago"),
        (29 * 86_400, "29 d ago"),
    ],
)
def test_ages(seconds: int, shown: str) -> None:
    assert times.age(1_000_000, 1_000_000 + seconds * _SECOND) == shown


def test_what_is_long_ago_is_a_day() -> None:
    assert times.age(0, 365 * 86_400 * _SECOND) in {"1970-01-01", "1969-12-31"}
    assert times.age(None, 1) == "-"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0.0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (61, "1 min 01 s"),
        (3_660, "1 h 01 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations(seconds: float, shown: str) -> None:
    assert times.duration(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (123_456, "123 kB"), (5 * 10**12, "5.0 TB")],
)
def test_sizes(count: int, shown: str) -> None:
    assert times.size(count) == shown


def test_numbers_that_json_lacks_are_texts() -> None:
    given = {"a": [math.nan, math.inf, -math.inf, 1.5], "b": (1, None, True, "x")}
    assert json_value(given) == {
        "a": ["NaN", "Infinity", "-Infinity", 1.5],
        "b": [1, None, True, "x"],
    }


def test_what_would_steer_a_terminal_is_made_visible() -> None:
    assert printable("a\x1b[31mb\r\x9b\n\tc") == "a\\x1b[31mb\\r\\x9b\n\tc"
    assert one_line("a\n  b\tc\x07") == "a b c\\x07"
    assert printable("Größe 測") == "Größe 測"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "-"), (True, "True"), (10**20, "1" + "0" * 20), (1 / 3, "0.333333"), ("t", "t")],
)
def test_values_in_tables(value: float | bool | str | None, shown: str) -> None:
    assert value_text(value) == shown


def test_a_table_is_plain_and_whole_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [Column("NAME", shorten=True), Column("COUNT", right=True), Column("測")]
    print_table(columns, [["a" * 300, "1", ""], ["測[b]x[/b]", "22", ":smile:"]], indent=1)
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == f" NAME{' ' * 298}COUNT  測"
    assert second == f" {'a' * 300}      1"
    assert third == f" 測[b]x[/b]{' ' * 290}     22  :smile:"


def test_pairs_stand_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    print_pairs([("a", "1"), ("long", "two\nlines"), ("b", "")])
    assert capsys.readouterr().out == "a     1\nlong  two lines\nb\n"


def _on_terminal(program: str, columns: int, environment: dict[str, str]) -> str:
    """What a Python program writes to a terminal that is so wide."""
    own, its = pty.openpty()
    sized = f"import termios\ntermios.tcsetwinsize(1, (24, {columns}))\n"
    inherited = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "COLUMNS"}}
    process = subprocess.Popen(
        [sys.executable, "-c", sized + program],
        stdout=its,
        stderr=its,
        env={**inherited, "TERM": "xterm", **environment},
    )
    os.close(its)
    written = b""
    while True:
        try:
            data = os.read(own, 4096)
        except OSError:  # the terminal's way of saying that its program has ended
            break
        if not data:
            break
        written += data
    os.close(own)
    assert process.wait() == 0, written
    return written.decode().replace("\r\n", "\n")


_WIDE_TABLE = """
from headway.cli.tables import *
from headway.model import Status
columns = [Column("RUN"), Column("STATUS"), Column("NAME", shorten=True), Column("TAGS", drop=1)]
print_table(columns, [["r" * 20, status_text(Status.FAILED), "n" * 60, "t" * 30]])
"""


def test_a_table_fits_a_terminal() -> None:
    text = _on_terminal(_WIDE_TABLE, 60, {"NO_COLOR": "1"})
    assert "\x1b[31m" not in text
    head, row = (line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in text.splitlines())
    assert head.split() == ["RUN", "STATUS", "NAME"]  # the tags had to go
    assert row == "r" * 20 + "  Failed  " + "n" * 29 + "…"
    wide = _on_terminal(_WIDE_TABLE, 140, {"NO_COLOR": "1"})
    assert "t" * 30 in wide
    assert "n" * 60 in wide


def test_a_terminal_shows_colours() -> None:
    assert "\x1b[31m" in _on_terminal(_WIDE_TABLE, 100, {})


def test_charts_are_given_finite_numbers_only() -> None:
    values = [1, math.nan, "text", None, True, math.inf, -1e308]
    assert numbers(values, 5) == [Point(5, 1.0), Point(9, 1.0), Point(11, -1e300)]


def test_no_spike_disappears_from_a_chart() -> None:
    points = [Point(at, 0.0) for at in range(100_000)]
    points[77_777] = Point(77_777, 9.0)
    points[3] = Point(3, -9.0)
    shown = reduced(points, 50)
    assert len(shown) <= 100
    assert points[77_777] in shown
    assert points[3] in shown
    assert list(shown) == sorted(shown)
