import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headway import (
    CondaDependencies,
    Environment,
    RunConfiguration,
    ScriptRunConfig,
    Workspace,
)
from headway.errors import (
    AssetNotFoundError,
    ConflictError,
    InvalidValueError,
    NotFoundError,
    UnsupportedError,
)
from headway.model import EnvironmentSpec
from headway.sdk.environments.environment import specification
from headway.sdk.submission.configuration import submission
from headway.settings import load_settings


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "train.py").touch()
    return tmp_path


def asked(environment: object) -> EnvironmentSpec:
    """What an environment asks for, with nothing to be said about it."""
    found = specification(environment, pytest.fail)
    assert found is not None
    return found


def submitted(source: Path, run_config: RunConfiguration) -> EnvironmentSpec | None:
    config = ScriptRunConfig(source, "train.py", run_config=run_config)
    return submission(config, load_settings()).environment


def test_a_requirements_file_becomes_an_environment(tmp_path: Path) -> None:
    (tmp_path / "constraints.txt").write_text("six<2\n")
    (tmp_path / "requirements.txt").write_text("--pre\n-c constraints.txt\nsix==1.17.0\n")
    made = Environment.from_pip_requirements("mine", tmp_path / "requirements.txt", "23.1")
    assert asked(made) == EnvironmentSpec(
        name="mine",
        pip_requirements=["six==1.17.0"],
        pip_options=["--pre"],
        pip_constraints=["six<2"],
    )
    with pytest.raises(InvalidValueError, match="constraints six<2 cannot stand"):
        made.save_to_directory(tmp_path / "saved")
    with pytest.raises(InvalidValueError, match="nowhere"):
        Environment.from_pip_requirements("mine", tmp_path / "nowhere")


def test_a_conda_file_becomes_an_environment(tmp_path: Path) -> None:
    file = tmp_path / "environment.yml"
    file.write_text(
        "name: theirs\nchannels: [conda-forge]\nvariables: {A: b}\n"
        "dependencies: [python=3.10, numpy=1.26, {pip: [six]}]\n"
    )
    made = Environment.from_conda_specification("mine", file)
    assert made.environment_variables == {"A": "b"}
    assert asked(made) == EnvironmentSpec(
        name="mine",
        python="3.10",
        pip_requirements=["six"],
        conda_dependencies=["numpy=1.26"],
        channels=["conda-forge"],
        environment_variables={"A": "b"},
    )


def test_an_interpreter_is_used_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = Environment("mine")
    made.python.user_managed_dependencies = True
    assert asked(made) == EnvironmentSpec(name="mine", user_managed=True)
    for given, meant in (("venv/bin/python", str(tmp_path / "venv/bin/python")), ("py", "py")):
        made.python.interpreter_path = given
        assert asked(made).interpreter == meant


def test_an_environment_that_asks_for_nothing_is_empty_when_it_was_given(source: Path) -> None:
    assert asked(Environment("mine")) == EnvironmentSpec(name="mine")
    config = ScriptRunConfig(source, "train.py", environment=Environment("mine"))
    assert submission(config, load_settings()).environment == EnvironmentSpec(name="mine")


def test_without_an_environment_the_python_of_the_submitter_is_meant(source: Path) -> None:
    assert submitted(source, RunConfiguration()) is None
    config = RunConfiguration()
    config.environment.python.user_managed_dependencies = True
    assert submitted(source, config) is None
    config.environment.environment_variables = {"A": "b"}
    spec = submitted(source, config)
    assert spec is not None
    assert (spec.user_managed, spec.interpreter) == (True, None)
    assert spec.environment_variables == {"A": "b"}


def in_its_section(config: RunConfiguration) -> None:
    config.environment.python.conda_dependencies = CondaDependencies.create(pip_packages=["six"])


def added_to_it(config: RunConfiguration) -> None:
    assert config.environment.python.conda_dependencies is not None
    config.environment.python.conda_dependencies.add_pip_package("six")


def assigned(config: RunConfiguration) -> None:
    config.environment = Environment("default-environment")
    added_to_it(config)


@pytest.mark.parametrize("give", [in_its_section, added_to_it, assigned])
def test_a_run_configuration_has_an_environment(
    source: Path, give: Callable[[RunConfiguration], None]
) -> None:
    config = RunConfiguration()
    give(config)
    spec = EnvironmentSpec(name="default-environment", pip_requirements=["six"])
    assert submitted(source, config) == spec
    with pytest.warns(UserWarning, match="environment is ignored: run_config was given"):
        ScriptRunConfig(source, "train.py", run_config=config, environment=Environment("x"))


