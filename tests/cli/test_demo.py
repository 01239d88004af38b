import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import HEADWAY, Cli

from headway.cli.demo import WALKTHROUGH, read_cells
from headway.examples.processes import processes_of
from headway.examples.train import fit


def test_cells_are_read_with_their_lines() -> None:
    text = "before\n# %% One\nx = 1\n\ny = 2\n# $ headway list\n# %% Two\n\nz = 3\n"
    first, second = read_cells(text)
    assert first == ("One", 3, "x = 1\n\ny = 2", ["headway list"])
    assert second == ("Two", 8, "\nz = 3", [])


def test_the_walkthrough_loses_nothing_by_being_cut_into_cells() -> None:
    text = WALKTHROUGH.read_text(encoding="utf-8")
    whole = ast.parse(text).body[1:]  # without the docstring
    cells = [statement for cell in read_cells(text) for statement in ast.parse(cell.code).body]
    assert [ast.unparse(one) for one in cells] == [ast.unparse(one) for one in whole]


def test_the_example_learns() -> None:
    *_, last = fit(0.3, 3, points=3_000)
    assert last.accuracy > 0.9
    assert last.loss < 0.2


def test_processes_are_found_by_the_id_of_their_run() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"],
        stdin=subprocess.PIPE,
        env={**os.environ, "HEADWAY_RUN_ID": "wanted"},
    )
    assert processes_of("wanted") == [process.pid]
    process.communicate(b"\n")
    assert processes_of("wanted") == []


def test_demo_takes_no_other_workspace(cli: Cli) -> None:
    assert "has a workspace of its own" in cli("demo", "--workspace", "x", code=2).stderr


def test_ctrl_c_in_the_demo_leaves_no_run_going(cli: Cli, own_environment: Path) -> None:
    process = subprocess.Popen(
        [*HEADWAY, "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={k: v for k, v in os.environ.items() if k != "HEADWAY_WORKSPACE"},
    )
    assert process.stdout is not None
    while not process.stdout.readline().startswith(b"epoch   1"):
        pass
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=25)
    assert process.returncode == 130
    assert b"Traceback" not in said
    folder = own_environment / "headway" / "workspaces" / "demo"
    assert {one["status"] for one in cli.json("list", "--workspace", str(folder))} == {"Canceled"}


@pytest.mark.slow  # trains for real, as a person sees it
@pytest.mark.timeout(120)
def test_the_demo_does_what_it_shows(cli: Cli, own_environment: Path) -> None:
    done = subprocess.run(
        [*HEADWAY, "demo"],
        capture_output=True,
        text=True,
        cwd=cli.folder,
        env={k: v for k, v in os.environ.items() if k != "HEADWAY_WORKSPACE"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    shown = done.stdout
    assert "\x1b" not in shown
    for cell in read_cells(WALKTHROUGH.read_text(encoding="utf-8")):
        assert cell.title in shown
        for line in cell.code.splitlines():
            assert f"  {line}\n" in shown or not line.strip()
        for line in cell.commands:
            assert f"  $ {line}\n" in shown
    for outcome in (
        "epoch  30",
        "Completed with the files ['outputs/model.npz', 'system_logs/environment.txt', ",
        "cancel() returned Canceled",
        "after:  Canceled []",
        "learning rates>rate 0.3 Completed",
        "refused: property 'data'",
        "{'quality': 'very good'} two moons",
        "tagged: moons_",
        str(own_environment / "headway" / "workspaces" / "demo"),
    ):
        assert outcome in shown
