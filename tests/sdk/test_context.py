"""The run around this process: offline, or that of a submitted script."""

from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from headway import Experiment, Run, RunContextError, ScriptRunConfig, Workspace
from headway.sdk.handles import OFFLINE_EXPERIMENT
from headway.sdk.interactive.context import RunContext, run_context

Python = Callable[..., Popen[str]]


def test_both_variables_make_a_context() -> None:
    both = {"HEADWAY_RUN_ID": "r", "HEADWAY_WORKSPACE": "/w"}
    assert run_context(both) == RunContext("r", "/w")
    for name in both:
        assert run_context({name: "x"}) is None
        assert run_context({**both, name: ""}) is None
    assert run_context() is None


def test_an_offline_run_is_a_full_run(workspace: Workspace) -> None:
    run = Run.get_context()
    assert type(run).__name__ == "_OfflineRun"
    assert run.id.startswith("OfflineRun_")
    assert run.experiment.name == OFFLINE_EXPERIMENT
    assert run.experiment.workspace.name == workspace.name
    assert run.parent is None
    run.log("loss", 0.5, step=1)
    run.tag("offline")
    assert run.get_metrics() == {"loss": 0.5}
    child = run.child_run("fold 1")
    assert child.id.startswith("OfflineRun_")
    assert type(child) is type(run)
    run.complete()
    found = workspace.get_run(run.id)
    assert type(found) is type(run)
    assert (found.get_status(), found.tags) == ("Completed", {"offline": None})


def test_asking_again_gives_the_same_offline_run_until_it_ended(workspace: Workspace) -> None:
    first = Run.get_context()
    assert Run.get_context() is first
    first.complete()
    second = Run.get_context()
    assert second is not first
    assert second.get_status() == "Running"


def test_offline_may_be_refused(workspace: Workspace) -> None:
    for ask in (lambda: Run.get_context(allow_offline=False), Run.get_submitted_run):
        with pytest.raises(RunContextError, match="Could not load a submitted run"):
            ask()
    assert workspace.experiments == {}


SUBMITTED = """
import os, sys
from headway import Run, Workspace
run = Run.get_context(allow_offline=False)
assert Run.get_context() is run and Run.get_submitted_run() is run
assert type(run).__name__ == "_SubmittedRun"
assert run.id == os.environ["HEADWAY_RUN_ID"]
assert run.experiment.name == "explore-runs"
assert Workspace.from_config().name == run.experiment.workspace.name
with run:
    run.log("loss", 0.5)
run.complete()
run.tag("seen")
print("status", run.get_status())
assert run.cancel() is None
with run.child_run("one") as child:
    child.log("a", 1)
left_open = run.child_run("two")
left_open.log("b", 2)
{end}
"""


def submit(experiment: Experiment, tmp_path: Path, end: str) -> Run:
    source = tmp_path / "source"
    source.mkdir()
    (source / "script.py").write_text(SUBMITTED.replace("{end}", end))
    return experiment.submit(ScriptRunConfig(source, "script.py"))


def test_a_submitted_script_logs_to_its_run(
    experiment: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = submit(experiment, tmp_path, "")
    details = run.wait_for_completion(show_output=True)
    assert details["status"] == "Completed"
    shown = capsys.readouterr().out
    assert "status Running" in shown
    assert "run.cancel does nothing" in shown
    assert run.get_tags() == {"seen": None}
    metrics: Any = run.get_metrics(recursive=True)
    assert metrics.pop(run.id) == {"loss": 0.5}
    assert sorted(map(str, metrics.values())) == ["{'a': 1}", "{'b': 2}"]
    assert {child.get_status() for child in run.get_children()} == {"Completed"}


def test_the_runner_sets_the_status_whatever_the_script_says(
    experiment: Experiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = submit(experiment, tmp_path, "run.fail('not good', 'Bad')")
    assert run.wait_for_completion(show_output=True)["status"] == "Completed"
    assert "run.fail: Bad: not good" in capsys.readouterr().out


def test_a_block_that_raises_in_a_script_leaves_the_status_to_the_runner(
    experiment: Experiment, tmp_path: Path
) -> None:
    run = submit(experiment, tmp_path, "with run:\n    raise ValueError('no data')")
    details: Any = run.wait_for_completion(raise_on_error=False)
    assert details["status"] == "Failed"
    assert details["error"]["error"]["code"] == "ExitCode"
    assert run.get_metrics() == {"loss": 0.5}
