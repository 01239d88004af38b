"""Hugging Face transformers finds ``azureml.core.run`` by itself and logs to a run.

The real package and a toy model, on CPU, in the Python that ``make test-transformers`` makes.
"""

import math
import os
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

from headway import Environment, Experiment, Run, ScriptRunConfig, Workspace
from headway.sdk.interactive.process import close_sessions

ROOT: Final = Path(__file__).resolve().parents[2]
PYTHON: Final = ROOT / ".venv" / "transformers" / "bin" / "python"
SCRIPT: Final = ROOT / "tests" / "compat" / "scripts" / "finetune.py"
STEPS: Final = 4  # 16 examples in batches of 4

pytestmark = [
    pytest.mark.slow,  # importing torch and transformers alone takes seconds
    pytest.mark.timeout(300),
]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Workspace]:
    if not PYTHON.exists():
        missing = f"{PYTHON} is missing: make test-transformers makes it"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    yield Workspace.from_config()
    close_sessions()


def losses_are_there(run: Run) -> None:
    metrics: Any = run.get_metrics()
    assert len(metrics["loss"]) == STEPS
    assert all(isinstance(loss, float) and 3 < loss < 5 for loss in metrics["loss"])
    assert math.isclose(metrics["train_loss"], sum(metrics["loss"]) / STEPS, rel_tol=1e-3)
    assert metrics["epoch"][-1] == 1.0


def test_a_training_script_alone_logs_to_a_run(workspace: Workspace, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(PYTHON), str(SCRIPT), str(tmp_path / "model")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "azure_ml" in done.stdout.splitlines()[0]
    [run] = Experiment(workspace, "offline").get_runs()
    assert run.get_status() == "Completed"
    losses_are_there(run)


def test_a_submitted_training_script_logs_to_its_run(workspace: Workspace, tmp_path: Path) -> None:
    environment = Environment("transformers")
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = str(PYTHON)
    config = ScriptRunConfig(
        source_directory=SCRIPT.parent,
        script=SCRIPT.name,
        arguments=[tmp_path / "model"],
        environment=environment,
    )
    run = Experiment(workspace, "finetuning").submit(config)
    assert run.wait_for_completion()["status"] == "Completed"
    losses_are_there(run)
