"""Scripts and notebooks as people have them for ``azureml.core``, executed unchanged."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final, cast

import nbformat
import pytest
from nbclient import NotebookClient

from headway import Experiment, Workspace
from headway.migration.report import check
from headway.migration.table import Support

HERE: Final = Path(__file__).resolve().parent
SCRIPTS: Final = HERE / "scripts"
NOTEBOOKS: Final = sorted((HERE / "notebooks").glob("*.ipynb"))

pytestmark = [
    pytest.mark.slow,  # runs are submitted, and scikit-learn and pandas take seconds to load
    pytest.mark.timeout(120),
]


@pytest.fixture(autouse=True)
def folder(ws: Workspace) -> Path:
    """A user's folder with their scripts in it; the current one."""
    here = Path.cwd()
    shutil.copytree(SCRIPTS, here, dirs_exist_ok=True)
    (here / "finetune.py").unlink()  # for another Python: see test_transformers
    return here


def execute(script: str, *arguments: str) -> str:
    """Execute a script as its user would; what it printed."""
    done = subprocess.run(
        [sys.executable, script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MPLBACKEND": "Agg"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def test_nothing_that_the_scripts_and_notebooks_use_is_missing() -> None:
    for folder in (SCRIPTS, HERE / "notebooks"):
        report = check(folder)
        assert report.using
        assert not report.problems
        assert not [one for one in report.findings if one.support is Support.NO]


@pytest.mark.enable_socket  # a kernel is spoken to through sockets of this machine
@pytest.mark.filterwarnings("default")  # of the packages that start kernels
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_executed_from_top_to_end(notebook: Path, folder: Path) -> None:
    document: Any = cast("Any", nbformat).read(notebook, as_version=4)
    NotebookClient(document, timeout=60, resources={"metadata": {"path": str(folder)}}).execute()
    outputs: list[Any] = [output for cell in document.cells for output in cell.get("outputs", [])]
    assert outputs
    assert not [output for output in outputs if output.output_type == "error"]


def test_a_training_script_is_submitted_and_its_model_registered(ws: Workspace) -> None:
    said = execute("submit.py")
    assert "diabetes\tdiabetes:1\t1" in said
    [second, first] = Experiment(ws, "train-on-local").get_runs()
    assert first.get_tags() == {"way": "environment"}
    metrics: Any = first.get_metrics()
    assert metrics["alpha"] == 0.1
    assert metrics["rows"] == 442
    assert len(metrics["coefficients"]) == 10
    assert set(metrics["prediction"]) == {"actual", "predicted"}
    assert metrics["actual_over_predicted"].startswith("aml://artifactId/")
    files = first.get_file_names()
    assert {"outputs/model.pkl", "logs/notes.txt"} <= set(files)
    assert any(name.startswith("actual_over_predicted_") for name in files)
    assert second.get_metrics("alpha") == {"alpha": 0.5}
    assert Path("outputs").exists() is False, "the run's folder is not the user's"


def test_a_training_script_works_without_being_submitted(ws: Workspace) -> None:
    execute("train.py", "--alpha", "0.25")
    [run] = Experiment(ws, "offline").get_runs()
    assert run.get_status() == "Completed"
    assert run.get_metrics("alpha") == {"alpha": 0.25}


def test_a_cluster_is_provisioned_and_submitted_to() -> None:
    said = execute("provision.py")
    assert "Creating a new compute target" in said
    assert "found compute target: cpu-cluster Succeeded" in said
    assert said.count("cpu-cluster Completed") == 2
    assert "Found existing compute target" in execute("provision.py")


def test_hyperparameters_are_child_runs(ws: Workspace) -> None:
    execute("sweep.py")
    runs = list(Experiment(ws, "sweep").get_runs())
    assert {run.get_status() for run in runs} == {"Completed"}


def test_runs_are_managed(ws: Workspace) -> None:
    said = execute("manage_runs.py")
    assert "Hello from a run" in said
    assert "nowhere.py script path doesn't exist" in said
    assert "manage-runs" in ws.experiments


def test_a_script_finds_out_whether_it_was_submitted(ws: Workspace) -> None:
    assert "offline: True" in execute("offline.py")
    program = (
        "from azureml.core import *\n"
        "experiment = Experiment(Workspace.from_config(), 'e')\n"
        "run = experiment.submit(ScriptRunConfig('.', 'offline.py'))\n"
        "run.wait_for_completion(show_output=True)\n"
        "assert run.get_metrics() == {'loss': 0.25, 'losses': [0.5, 0.25]}\n"
    )
    Path("program.py").write_text(program)
    assert f"in e of {ws.name}" in execute("program.py")


@pytest.mark.parametrize("submitted", [True, False], ids=["submitted", "alone"])
def test_a_step_registers_what_it_trained(ws: Workspace, submitted: bool) -> None:
    program = (
        "from azureml.core import *\n"
        "parent = Experiment(Workspace.from_config(), 'e').start_logging()\n"
        "run = parent.submit_child(ScriptRunConfig('.', 'register.py'))\n"
        "run.wait_for_completion(show_output=True)\n"
        "assert parent.get_metrics() == {'mse': 0.1} and parent.get_tags() == {'build': '17'}\n"
    )
    Path("program.py").write_text(program)
    said = execute("program.py" if submitted else "register.py")
    assert "there is none yet: ModelNotFoundError" in said
    assert ws.models["ridge"].version == 2


def test_data_are_given_to_a_run(ws: Workspace) -> None:
    execute("data.py")
    assert "squares" in ws.datasets


def test_names_of_earlier_releases_are_there() -> None:
    said = execute("older_names.py")
    assert "3,4" in said
    assert "[2, 4]" in said
    assert "ResourceConfiguration(cpu=1, memory_in_gb=0.5, gpu=None)" in said


def test_what_notebooks_do_around_their_runs(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEADWAY_WORKSPACE")
    said = execute("workspace_tour.py")
    assert "{'pictures': 3}" in said
    again = Workspace.from_config("config-folder")
    assert again.name == "team"
    assert set(again.models) == {"numbers"}
