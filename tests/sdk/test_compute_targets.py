"""Names that stand for this machine, where the matched API has clusters."""

import time
from pathlib import Path

import pytest

from headway import (
    ComputeTarget,
    ComputeTargetNotFoundError,
    Experiment,
    InvalidValueError,
    Run,
    ScriptRunConfig,
    Workspace,
)
from headway.sdk.submission.compute_targets import AmlCompute

SLEEP = "import time; time.sleep(600)"


def create(workspace: Workspace, name: str = "cpu-cluster", nodes: int = 2) -> AmlCompute:
    wanted = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=nodes)
    with pytest.warns(UserWarning, match=f"'{name}' stands for this machine.*'STANDARD_D2_V2' is"):
        return ComputeTarget.create(workspace, name, wanted)


def wait_for(run: Run, status: str) -> None:
    deadline = time.monotonic() + 10
    while run.get_status() != status:
        assert time.monotonic() < deadline, run.get_status()
        time.sleep(0.01)


def test_what_was_provisioned_is_found_by_its_name(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ComputeTargetNotFoundError, match="headway compute create cpu-cluster"):
        ComputeTarget(workspace, "cpu-cluster")
    made = create(workspace)
    made.wait_for_completion(show_output=True, min_node_count=None, timeout_in_minutes=20)
    assert capsys.readouterr().out == "cpu-cluster: Succeeded\n"
    found = ComputeTarget(workspace=workspace, name="cpu-cluster")
    assert type(found) is AmlCompute
    assert type(workspace.compute_targets["cpu-cluster"]) is AmlCompute
    assert type(workspace.compute_targets["local"]) is ComputeTarget
    assert (found.type, found.vm_size) == ("AmlCompute", "STANDARD_D2_V2")
    assert (found.provisioning_state, found.provisioning_errors) == ("Succeeded", None)
    assert found.scale_settings.maximum_node_count == 2
    assert found.get_status().serialize()["currentNodeCount"] == 0
    found.update(max_nodes=3)
    assert made.status.scale_settings.maximum_node_count == 3
    assert workspace.get_default_compute_target("CPU").name == "local"


def test_as_many_runs_go_on_as_there_are_nodes(
    workspace: Workspace, experiment: Experiment
) -> None:
    target = create(workspace, nodes=1)
    Path("sleep.py").write_text(SLEEP)
    Path("train.py").write_text("")
    first = experiment.submit(ScriptRunConfig(".", "sleep.py", compute_target=target))
    wait_for(first, "Running")
    second = experiment.submit(ScriptRunConfig(".", "train.py", compute_target="cpu-cluster"))
    elsewhere = experiment.submit(ScriptRunConfig(".", "train.py"))
    elsewhere.wait_for_completion()
    assert second.get_status() == "Queued"
    assert "1 node of 'cpu-cluster'" in str(second.get_detailed_status()["details"])
    status = target.get_status()
    assert (status.current_node_count, status.queued) == (1, 1)
    first.cancel()
    second.wait_for_completion()
    assert second.get_details()["target"] == "cpu-cluster"
    assert {run.id for run in Run.list_by_compute(target)} == {first.id, second.id}


def test_runs_that_wait_for_a_target_begin_when_it_is_deleted(
    workspace: Workspace, experiment: Experiment
) -> None:
    target = create(workspace, nodes=1)
    Path("sleep.py").write_text(SLEEP)
    Path("train.py").write_text("")
    first = experiment.submit(ScriptRunConfig(".", "sleep.py", compute_target=target))
    wait_for(first, "Running")
    second = experiment.submit(ScriptRunConfig(".", "train.py", compute_target=target))
    target.delete()
    second.wait_for_completion()
    assert first.get_status() == "Running"
    with pytest.raises(ComputeTargetNotFoundError, match="no compute target 'cpu-cluster'"):
        target.get_status()
    first.cancel()


def test_a_target_that_is_not_there_is_refused_and_leaves_no_run(experiment: Experiment) -> None:
    Path("train.py").write_text("")
    with pytest.raises(ComputeTargetNotFoundError, match=r"'gpu'.*headway compute create gpu"):
        experiment.submit(ScriptRunConfig(".", "train.py", compute_target="gpu"))
    assert list(experiment.get_runs()) == []


@pytest.mark.parametrize(("fewest", "most"), [(0, 0), (3, 2), (0, -1)])
def test_numbers_of_nodes_that_make_no_sense_are_refused(fewest: int, most: int) -> None:
    with pytest.raises(InvalidValueError, match="max_nodes"):
        AmlCompute.provisioning_configuration("STANDARD_D2_V2", min_nodes=fewest, max_nodes=most)


def test_what_is_no_configuration_is_refused(workspace: Workspace) -> None:
    with pytest.raises(InvalidValueError, match="provisioning_configuration"):
        ComputeTarget.create(workspace, "cpu-cluster", None)
