import os
import sys
from pathlib import Path

import pytest

from headway.environments.visible import way_to_headway
from headway.hosting.environments import EnvironmentService
from headway.model import EnvironmentSpec, Submission


def service(folder: Path, **variables: str) -> EnvironmentService:
    environment = {"PATH": os.defpath, **variables}
    return EnvironmentService(folder / "environments", "", environment, pytest.fail)


def fake_python(folder: Path) -> str:
    """One that says that it is like this one, and has nothing installed."""
    version = "{}.{}.{}".format(*sys.version_info[:3])
    path = folder / "python-of-mine"
    path.write_text(
        f'#!/bin/sh\necho \'{{"python_version": "{version}", "implementation": "CPython",'
        ' "platform": "Linux", "path": [], "packages": []}\'\n'
    )
    path.chmod(0o755)
    return str(path)


def test_the_interpreter_is_replaced_wherever_it_stands_before_the_script(tmp_path: Path) -> None:
    python = fake_python(tmp_path)
    spec = EnvironmentSpec(interpreter=python, user_managed=True)
    asked = Submission(
        command=["mpirun", sys.executable, "-u", "train.py", sys.executable, "train.py"],
        source_directory=str(tmp_path),
        script="train.py",
        environment=spec,
    )
    with service(tmp_path).prepared(asked) as prepared:
        assert prepared.submission.command == [
            *("mpirun", python, "-u", "train.py", sys.executable, "train.py")
        ]


def test_passwords_are_not_kept(tmp_path: Path) -> None:
    address = "https://someone:hunter2@packages.invalid/simple"
    spec = EnvironmentSpec(
        user_managed=True,
        pip_requirements=[f"six @ {address}/six.whl"],
        pip_options=[f"--index-url {address}"],
        channels=[address],
    )
    asked = Submission(command=["true"], source_directory=str(tmp_path), environment=spec)
    with service(tmp_path).prepared(asked) as prepared:
        assert "hunter2" not in repr(prepared)


def test_paths_that_were_set_are_kept_behind(tmp_path: Path) -> None:
    python = fake_python(tmp_path)
    spec = EnvironmentSpec(interpreter=python, user_managed=True)
    way = way_to_headway(tmp_path / "environments" / "visible")
    for given, inherited in (({}, {"PATH": "/a", "PYTHONPATH": "/b"}), ({"PATH": "/a"}, {})):
        asked = Submission(
            command=[sys.executable, "train.py"],
            source_directory=str(tmp_path),
            environment=spec,
            environment_variables=given,
        )
        with service(tmp_path, **inherited).prepared(asked) as prepared:
            assert prepared.variables["PATH"] == f"{tmp_path}:/a"
            before = "/b:" if inherited else ""
            assert prepared.variables["PYTHONPATH"] == f"{before}{way}"


def test_variables_of_the_submission_go_before_those_of_the_environment(tmp_path: Path) -> None:
    spec = EnvironmentSpec(user_managed=True, environment_variables={"A": "1", "B": "2"})
    asked = Submission(
        command=["true"],
        source_directory=str(tmp_path),
        environment=spec,
        environment_variables={"A": "3"},
    )
    with service(tmp_path).prepared(asked) as prepared:
        assert (prepared.variables["A"], prepared.variables["B"]) == ("3", "2")


@pytest.mark.parametrize("python", ["#!/bin/sh\nexit 3\n", None])
def test_what_a_shell_would_find_is_described_or_the_reason_why_not(
    tmp_path: Path, python: str | None
) -> None:
    if python is not None:
        (tmp_path / "python").write_text(python)
        (tmp_path / "python").chmod(0o755)
    asked = Submission(command=["/bin/sh", "-c", "true"], source_directory=str(tmp_path))
    with service(tmp_path, PATH=str(tmp_path)).prepared(asked) as prepared:
        texts = list(prepared.files.values())
    if python is None:
        assert texts == []
    else:
        assert all(line.startswith("# ") for line in texts[0].splitlines())
        assert "cannot say what it has installed" in texts[0]
