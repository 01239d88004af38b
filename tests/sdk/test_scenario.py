"""The published walk-through of the API being matched, line by line, with what it says asserted."""

from pathlib import Path

import pytest

from headway import Experiment, Run, RunFailedError, ScriptRunConfig, Workspace
from headway.model import ENDED

BEFORE_THE_END = {"NotStarted", "Queued", "Preparing", "Starting", "Running"}


def processes_of(run_id: str) -> list[int]:
    """The processes that were started for a run, by what is in their environment."""
    found: list[int] = []
    wanted = f"HEADWAY_RUN_ID={run_id}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if wanted in variables and state not in "ZX":
            found.append(int(folder.name))
    return found


def test_interactive_runs(workspace: Workspace) -> None:
    ws = Workspace.from_config()
    exp = Experiment(workspace=ws, name="explore-runs")

    notebook_run = exp.start_logging()
    notebook_run.log(name="message", value="Hello from run!")
    assert notebook_run.get_status() == "Running"
    details = notebook_run.get_details()
    assert {"runId", "target", "status", "startTimeUtc", "properties", "logFiles"} <= {*details}
    assert details["runId"] == notebook_run.id
    assert "endTimeUtc" not in details
    notebook_run.complete()
    assert notebook_run.get_status() == "Completed"
    assert "endTimeUtc" in notebook_run.get_details()

    with exp.start_logging() as notebook_run:
        notebook_run.log(name="message", value="Hello from run!")
        assert notebook_run.get_status() == "Running"
    assert notebook_run.get_status() == "Completed"
    assert notebook_run.get_metrics() == {"message": "Hello from run!"}


def test_a_submitted_run_is_canceled(experiment: Experiment, programs: Path) -> None:
    exp = experiment
    run_config = ScriptRunConfig(source_directory=".", script="hello_with_delay.py")
    local_script_run = exp.submit(run_config)
    assert local_script_run.get_status() in BEFORE_THE_END
    local_script_run.cancel()
    assert local_script_run.get_status() == "Canceled"
    assert processes_of(local_script_run.id) == []


def test_a_submitted_run_is_failed_from_outside(experiment: Experiment, programs: Path) -> None:
    exp = experiment
    run_config = ScriptRunConfig(source_directory=".", script="hello_with_delay.py")
    local_script_run = exp.submit(run_config)
    local_script_run.fail()
    assert local_script_run.get_status() == "Failed"
    assert processes_of(local_script_run.id) == []


def test_a_submitted_run_with_children_is_tagged_and_found(
    experiment: Experiment, programs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exp = experiment
    run_config = ScriptRunConfig(source_directory=".", script="hello_with_children.py")
    local_script_run = exp.submit(run_config)
    local_script_run.wait_for_completion(show_output=True)
    assert local_script_run.get_status() == "Completed"
    assert "5 children" in capsys.readouterr().out
    children = list(local_script_run.get_children())
    assert [child.get_status() for child in children] == ["Completed"] * 5
    assert [c.get_metrics() for c in children] == [
        {"Hello from child run": i} for i in reversed(range(5))
    ]

    local_script_run.add_properties({"author": "azureml-user"})
    assert local_script_run.get_properties()["author"] == "azureml-user"
    with pytest.raises(Exception, match="author") as caught:
        local_script_run.add_properties({"author": "different-user"})
    assert "azureml-user" in str(caught.value)
    assert "cannot be changed" in str(caught.value)
    local_script_run.add_properties({"author": "azureml-user"})

    local_script_run.tag("quality", "great run")
    assert local_script_run.get_tags() == {"quality": "great run"}
    local_script_run.tag("quality", "fantastic run")
    assert local_script_run.get_tags() == {"quality": "fantastic run"}
    local_script_run.tag("worth another look")
    assert local_script_run.get_tags() == {"quality": "fantastic run", "worth another look": None}

    exp.start_logging(tags={"quality": "fantastic run"}).complete()
    found = list(
        exp.get_runs(properties={"author": "azureml-user"}, tags={"quality": "fantastic run"})
    )
    assert [run.id for run in found] == [local_script_run.id]
    found = list(exp.get_runs(properties={"author": "azureml-user"}, tags="worth another look"))
    assert [run.id for run in found] == [local_script_run.id]


def test_interactive_children(experiment: Experiment) -> None:
    exp = experiment
    with exp.start_logging() as parent_run:
        for c, _ in enumerate(range(5)):
            with parent_run.child_run() as child:
                child.log(name="Hello from child run", value=c)
    children = list(parent_run.get_children())
    assert [child.get_status() for child in children] == ["Completed"] * 5
    numbers = [child.number for child in children]
    assert numbers == sorted(numbers, reverse=True)


def test_a_completed_run_can_be_judged_a_failure(experiment: Experiment) -> None:
    run = experiment.start_logging()
    run.complete()
    run.fail("the data was wrong")
    assert run.get_status() == "Failed"
    detail = run.get_detailed_status()
    assert detail == {"status": "Failed", "details": "the data was wrong"}


def test_canceling_an_ended_run_says_that_it_had_ended(experiment: Experiment) -> None:
    run = experiment.start_logging()
    run.complete()
    assert run.cancel() == "AlreadyEnded"
    assert Run(experiment, run.id).cancel() == "AlreadyEnded"
    assert run.get_status() == "Completed"
    assert run.get_status() in ENDED


def test_a_failed_program_is_an_error_for_who_waits(experiment: Experiment, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "fails.py").write_text("print('before')\nraise ValueError('no data')\n")
    run = experiment.submit(ScriptRunConfig(source, "fails.py"))
    with pytest.raises(RunFailedError, match="no data") as caught:
        run.wait_for_completion()
    assert run.id in str(caught.value)
    assert "before" in str(caught.value)
    assert run.wait_for_completion(raise_on_error=False)["status"] == "Failed"
