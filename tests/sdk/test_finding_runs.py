"""Runs and experiments found again: as classes of one's own, by compute target, by folder."""

from pathlib import Path
from typing import Any

import pytest

from headway import (
    ConflictError,
    Experiment,
    ExperimentNotFoundError,
    InvalidValueError,
    Run,
    RunStateError,
    ScriptRun,
    ScriptRunConfig,
    Workspace,
    get_run,
)
from headway.sdk.interactive.process import close_sessions
from headway.sdk.runs import type_providers
from headway.sdk.runs.type_providers import RunFacts


class SweepRun(Run):
    """A class of runs that a user adds."""


@pytest.fixture(autouse=True)
def _no_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test adds is gone after it."""
    monkeypatch.setattr(type_providers, "_factories", {})


def sweep(experiment: Experiment, facts: RunFacts) -> Run:
    return SweepRun(experiment, facts.run_id)


# ---------------------------------------------------------------- classes of runs


def test_a_run_is_found_again_as_the_class_of_its_type(
    workspace: Workspace, experiment: Experiment
) -> None:
    run = experiment.start_logging(properties={"azureml.runsource": "sweep"})
    other = experiment.start_logging(properties={"azureml.runsource": "other"})
    Run.add_type_provider("sweep", sweep)
    found = [
        workspace.get_run(run.id),
        Run.get(workspace, run.id),
        get_run(experiment, run.id),
        next(iter(experiment.get_runs(properties={"azureml.runsource": "sweep"}))),
        next(iter(Run.list(experiment, properties={"azureml.runsource": "sweep"}))),
    ]
    assert {type(one) for one in found} == {SweepRun}
    assert {one.id for one in found} == {run.id}
    assert type(get_run(experiment, run.id, rehydrate=False)) is Run
    assert type(workspace.get_run(other.id)) is Run


def test_a_submitted_run_can_be_given_another_class(experiment: Experiment) -> None:
    told: list[RunFacts] = []

    def factory(experiment: Experiment, facts: RunFacts) -> Run:
        told.append(facts)
        return SweepRun(experiment, facts.run_id)

    Run.add_type_provider(ScriptRun.RUN_TYPE, factory)
    run = experiment.submit(ScriptRunConfig(".", command="true"), tags={"a": "b"})
    run.wait_for_completion()
    assert type(experiment.workspace.get_run(run.id)) is SweepRun
    assert (told[0].run_type, told[0].status) == (ScriptRun.RUN_TYPE, "Completed")
    assert (told[0].tags, told[0].target, told[0].run_number) == ({"a": "b"}, "local", 1)


def test_a_type_has_one_factory() -> None:
    Run.add_type_provider("sweep", sweep)
    with pytest.raises(ValueError, match="has a factory already"):
        Run.add_type_provider("sweep", sweep)
    wrong: Any = 3
    with pytest.raises(InvalidValueError, match="give a text"):
        Run.add_type_provider(wrong, sweep)
    with pytest.raises(InvalidValueError, match="give a function"):
        Run.add_type_provider("other", wrong)


def test_a_factory_that_makes_no_run_is_named(experiment: Experiment) -> None:
    def nothing(experiment: Experiment, facts: RunFacts) -> Any:
        return facts.run_id

    Run.add_type_provider("sweep", nothing)
    run = experiment.start_logging(properties={"azureml.runsource": "sweep"})
    with pytest.raises(InvalidValueError, match="what the factory of run type"):
        experiment.workspace.get_run(run.id)


# ---------------------------------------------------------------- lists


def test_runs_are_listed_by_compute_target(workspace: Workspace, experiment: Experiment) -> None:
    parent = experiment.start_logging()
    config = ScriptRunConfig(".", command="true")
    child = parent.submit_child(config, tags={"fold": "1"})
    other = Experiment(workspace, "another").submit(config)
    for run in (child, other):
        run.wait_for_completion()
    local = workspace.compute_targets["local"]
    assert [run.id for run in Run.list_by_compute(local)] == [other.id, child.id]
    assert [run.id for run in Run.list_by_compute(local, tags={"fold": "1"})] == [child.id]
    assert list(Run.list_by_compute(local, status="Failed")) == []
    wrong: Any = "local"
    with pytest.raises(InvalidValueError, match="compute"):
        Run.list_by_compute(wrong)


# ---------------------------------------------------------------- experiments


def test_an_experiment_without_runs_is_deleted(
    workspace: Workspace, experiment: Experiment
) -> None:
    full = Experiment(workspace, "full")
    full.start_logging()
    with pytest.raises(ConflictError, match="has runs"):
        Experiment.delete(workspace, full.id)
    Experiment.delete(workspace, experiment.id)
    assert set(workspace.experiments) == {"full"}
    with pytest.raises(ExperimentNotFoundError):
        experiment.refresh()


def test_an_experiment_is_found_by_its_folder(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "my-project"
    folder.mkdir()
    workspace.write_config(folder)
    assert Experiment.from_directory(folder).name == "my-project"


# ---------------------------------------------------------------- small things of a run


def test_the_copy_of_the_source_is_cleaned(experiment: Experiment) -> None:
    Path("train.py").write_text("open('outputs/a', 'w').write('x')")
    Path("outputs").mkdir()
    waiting = experiment.submit(ScriptRunConfig(".", command="sleep 60"))
    with pytest.raises(RunStateError, match="when it has ended"):
        waiting.clean()
    waiting.cancel()
    run = experiment.submit(ScriptRunConfig(".", command="echo x > outputs/a"))
    run.wait_for_completion()
    assert run.clean() == ["train.py"]
    assert "outputs/a" in run.get_file_names()


def test_an_offline_run_takes_its_tag_by_either_name(workspace: Workspace) -> None:
    run = Run.get_context()
    run.tag(key="a", value="1")
    run.tag("b")
    run.tag(**{"name": "c", "value": "3"})
    assert run.get_tags() == {"a": "1", "b": None, "c": "3"}


def test_a_snapshot_that_is_too_large_stops_no_run(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    close_sessions()
    monkeypatch.setenv("HEADWAY_MAX_SNAPSHOT_FILES", "1")
    for name in "abc":
        Path(name).write_text(name)
    again = Experiment(Workspace.from_config(), "explore-runs")
    run = again.start_logging(snapshot_directory=".")
    assert run.get_status() == "Running"
    assert run.get_snapshot_id() is None
    assert "has no snapshot" in capsys.readouterr().err


def test_secrets_come_from_the_environment(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_SECRET_DB_PASSWORD", "hunter2")
    run = experiment.start_logging()
    assert run.get_secret("db-password") == "hunter2"
    assert run.get_secrets(["db-password"]) == {"db-password": "hunter2"}


def test_a_model_is_registered_from_a_run(experiment: Experiment) -> None:
    with experiment.start_logging() as run:
        Path("outputs/model.pkl").write_text("a model")
    model = run.register_model("net", "outputs/model.pkl", tags={"a": "b"}, model_framework="Own")
    assert (model.name, model.version, model.tags) == ("net", 1, {"a": "b"})
    assert model.run_id == run.id
