import math

import pytest
from tests.cli.terminal import Terminal

from headway.cli import times
from headway.cli.output import json_value, one_line, printable
from headway.cli.summaries import value_text
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


_WIDE_TABLE = """
from headway.cli.summaries import value_text
from headway.cli.tables import *
from headway.model import Status
columns = [Column("RUN"), Column("STATUS"), Column("NAME", shorten=True), Column("TAGS", drop=1)]
print_table(columns, [["r" * 20, status_text(Status.FAILED), "n" * 60, "t" * 30]])
"""


def test_a_table_fits_a_terminal() -> None:
    text = Terminal(_WIDE_TABLE, 60, {"NO_COLOR": "1"}).finish()
    assert "\x1b[31m" not in text
    head, row = (line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in text.splitlines())
    assert head.split() == ["RUN", "STATUS", "NAME"]  # the tags had to go
    assert row == "r" * 20 + "  Failed  " + "n" * 29 + "…"
    wide = Terminal(_WIDE_TABLE, 140, {"NO_COLOR": "1"}).finish()
    assert "t" * 30 in wide
    assert "n" * 60 in wide


def test_a_terminal_shows_colours() -> None:
    assert "\x1b[31m" in Terminal(_WIDE_TABLE, 100, {}).finish()
