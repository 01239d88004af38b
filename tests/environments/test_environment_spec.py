"""Specifications: what makes no sense is refused, and what they are known by."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headway.environments.interpreters import Interpreter
from headway.environments.recipe import identity
from headway.environments.spec import check_spec
from headway.errors import InvalidValueError
from headway.model import EnvironmentSpec

MINE = Interpreter(Path("/usr/bin/python3.11"), "3.11.7")


@pytest.mark.parametrize("python", ["3", "3.11", "3.11.7", ">=3.9,<3.12", "~=3.11.0", "==3.11.*"])
def test_versions_and_ranges_of_python_are_accepted(python: str) -> None:
    check_spec(EnvironmentSpec(python=python))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": ""}, "environment name is empty"),
        ({"python": "three"}, "is no version of Python"),
        ({"python": ""}, "is no version of Python"),
        ({"python": ">=3.9,"}, "is no version of Python"),
        ({"python": "--help"}, "is no version of Python"),
        ({"python": "3.11", "interpreter": "/usr/bin/python3"}, "give one of them"),
        ({"pip_requirements": ["six\n--index-url x"]}, "pip requirement .* control character"),
        ({"conda_dependencies": ["--help"]}, "is no conda package"),
        ({"channels": ["-x"]}, "is no conda package or channel"),
        ({"environment_variables": {"A=B": "1"}}, "cannot be an environment variable"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        check_spec(EnvironmentSpec(**fields))


def test_a_specification_survives_a_trip_through_json() -> None:
    spec = EnvironmentSpec("x", "3.11", pip_requirements=["six"], environment_variables={"A": "1"})
    assert msgspec.json.decode(msgspec.json.encode(spec), type=EnvironmentSpec) == spec


def test_the_same_is_asked_for_whatever_its_name_order_and_variables() -> None:
    one = EnvironmentSpec("x", pip_requirements=["six", "numpy"], environment_variables={"A": "1"})
    two = EnvironmentSpec("y", pip_requirements=["numpy", "six", "six"])
    assert identity(one, MINE) == identity(two, MINE)
    assert identity(two, MINE) != identity(two, MINE._replace(version="3.12.1"))
    assert identity(two, MINE) == identity(two, MINE._replace(version="3.11.9"))


def test_a_local_archive_that_was_made_anew_is_something_else(tmp_path: Path) -> None:
    wheel = tmp_path / "tool.whl"
    wheel.write_bytes(b"one")
    for line in (str(wheel), f"tool @ {wheel.as_uri()}"):
        spec = EnvironmentSpec(pip_requirements=[line])
        before = identity(spec, MINE)
        os.utime(wheel, (1, 1))
        assert identity(spec, MINE) != before
        os.utime(wheel, (2, 2))