def test_packages_given_to_a_run_configuration_are_installed(source: Path) -> None:
    packages = CondaDependencies.create(pip_packages=["six"])
    spec = submitted(source, RunConfiguration(conda_dependencies=packages))
    assert spec is not None
    assert spec.pip_requirements == ["six"]


def test_packages_that_headway_takes_the_place_of_are_left_out(source: Path) -> None:
    packages = CondaDependencies.create(
        pip_packages=["azureml-defaults", "azureml_core==1.2", "six"],
        conda_packages=["azureml-sdk"],
    )
    environment = Environment("old")
    environment.python.conda_dependencies = packages
    config = ScriptRunConfig(source, "train.py", environment=environment)
    with pytest.warns(UserWarning, match="Headway takes the place") as caught:
        what = submission(config, load_settings())
    assert len(caught) == 1
    assert what.environment == EnvironmentSpec(name="old", pip_requirements=["six"])


def test_docker_is_ignored_and_said(source: Path) -> None:
    config = RunConfiguration()
    config.environment.docker.enabled = True
    with pytest.warns(UserWarning, match="docker is ignored"):
        assert submitted(source, config) is None


@pytest.mark.parametrize(
    "build",
    [
        lambda: Environment.from_docker_image("x", "image"),
        lambda: Environment.from_dockerfile("x", "Dockerfile"),
        lambda: Environment.from_docker_build_context("x", None),
        lambda: Environment("x").build(None),
        lambda: Environment("x").build_local(None),
        lambda: Environment("x").get_image_details(None),
    ],
)
def test_images_are_refused_with_the_way_out(build: Callable[[], object]) -> None:
    with pytest.raises(UnsupportedError, match=r"use Environment\.from_pip"):
        build()


def test_an_existing_conda_environment_is_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidValueError, match="interpreter_path"):
        Environment.from_existing_conda_environment("x", "base")


def test_a_wheel_is_kept_in_the_workspace(workspace: Workspace, tmp_path: Path) -> None:
    wheel = tmp_path / "a-1-py3-none-any.whl"
    wheel.write_bytes(b"1")
    kept = Path(Environment.add_private_pip_wheel(workspace, wheel))
    assert kept.is_relative_to(workspace.folder)
    assert Environment.add_private_pip_wheel(workspace, wheel) == str(kept)
    wheel.write_bytes(b"2")
    with pytest.raises(ConflictError, match="exist_ok=True"):
        Environment.add_private_pip_wheel(workspace, wheel)
    assert kept.read_bytes() == b"1"
    Environment.add_private_pip_wheel(workspace, wheel, exist_ok=True)
    assert kept.read_bytes() == b"2"
    with pytest.raises(InvalidValueError, match="no wheel"):
        Environment.add_private_pip_wheel(workspace, tmp_path / "b.whl")


# ---------------------------------------------------------------- registered


def test_a_registered_environment_comes_back_as_it_was(
    workspace: Workspace, tmp_path: Path
) -> None:
    made = Environment("mine")
    made.environment_variables = {"A": "b"}
    made.python.conda_dependencies = CondaDependencies.create(
        pip_packages=["six==1.17.0"], conda_packages=["numpy=1.26"], python_version="3.11"
    )
    kept = made.register(workspace)
    assert (kept.name, kept.version) == ("mine", "1")
    assert made.register(workspace).version == "1"
    made.environment_variables["A"] = "c"
    assert made.register(workspace).version == "2"
    first = Environment.get(workspace, "mine", version="1")
    assert asked(first).environment_variables == {"A": "b"}
    assert asked(Environment.get(workspace, "mine")) == asked(made)
    assert {name: one.version for name, one in workspace.environments.items()} == {"mine": "2"}
    assert Environment.list(workspace).keys() == {"mine"}


def test_an_environment_is_found_by_its_label(workspace: Workspace) -> None:
    made = Environment("mine")
    made.register(workspace)
    made.environment_variables = {"A": "b"}
    made.register(workspace)
    Environment.label(workspace, "mine", "1", ["prod"])
    assert Environment.get(workspace, "mine", label="prod").version == "1"
    assert Environment.get(workspace, "mine", label="Latest").version == "2"
    with pytest.raises(AssetNotFoundError, match="'prod'"):
        Environment.get(workspace, "mine", label="test")
    with pytest.raises(AssetNotFoundError, match="there are: 2, 1"):
        Environment.get(workspace, "mine", 7)


