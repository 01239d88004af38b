"""metrics --follow: new values as they are logged, until the run has ended."""

import json
import re
import signal
import threading
from collections.abc import Iterator

import pytest
from tests.cli.conftest import Cli
from tests.cli.terminal import Terminal, headway

from headway.cli import point_following
from headway.sdk.handles import Run


class Follower:
    """``headway metrics --follow`` in a process of its own."""

    def __init__(self, cli: Cli, *arguments: str) -> None:
        self.process = cli.start("metrics", "--follow", *arguments)

    def line(self) -> str:
        """The next line that it writes."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().rstrip("\n")

    def end(self, code: int = 0) -> tuple[str, str]:
        """What else it writes to its end, to both streams."""
        out, err = self.process.communicate(timeout=20)
        assert self.process.returncode == code, err
        return out.decode(), err.decode()


@pytest.fixture
def run(cli: Cli) -> Iterator[Run]:
    run = cli.experiment().start_logging()
    yield run
    if run.get_status() == "Running":
        run.complete()


def test_new_values_are_printed_until_the_run_has_ended(cli: Cli, run: Run) -> None:
    run.log("loss", 0.5, step=7)
    follower = Follower(cli, run.id, "loss")
    assert follower.line().split() == ["TIME", "STEP", "METRIC", "VALUE"]
    assert follower.line().split()[2:] == ["7", "loss", "0.5"]
    for step in (8, 3):
        run.log("loss", step / 2, step=step)
        assert follower.line().split()[2:] == [str(step), "loss", str(step / 2)]
    run.log("other", 1.0)
    run.log("loss", 9.0, step=9)
    run.complete()
    out, err = follower.end()
    assert [line.split()[2:] for line in out.splitlines()] == [["9", "loss", "9.0"]]
    assert re.fullmatch(rf"headway: run {run.id}: Completed after .*\n", err)


def test_several_metrics_come_in_the_order_of_time(cli: Cli, run: Run) -> None:
    for step in range(3):
        run.log("b", step)
        run.log("a", step)
    run.log("system/cpu_percent", 1.0)
    run.complete()
    out = cli("metrics", run.id, "-f").stdout
    assert [line.split()[2:] for line in out.splitlines()[1:]] == [
        [str(step), name, str(step)] for step in range(3) for name in "ba"
    ]


def test_a_metric_may_be_waited_for(cli: Cli, run: Run) -> None:
    follower = Follower(cli, run.id, "later", "--csv")
    assert follower.line() == "name,column,step,time,value"
    run.log("sooner", 1)
    run.log("later", 2)
    assert follower.line().startswith("later,,0,")
    run.complete()
    assert follower.end()[0] == ""


def test_a_metric_that_never_came_is_said_at_the_end(cli: Cli, run: Run) -> None:
    run.log("sooner", 1)
    run.complete()
    result = cli("metrics", run.id, "later", "-f", code=4)
    assert "has no metric 'later'; it has: sooner" in result.stderr


def test_json_has_a_line_for_each_value(cli: Cli, run: Run) -> None:
    run.log("note", "two\nlines")
    run.log("loss", float("nan"), step=4)
    run.log_row("table", x=1)
    run.complete()
    lines = [
        json.loads(line) for line in cli("metrics", run.id, "-f", "--json").stdout.splitlines()
    ]
    assert [(one["name"], one["column"], one["step"], one["value"]) for one in lines] == [
        ("note", "", 0, "two\nlines"),
        ("loss", "", 4, "NaN"),
        ("table", "x", 0, 1),
    ]
    assert all(one["time"].endswith("Z") for one in lines)


def test_a_range_of_steps_is_followed(cli: Cli, run: Run) -> None:
    for step in range(10):
        run.log("loss", step, step=step)
    run.complete()
    out = cli("metrics", run.id, "loss", "-f", "--csv", "--start", "3", "--end", "6").stdout
    assert [line.split(",")[2] for line in out.splitlines()[1:]] == ["3", "4", "5"]


@pytest.mark.parametrize("count", [1, 8_192, 8_193, 20_000])
def test_nothing_is_missed_or_said_twice(
    cli: Cli, run: Run, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point_following, "PAUSE_S", 0.01)

    def log() -> None:
        for number in range(count):
            run.log("x", number)
        run.complete()

    writer = threading.Thread(target=log)
    writer.start()
    out = cli("metrics", run.id, "x", "-f", "--csv").stdout
    writer.join()
    assert [int(line.rpartition(",")[2]) for line in out.splitlines()[1:]] == list(range(count))


def test_ctrl_c_leaves_the_run_alone(cli: Cli, run: Run) -> None:
    run.log("loss", 0.5)
    follower = Follower(cli, run.id)
    follower.line()
    follower.line()
    follower.process.send_signal(signal.SIGINT)
    out, err = follower.end(130)
    assert out == ""
    assert err == f"headway: stopped following; run {run.id} goes on\n"
    assert run.get_status() == "Running"


def test_a_reader_that_goes_away_ends_it(cli: Cli, run: Run) -> None:
    run.log("loss", 0.5)
    follower = Follower(cli, run.id)
    follower.line()
    assert follower.process.stdout is not None
    follower.process.stdout.close()
    run.log("loss", 0.5)
    assert follower.process.wait(timeout=20) == 141
    assert follower.process.stderr is not None
    assert follower.process.stderr.read() == b""
    follower.process.stderr.close()


def test_a_chart_is_drawn_again_in_its_place(cli: Cli, run: Run) -> None:
    run.log("loss", 100.0)
    terminal = Terminal(
        headway("metrics", run.id, "loss", "--plot", "--follow"), 60, {"NO_COLOR": "1"}
    )
    assert terminal.read_until("┘\n").count("loss") == 1
    run.log("loss", -777.0)
    again = terminal.read_until("-777")
    assert "\x1b[12F\x1b[J" in again
    run.complete()
    assert f"run {run.id}: Completed" in terminal.finish()


def test_ctrl_c_leaves_the_chart_on_the_terminal(cli: Cli, run: Run) -> None:
    run.log("loss", 1.0)
    terminal = Terminal(headway("metrics", run.id, "loss", "--plot", "-f"), 60, {"NO_COLOR": "1"})
    terminal.read_until("┘\n")
    terminal.process.send_signal(signal.SIGINT)
    said = terminal.finish(130).rpartition("┘\n")[2]
    assert said.strip().endswith(f"headway: stopped following; run {run.id} goes on")


def test_names_are_needed_to_draw_again_and_again(cli: Cli, run: Run) -> None:
    said = Terminal(headway("metrics", run.id, "--plot", "-f"), 60).finish(2)
    assert "give names for it" in said
