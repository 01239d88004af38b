"""metrics: summaries, values, CSV, JSON and charts of what runs logged."""

import csv
import io
import json
import math
import os
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cli.conftest import HEADWAY, Cli
from tests.cli.terminal import Terminal, headway

from headway.cli import charts, times
from headway.cli.point_tables import RowPrinter
from headway.sdk.handles import Run
from headway.sdk.metrics.chart import Chart, ChartSeries
from headway.sdk.times import iso_time

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


@pytest.fixture
def logged(cli: Cli) -> Run:
    with cli.experiment().start_logging() as run:
        for step, value in enumerate((1.0, 0.5, math.nan, 0.25), start=1):
            run.log("loss", value, step=step)
        run.log("note", "some, text")
        run.log("count", 10**20)
        run.log_table("table", {"x": [1, 2], "y": [2.5, None]})
    return run


def words(text: str) -> list[list[str]]:
    """The cells of a table, which stand two or more blanks apart."""
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()]


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


# ---------------------------------------------------------------- summaries and values


def test_a_summary_of_metrics(cli: Cli, logged: Run) -> None:
    text = words(cli("metrics", logged.id).stdout)
    assert ["METRIC", "COUNT", "LAST", "MIN", "MAX", "STEPS"] in text
    assert ["loss", "4", "0.25", "0.25", "1", "1 to 4"] in text
    assert ["note", "1", "some, text", "-", "-", "0"] in text


