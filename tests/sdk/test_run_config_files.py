"""Run configurations in files."""

from pathlib import Path
from typing import Any

import pytest

from headway import (
    CondaDependencies,
    Environment,
    InvalidValueError,
    MpiConfiguration,
    NotFoundError,
    Resources,
    RunConfiguration,
)
from headway.environments.yaml_document import read_document


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def filled() -> RunConfiguration:
    config = RunConfiguration(script="train.py", arguments=["--lr", 0.1, 3, Path("data")])
    config.framework, config.communicator = "Python", "IntelMpi"
    config.mpi = MpiConfiguration(process_count_per_node=2)
    config.environment_variables = {"A": "1"}
    config.resources = Resources(cpus=2, gpus=1)
    config.priority = 5
    config.max_run_duration_seconds = 60
    config.history.output_collection = False
    config.environment = Environment("mine")
    config.environment.python.conda_dependencies = CondaDependencies.create(
        pip_packages=["numpy==2.0"], python_version="3.10"
    )
    return config


@pytest.mark.parametrize("separate", [False, True])
def test_what_was_saved_comes_back(separate: bool) -> None:
    filled().save(name="mine", separate_environment_yaml=separate)
    assert Path(".azureml/mine.runconfig").is_file()
    assert Path(".azureml/conda_dependencies.yml").is_file() == separate
    again = RunConfiguration.load(".", "mine")
    assert (again.script, again.arguments) == ("train.py", ["--lr", 0.1, 3, "data"])
    assert (again.communicator, again.mpi.process_count_per_node) == ("IntelMpi", 2)
    assert again.environment_variables == {"A": "1"}
    assert again.resources == Resources(cpus=2, gpus=1)
    assert (again.priority, again.max_run_duration_seconds) == (5, 60)
    packages = again.environment.python.conda_dependencies
    assert packages is not None
    assert list(packages.pip_packages) == ["numpy==2.0"]
    assert packages.get_python_version() == "3.10"


def test_a_configuration_as_it_is_made_names_no_environment() -> None:
    RunConfiguration().save()
    document = read_document(Path(".azureml/run_config.runconfig").read_text(), "")
    assert "environment" not in document
    assert RunConfiguration.load(".").environment_specification(pytest.fail) is None


def test_a_file_that_the_matched_sdk_wrote_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "project" / "aml_config"
    folder.mkdir(parents=True)
    (folder / "conda_dependencies.yml").write_text("dependencies:\n- python=3.11\n- pip: [tqdm]\n")
    (folder / "local").write_text(
        "script: train.py\n"
        "arguments: [--epochs, 3]\n"
        "framework: Python\n"
        "target: local\n"
        "environment:\n"
        "  name: project_environment\n"
        "  environmentVariables: {EXAMPLE_ENV_VAR: EXAMPLE_VALUE, COUNT: 3}\n"
        "  python:\n"
        "    userManagedDependencies: false\n"
        "    interpreterPath: python\n"
        "    condaDependenciesFile: aml_config/conda_dependencies.yml\n"
        "  docker: {enabled: false}\n"
        "history: {outputCollection: true, directoriesToWatch: [logs]}\n"
        "somethingElse: {a: [1, 2]}\n"
    )
    config = RunConfiguration.load(str(tmp_path / "project"), "local")
    assert (config.script, config.arguments) == ("train.py", ["--epochs", 3])
    assert config.environment_variables == {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE", "COUNT": "3"}
    packages = config.environment.python.conda_dependencies
    assert packages is not None
    assert list(packages.pip_packages) == ["tqdm"]
    assert RunConfiguration.load(folder / "local").script == "train.py"


def test_a_saved_configuration_is_deleted() -> None:
    RunConfiguration(script="a.py").save(".", "mine")
    RunConfiguration.delete(".", "mine")
    for act in (RunConfiguration.load, RunConfiguration.delete):
        with pytest.raises(NotFoundError, match="no run configuration 'mine'"):
            act(".", "mine")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "no YAML"),
        ("- a", "holds no mapping"),
        ("mpi: 3", "mpi is 3: give a mapping"),
        ("target: [a]", "compute_target was given as list"),
        ("environment: {name: 3}", "no name"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(text: str, message: str) -> None:
    Path("a.runconfig").write_text(text)
    with pytest.raises(InvalidValueError, match=message):
        RunConfiguration.load("a.runconfig")


def test_wrong_paths_and_names_are_refused() -> None:
    wrong: Any = 3
    for act in (lambda: RunConfiguration.load(wrong), lambda: RunConfiguration().save(".", wrong)):
        with pytest.raises(InvalidValueError, match="give a text"):
            act()
