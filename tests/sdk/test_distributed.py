"""What the configurations for several processes come to."""

from pathlib import Path
from typing import Any

import pytest

from headway import MpiConfiguration, PyTorchConfiguration, RunConfiguration, ScriptRunConfig
from headway.errors import InvalidValueError
from headway.model import Processes
from headway.sdk.submission.configuration import submission
from headway.settings import load_settings


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").touch()
    return folder


def processes_of(source: Path, job: object) -> Processes | None:
    config = ScriptRunConfig(source, "train.py", distributed_job_config=job)
    return submission(config, load_settings({}, Path("/no/such/file"))).processes


@pytest.mark.parametrize(
    ("job", "processes"),
    [
        (None, None),
        (PyTorchConfiguration(), Processes(1, "pytorch")),
        (PyTorchConfiguration("Gloo", 4), Processes(4, "pytorch")),
        (PyTorchConfiguration("nccl", process_count=2, node_count=1), Processes(2, "pytorch")),
        (MpiConfiguration(), Processes(1, "mpi")),
        (MpiConfiguration(8), Processes(8, "mpi")),
    ],
)
def test_processes_are_counted(source: Path, job: object, processes: Processes | None) -> None:
    assert processes_of(source, job) == processes


def test_a_run_configuration_says_the_same(source: Path) -> None:
    config = RunConfiguration(framework="PyTorch", communicator="Gloo")
    config.pytorch = PyTorchConfiguration("Gloo", 3)
    settings = load_settings({}, Path("/no/such/file"))
    asked = submission(ScriptRunConfig(source, "train.py", run_config=config), settings)
    assert asked.processes == Processes(3, "pytorch")
    config = RunConfiguration(communicator="OpenMpi")
    config.mpi.process_count_per_node = 2
    asked = submission(ScriptRunConfig(source, "train.py", run_config=config), settings)
    assert asked.processes == Processes(2, "mpi")


def test_a_job_beside_a_run_configuration_is_ignored_aloud(source: Path) -> None:
    with pytest.warns(UserWarning, match="distributed_job_config is ignored"):
        ScriptRunConfig(
            source,
            "train.py",
            run_config=RunConfiguration(),
            distributed_job_config=MpiConfiguration(2),
        )


@pytest.mark.parametrize(
    "job", [PyTorchConfiguration(process_count=4, node_count=2), MpiConfiguration(1, 2)]
)
def test_more_machines_than_one_are_refused(source: Path, job: object) -> None:
    with pytest.raises(InvalidValueError, match=r"node_count was given as 2.*'local' is one"):
        processes_of(source, job)


def test_every_machine_has_as_many_processes() -> None:
    with pytest.raises(InvalidValueError, match="a multiple of it"):
        PyTorchConfiguration(process_count=3, node_count=2)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2", True])
def test_a_count_is_a_whole_number_above_zero(wrong: Any) -> None:
    with pytest.raises(InvalidValueError, match="whole number above 0"):
        PyTorchConfiguration(process_count=wrong)
    with pytest.raises(InvalidValueError, match="whole number above 0"):
        MpiConfiguration(wrong)


def test_a_backend_is_one_that_is_known() -> None:
    with pytest.raises(InvalidValueError, match="'Nccl' and 'Gloo'"):
        PyTorchConfiguration("mpi")


def test_what_is_no_such_configuration_is_refused(source: Path) -> None:
    with pytest.raises(InvalidValueError, match="distributed_job_config was given as int 2"):
        ScriptRunConfig(source, "train.py", distributed_job_config=2)