def test_what_was_measured_comes_after_what_a_run_logged(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        run.log("system/cpu_percent", 50.0)
        run.log("loss", 1.0)
    for command in ("metrics", "show"):
        text = cli(command, run.id).stdout
        assert text.index("loss") < text.index("system/cpu_percent")
    assert [one["name"] for one in cli.json("metrics", run.id)] == ["loss", "system/cpu_percent"]


def test_the_values_of_one_metric_come_with_step_and_time(cli: Cli, logged: Run) -> None:
    heading, *rows = words(cli("metrics", logged.id, "loss").stdout)
    assert heading == ["STEP", "TIME", "VALUE"]
    assert [(step, value) for step, _, value in rows] == [
        ("1", "1.0"),
        ("2", "0.5"),
        ("3", "nan"),
        ("4", "0.25"),
    ]
    assert all(re.fullmatch(TIME, at) for _, at, _ in rows)


def test_the_columns_of_a_table_stand_side_by_side(cli: Cli, logged: Run) -> None:
    table = words(cli("metrics", logged.id, "table").stdout)
    assert table == [["STEP", "table.x", "table.y"], ["0", "1", "2.5"], ["1", "2", "-"]]


def test_a_column_is_named_as_the_summary_shows_it(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        run.log_table("a.b", {"x.y": [1, 2], "z": [3, 4]})
        run.log("b.x", 0.5)
    [shown] = [row for row in words(cli("metrics", run.id).stdout) if row[0].endswith("y")]
    assert shown[0] == "a.b.x.y"
    rows = rows_of(cli("metrics", run.id, "a.b.x.y", "b.x", "--csv").stdout)
    assert [(row["name"], row["column"], row["value"]) for row in rows] == [
        ("a.b", "x.y", "1"),
        ("a.b", "x.y", "2"),
        ("b.x", "", "0.5"),
    ]
    chart = cli("metrics", run.id, "a.b.x.y", "--plot").stdout
    assert "a.b.x.y" in chart
    assert "a.b.z" not in chart
    assert "no metric 'a.b.q'" in cli.error("metrics", run.id, "a.b.q", code=4)


def test_several_metrics_stand_side_by_side_by_step(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        run.log("a", 1, step=0)
        run.log("b", "one\ntwo", step=5)
        run.log("a", 2, step=5)
        run.log("a", 3, step=0)
    assert cli("metrics", run.id, "b", "a").stdout.splitlines() == [
        "STEP  b        a",
        "   0           1",
        "   0           3",
        "   5  one two  2",
    ]


def test_a_range_of_steps(cli: Cli, logged: Run) -> None:
    def steps(*options: str) -> list[str]:
        return [row["step"] for row in rows_of(cli("metrics", logged.id, *options).stdout)]

    assert steps("loss", "--csv", "--start", "2") == ["2", "3", "4"]
    assert steps("loss", "--csv", "--start", "2", "--end", "4") == ["2", "3"]
    assert steps("loss", "--csv", "--end", "-1") == []
    rows = words(cli("metrics", logged.id, "loss", "--start", "4").stdout)
    assert [row[0] for row in rows] == ["STEP", "4"]
    [document] = cli.json("metrics", logged.id, "loss", "--start", "4")
    assert (document["values"], document["count"]) == ([0.25], 4)


def test_fewer_points_keep_the_extremes(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        run.log_list("x", [float(n % 97) for n in range(5000)] + [500.0] + [1.0] * 5000)
    for arguments in (["x"], []):
        rows = rows_of(cli("metrics", run.id, *arguments, "--points", "60", "--csv").stdout)
        assert 3 <= len(rows) <= 60
        assert "500.0" in {row["value"] for row in rows}
    assert len(cli("metrics", run.id, "x", "--points", "60").stdout.splitlines()) <= 61


def test_a_row_is_printed_before_the_last_one_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> Iterator[tuple[str, str]]:
        for number in range(5000):
            yield (str(number), "text")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        RowPrinter(["N", "TEXT"], {1}).print(rows())
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["  N  TEXT", "  0  text"]
    assert lines[1000:1002] == ["999  text", "1000  text"]


# ---------------------------------------------------------------- JSON and CSV


def test_json_has_steps_times_and_values(cli: Cli, logged: Run) -> None:
    found = {(one["name"], one["column"]): one for one in cli.json("metrics", logged.id)}
    loss = found["loss", ""]
    assert loss["steps"] == [1, 2, 3, 4]
    assert loss["values"] == [1.0, 0.5, "NaN", 0.25]
    assert (loss["count"], loss["first_step"], loss["last"]) == (4, 1, 0.25)
    assert loss["times"] == sorted(loss["times"])
    assert all(re.fullmatch(ISO, at) for at in loss["times"])
    assert found["count", ""]["values"] == [10**20]
    assert found["table", "y"]["values"] == [2.5, None]
    assert list(found) == [
        ("loss", ""),
        ("note", ""),
        ("count", ""),
        ("table", "x"),
        ("table", "y"),
    ]


def test_json_becomes_a_table_elsewhere(cli: Cli, logged: Run) -> None:
    [document] = cli.json("metrics", logged.id, "loss")
    frame: Any = pandas.DataFrame({key: document[key] for key in ("steps", "times", "values")})
    assert frame["steps"].tolist() == [1, 2, 3, 4]


def test_csv_has_a_row_for_each_value(cli: Cli, logged: Run) -> None:
    text = cli("metrics", logged.id, "--csv").stdout
    assert text.splitlines()[0] == "name,column,step,time,value"
    rows = rows_of(text)
    assert all(re.fullmatch(ISO, row["time"]) for row in rows)
    assert [(row["name"], row["column"], row["step"], row["value"]) for row in rows] == [
        ("loss", "", "1", "1.0"),
        ("loss", "", "2", "0.5"),
        ("loss", "", "3", "nan"),
        ("loss", "", "4", "0.25"),
        ("note", "", "0", "some, text"),
        ("count", "", "0", str(10**20)),
        ("table", "x", "0", "1"),
        ("table", "x", "1", "2"),
        ("table", "y", "0", "2.5"),
        ("table", "y", "1", ""),
    ]


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(TEXTS | st.integers() | st.floats() | st.booleans() | st.none(), min_size=1))
def test_any_value_survives_csv_and_json(cli: Cli, values: list[Any]) -> None:
    run = cli.experiment().start_logging()
    run.log_list("x", values)
    rows = rows_of(cli("metrics", run.id, "x", "--csv").stdout_bytes.decode())
    assert [row["value"] for row in rows] == ["" if v is None else str(v) for v in values]
    [document] = cli.json("metrics", run.id, "x")
    special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    assert document["values"] == [
        special.get(str(v), v) if isinstance(v, float) else v for v in values
    ]


def test_an_empty_text_and_no_value_are_told_apart_in_csv(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        run.log_list("x", ["", None])
    lines = cli("metrics", run.id, "--csv").stdout.splitlines()
    assert lines[1].endswith('Z,""')
    assert lines[2].endswith("Z,")


def test_a_metric_without_points(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        run.log_list("x", [])
    assert rows_of(cli("metrics", run.id, "--csv").stdout) == []
    [document] = cli.json("metrics", run.id)
    assert [document[key] for key in ("steps", "times", "values")] == [[], [], []]
    assert "no values" in cli("metrics", run.id, "x").stderr
    assert "no numbers" in cli("metrics", run.id, "--plot").stderr


def test_output_is_written_while_it_is_read(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        run.log_list("x", [float(n) for n in range(300_000)])
    for option in ("--csv", "--json"):
        process = cli.start("metrics", run.id, "x", option)
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait() == 141
        assert process.stderr.read() == b""
        process.stderr.close()


def test_csv_is_utf8_on_every_terminal(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        run.log("note", "学習 Größe")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    for arguments, shown in (
        (["--csv"], "学習 Größe".encode()),
        (["note"], b"\\u5b66\\u7fd2 Gr\xf6\xdfe"),
        (["--json"], json.dumps("学習 Größe").encode()),
    ):
        done = subprocess.run(
            [*HEADWAY, "metrics", run.id, *arguments],
            capture_output=True,
            env=environment,
            check=True,
        )
        assert shown in done.stdout
        assert done.stderr == b""


def test_times_are_those_of_other_documents() -> None:
    for at in (0, 1_763_900_000_123_456, 999_999, -1):
        assert times.iso(at) == iso_time(at)
        assert times.precise(at)[:-4] == times.moment(at)
    assert times.precise(1_763_900_000_123_456).endswith(".123")


# ---------------------------------------------------------------- charts


def test_a_chart_of_each_metric(cli: Cli, logged: Run) -> None:
    shown = cli("metrics", logged.id, "--plot").stdout
    for title in ("loss", "table.x"):
        assert title in shown
    assert "note" not in shown
    lines = cli("metrics", logged.id, "loss", "--plot").stdout.splitlines()
    assert len(lines) == 12
    assert lines[0].strip() == "loss"
    assert lines[-1].split() == ["1", "2", "3", "4"]
    assert "no numbers" in cli("metrics", logged.id, "note", "--plot").stderr


def test_named_metrics_stand_in_one_chart_with_a_legend(cli: Cli, logged: Run) -> None:
    lines = cli("metrics", logged.id, "loss", "table", "--plot").stdout.splitlines()
    assert lines[:3] == ["* loss", "+ table.x", "o table.y"]
    assert len(lines) == 3 + 12
    drawn = "".join(lines[3:])
    assert all(sign in drawn for sign in "*+o")


def test_runs_are_compared_in_one_chart(cli: Cli, logged: Run) -> None:
    with cli.experiment().start_logging(display_name="better") as other:
        other.log_list("loss", [3, 2, 1])
    compared = cli("metrics", logged.id, "loss", "--plot", "--compare", other.id).stdout
    assert compared.splitlines()[:2] == [f"* loss  {logged.id}", f"+ loss  {other.id}  better"]
    alone = cli("metrics", logged.id, "note", "count", "--plot", "--compare", other.id)
    assert alone.stderr == f"headway: run {other.id} has no numbers for this\n"
    every = cli("metrics", logged.id, "--plot", "--compare", other.id).stdout
    assert every.index(f"+ loss  {other.id}") < every.index("count")


def test_a_chart_of_a_range(cli: Cli, logged: Run) -> None:
    lines = cli("metrics", logged.id, "loss", "--plot", "--start", "1", "--end", "3").stdout
    assert lines.splitlines()[-1].split() == ["1", "2"]
    assert "no numbers" in cli("metrics", logged.id, "loss", "--plot", "--start", "9").stderr


@pytest.mark.parametrize("value", [1e308, -1e308, 5e-324, 0.0, 1e17, 2**70, True, -math.inf])
def test_any_number_can_be_charted(cli: Cli, value: float) -> None:
    with cli.experiment().start_logging() as run:
        run.log("alone", value)
        run.log("x", value)
        run.log("x", -1e308)
        run.log("x", value)
    for name in ("alone", "x") if math.isfinite(value) else ("x",):
        result = cli("metrics", run.id, name, "--plot")
        assert len(result.stdout.splitlines()) == 12
        assert result.stderr == ""


@pytest.mark.parametrize("steps", [[-(2**63), 2**63 - 1], [5], [-7, -7], [2**62, 2**62 + 1]])
def test_any_step_can_be_charted(cli: Cli, steps: list[int]) -> None:
    with cli.experiment().start_logging() as run:
        for step in steps:
            run.log("x", 1.0, step=step)
    result = cli("metrics", run.id, "--plot")
    assert len(result.stdout.splitlines()) == 12
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("first", "last", "ticks"),
    [
        (0, 1000, "0 200 400 600 800 1000"),
        (0, 1233, "0 500 1000 1233"),
        (7, 249, "7 50 100 150 200 249"),
        (-30, 12, "-30 -20 -10 0 12"),
        (0, 3, "0 1 2 3"),
    ],
)
def test_steps_along_the_axis_are_round_and_the_ends_are_there(
    cli: Cli, first: int, last: int, ticks: str
) -> None:
    with cli.experiment().start_logging() as run:
        for step in range(first, last + 1):
            run.log("x", 0.5 * step, step=step)
    lines = cli("metrics", run.id, "--plot").stdout.splitlines()
    assert lines[-1].split() == ticks.split()


def test_no_spike_disappears_from_a_chart(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        values = [0.0] * 100_000
        values[77_777], values[3] = 9.0, -9.0
        run.log_list("x", values)
    lines = cli("metrics", run.id, "--plot").stdout.splitlines()
    assert lines[2].strip().startswith("9.0┤")
    assert lines[-3].strip().startswith("-9.0┤")


def chart(minimum: list[float], maximum: list[float]) -> Chart:
    count = np.ones(len(minimum), np.int64)
    low, high = np.array(minimum), np.array(maximum)
    series = ChartSeries("run", "x", "", count, count * 0, low, high, low, high)
    return Chart(np.arange(len(minimum) + 1.0) * 10, [series])


def test_a_line_goes_on_where_it_is_closest() -> None:
    [line] = charts.lines_of(chart([7, 1, 4], [9, 3, 4]), ["a"])
    assert [tuple(point) for point in line.points] == [
        (0, 7),
        (0, 9),
        (14.5, 3),
        (14.5, 1),
        (29, 4),
    ]


def test_charts_are_given_finite_numbers_only() -> None:
    nan, inf = math.nan, math.inf
    [line] = charts.lines_of(chart([nan, -inf, -1e308], [nan, 5, inf]), ["a"])
    assert [tuple(point) for point in line.points] == [(14.5, 5), (29, -1e300)]
    assert charts.lines_of(chart([nan], [nan]), ["a"]) == []


# ---------------------------------------------------------------- on a terminal


def test_a_chart_fits_its_terminal_and_has_colours(cli: Cli, logged: Run) -> None:
    program = headway("metrics", logged.id, "loss", "table", "--plot")
    narrow = Terminal(program, 40, {"NO_COLOR": "1"}).finish()
    lines = narrow.splitlines()
    assert max(map(len, lines)) == 40
    assert "\x1b[3" not in narrow
    coloured = Terminal(program, 200, {}).finish()
    assert "\x1b[38;5;6m━━\x1b[0m loss" in coloured
    assert "⠤" in coloured or "⠒" in coloured


def test_a_terminal_that_knows_letters_only_shows_a_chart_too(cli: Cli, logged: Run) -> None:
    environment = {"NO_COLOR": "1", "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    text = Terminal(headway("metrics", logged.id, "loss", "--plot"), 60, environment).finish()
    assert text.isascii()
    assert "\\u" not in text
    assert "+---" in text


def test_a_summary_shortens_names_and_keeps_numbers(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        run.log("a/very/long/name" * 4, 0.123456)
        run.log("note", "a long text" * 9)
    shown = Terminal(headway("metrics", run.id), 70, {"NO_COLOR": "1"}).finish()
    assert "0.123456  0.123456" in shown
    assert "a/very/long" in shown
    assert max(map(len, shown.splitlines()[1:])) <= 70


def test_rows_end_where_the_terminal_does(cli: Cli) -> None:
    with cli.experiment().start_logging() as run:
        run.log("note", "学習" * 60)
        run.log("other", "x" * 300)
        run.log("loss", 0.5)
    lines = Terminal(headway("metrics", run.id, "note", "other", "loss"), 60).finish().splitlines()
    assert lines[1].split()[-1] == "0.5"
    assert "…" in lines[1]
    [_, one] = Terminal(headway("metrics", run.id, "other"), 60).finish().splitlines()
    assert len(one) == 60
    assert one.endswith("x…")


# ---------------------------------------------------------------- mistakes


def test_mistakes_about_metrics_are_said(cli: Cli, logged: Run) -> None:
    message = cli.error("metrics", logged.id, "los", code=4)
    assert message.endswith("has no metric 'los'; it has: count, loss, note, table")
    for option in ("--start=0", "--end=0", "--points=5"):
        assert "no metric 'los'" in cli.error("metrics", logged.id, "loss", "los", option, code=4)


def test_a_run_that_logged_nothing(cli: Cli) -> None:
    run = cli.experiment().start_logging()
    for options in ([], ["--plot"], ["--plot", "--compare", run.id]):
        result = cli("metrics", run.id, *options)
        assert (result.stdout, "has logged nothing" in result.stderr) == ("", True)
    assert cli.json("metrics", run.id) == []
    assert cli("metrics", run.id, "--csv").stdout == "name,column,step,time,value\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--plot", "--csv"], "do not go together"),
        (["--csv", "--json"], "do not go together"),
        (["loss", "--plot", "--points", "5"], "--points does not go with --plot"),
        (["loss", "--follow", "--points", "5"], "--points does not go with"),
        (["loss", "--points", "0"], "0 is not in the range"),
        (["loss", "--compare", "latest"], "--compare goes with --plot only"),
        (["--start", "5"], "name a metric"),
        (["loss", "--start", "x"], "not a valid integer"),
        (["loss", "--plot", "--follow"], "in a terminal"),
    ],
    ids=" ".join,
)
def test_options_that_make_no_sense_together(
    cli: Cli, logged: Run, options: list[str], said: str
) -> None:
    assert said in cli("metrics", logged.id, *options, code=2).stderr


def test_a_summary_does_not_need_numpy(cli: Cli, logged: Run) -> None:
    program = (
        f"import sys\nsys.argv[1:] = ['metrics', {logged.id!r}]\n"
        "import atexit\natexit.register(lambda: print('numpy' in sys.modules))\n" + HEADWAY[2]
    )
    done = subprocess.run(
        [HEADWAY[0], "-c", program], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert done.stdout.splitlines()[-1] == "False"
