import time
from pathlib import Path
from typing import Any

import pytest

from headway import Experiment, Resources, RunConfiguration, ScriptRunConfig, Workspace
from headway.errors import InvalidValueError, StorageCorruptError
from headway.sdk.submission.compute import LocalCompute
from headway.settings import load_settings


def test_a_workspace_has_this_machine_as_compute_target(workspace: Workspace) -> None:
    targets = workspace.compute_targets
    assert list(targets) == ["local"]
    local = targets["local"]
    assert (local.name, local.type) == ("local", "local")
    status = local.get_status()
    assert (status.cpus, status.gpus, status.slots, status.queued) == (None, None, [], 0)
    assert RunConfiguration().target == local.name


@pytest.mark.parametrize(
    ("given", "gpus"),
    [(2, ["0", "1"]), (0, []), ([1, "GPU-7f"], ["1", "GPU-7f"]), ((3,), ["3"]), (None, None)],
)
def test_gpus_are_a_number_or_named(
    workspace: Workspace, given: Any, gpus: list[str] | None
) -> None:
    local = workspace.compute_targets["local"]
    local.set_slots(cpus=4, gpus=given)
    local.set_slots(cpus=5)
    status = local.get_status()
    assert (status.cpus, status.gpus) == (5, gpus)


@pytest.mark.parametrize("given", [{"cpus": -1}, {"cpus": True}, {"gpus": -1}, {"gpus": "0,1"}])
def test_what_is_no_number_of_slots_is_refused(workspace: Workspace, given: Any) -> None:
    with pytest.raises(InvalidValueError, match=r"give|accepted"):
        workspace.compute_targets["local"].set_slots(**given)


def test_damaged_slots_are_told_to_whoever_submits(experiment: Experiment) -> None:
    file = load_settings().home / "compute" / "local" / "slots.json"
    file.parent.mkdir(parents=True)
    file.write_text("]")
    Path("train.py").write_text("")
    with pytest.raises(StorageCorruptError, match=r"slots\.json.*headway compute set"):
        experiment.submit(ScriptRunConfig(".", "train.py"))
    assert list(experiment.get_runs()) == []
    LocalCompute(load_settings()).remove_slots()
    experiment.submit(ScriptRunConfig(".", "train.py")).wait_for_completion()


def test_a_run_says_what_it_waits_for(workspace: Workspace, experiment: Experiment) -> None:
    workspace.compute_targets["local"].set_slots(cpus=1, gpus=2)
    Path("train.py").write_text("import time; time.sleep(600)")
    Path("gpus.py").write_text("import os; print(os.environ['CUDA_VISIBLE_DEVICES'])")
    first = experiment.submit(ScriptRunConfig(".", "train.py"))
    config = RunConfiguration()
    config.resources = {"gpus": 2}
    config.priority = 3
    deadline = time.monotonic() + 10
    while first.get_status() != "Running":  # or the second, of higher priority, would overtake it
        assert time.monotonic() < deadline
        time.sleep(0.01)
    second = experiment.submit(ScriptRunConfig(".", "gpus.py", run_config=config))
    expected = {
        "status": "Queued",
        "details": "place 1 of 1 in the queue; waits for 1 CPU and 2 GPUs of 1 CPU slot and "
        "2 GPU slots (0, 1)",
    }
    while second.get_detailed_status() != expected:
        assert time.monotonic() < deadline, second.get_detailed_status()
        time.sleep(0.01)
    definition: Any = second.get_details()["runDefinition"]
    assert (definition["resources"], definition["priority"]) == ({"cpus": 1, "gpus": 2}, 3)
    first.cancel()
    assert second.wait_for_completion()["status"] == "Completed"
    logs: Any = second.get_details_with_logs()["logFiles"]
    assert list(logs.values()) == ["0,1\n"]


@pytest.mark.parametrize(
    "resources", [{"memory": 1}, {"cpus": "2"}, {"gpus": 1.5}, {"cpus": True}, 3, None]
)
def test_resources_that_make_no_sense_are_refused(experiment: Experiment, resources: Any) -> None:
    Path("train.py").write_text("")
    config = RunConfiguration()
    config.resources = resources
    with pytest.raises(InvalidValueError, match="resources"):
        experiment.submit(ScriptRunConfig(".", "train.py", run_config=config))


def test_resources_are_one_cpu_where_nothing_is_said() -> None:
    assert RunConfiguration().resources == Resources(cpus=1, gpus=0)