def test_an_environment_of_a_conda_file_is_registered_with_what_is_in_the_file(
    workspace: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "conda.yml"
    file.write_text("dependencies: [{pip: [six]}]\n")
    made = Environment("mine")
    made.python.conda_dependencies_file = file
    made.register(workspace)
    file.unlink()
    assert asked(Environment.get(workspace, "mine")).pip_requirements == ["six"]


def test_an_environment_of_azures_is_the_python_that_submits(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Environment.get(workspace, "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu")
    assert asked(made).user_managed
    assert "the Python that submits is used" in capsys.readouterr().err
    with pytest.raises(AssetNotFoundError, match="'nobody'"):
        Environment.get(workspace, "nobody")


def test_a_clone_is_independent() -> None:
    first = Environment("first")
    first.environment_variables["A"] = "b"
    second = first.clone("second")
    second.environment_variables["A"] = "c"
    assert second.python.conda_dependencies is not None
    second.python.conda_dependencies.add_pip_package("six")
    assert asked(first) == EnvironmentSpec(name="first", environment_variables={"A": "b"})
    assert asked(second).name == "second"


def test_a_definition_is_saved_and_loaded(tmp_path: Path) -> None:
    made = Environment("mine")
    made.python.conda_dependencies = CondaDependencies.create(None, ["six"], None, "3.11")
    made.environment_variables = {"A": "b"}
    folder = tmp_path / "saved"
    made.save_to_directory(folder)
    assert sorted(os.listdir(folder)) == ["azureml_environment.json", "conda_dependencies.yml"]
    loaded = Environment.load_from_directory(folder)
    assert asked(loaded) == asked(made)
    assert repr(loaded) == str(made)
    with pytest.raises(ConflictError, match="overwrite=True"):
        made.save_to_directory(folder)
    made.python.user_managed_dependencies = True
    made.python.interpreter_path = "/usr/bin/python3"
    made.save_to_directory(folder, overwrite=True)
    loaded = Environment.load_from_directory(folder)
    assert asked(loaded).interpreter == "/usr/bin/python3"


def test_a_definition_of_another_sdk_is_loaded_as_far_as_it_goes(tmp_path: Path) -> None:
    definition = {
        "name": "theirs",
        "version": 3,
        "docker": {"baseImage": "image"},
        "python": {"condaDependencies": {"dependencies": ["python=3.9", {"pip": ["six"]}]}},
    }
    (tmp_path / "azureml_environment.json").write_text(json.dumps(definition))
    loaded = Environment.load_from_directory(tmp_path)
    assert loaded.version == "3"
    assert asked(loaded) == EnvironmentSpec(name="theirs", python="3.9", pip_requirements=["six"])


@pytest.mark.parametrize(
    ("content", "says"), [(b"{", "no JSON"), (b"[]", "no name"), (b'{"name": 3}', "no name")]
)
def test_a_damaged_definition_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(NotFoundError, match=r"azureml_environment\.json"):
        Environment.load_from_directory(tmp_path)
    (tmp_path / "azureml_environment.json").write_bytes(content)
    with pytest.raises(InvalidValueError, match=says):
        Environment.load_from_directory(tmp_path)


def test_what_is_no_environment_is_refused(source: Path) -> None:
    wrong: Any = "AzureML-Minimal"
    config = ScriptRunConfig(source, "train.py", environment=wrong)
    with pytest.raises(InvalidValueError, match="give an Environment"):
        submission(config, load_settings())
    environment = Environment("x")
    environment.python.conda_dependencies = wrong
    with pytest.raises(InvalidValueError, match="give CondaDependencies"):
        asked(environment)
    with pytest.raises(InvalidValueError, match="environment name"):
        Environment(3)  # pyright: ignore[reportArgumentType]  (that is the test)


def test_a_file_named_in_the_section_goes_before_its_packages(tmp_path: Path) -> None:
    file = tmp_path / "environment.yml"
    file.write_text("dependencies: [{pip: [attrs]}]")
    environment = Environment("mine")
    environment.python.conda_dependencies = CondaDependencies.create(pip_packages=["six"])
    environment.python.conda_dependencies_file = file
    assert asked(environment).pip_requirements == ["attrs"]
    environment.python.conda_dependencies_file = None
    environment.python.conda_dependencies = None
    assert asked(environment).pip_requirements == []
