"""conda environment files: Python and pip are understood, the rest is kept for conda."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.environments.conda_file import conda_specification_file, from_conda_specification
from headway.errors import InvalidValueError
from headway.model import EnvironmentSpec

EXAMPLE = """\
name: train
channels: [conda-forge, defaults]
dependencies:
  - python=3.10
  - pip=23
  - numpy>=1.26,<3
  - pytorch::pytorch=2.1=*cuda*
  - pip:
    - six==1.17.0  # exactly
    - --extra-index-url https://host.example/simple
variables:
  DEPTH: 3.10
  FLAG: no
prefix: /home/someone/envs/train
"""


def test_a_file_is_read() -> None:
    assert from_conda_specification(EXAMPLE) == EnvironmentSpec(
        name="train",
        python="3.10",
        pip_requirements=["six==1.17.0"],
        pip_options=["--extra-index-url https://host.example/simple"],
        conda_dependencies=["numpy>=1.26,<3", "pytorch::pytorch=2.1=*cuda*"],
        channels=["conda-forge", "defaults"],
        environment_variables={"DEPTH": "3.10", "FLAG": "no"},
    )


def test_a_name_that_is_given_wins() -> None:
    assert from_conda_specification("name: a\n", name="b").name == "b"
    assert from_conda_specification("dependencies:\n").name == "environment"


@pytest.mark.parametrize(
    ("dependency", "python"),
    [
        ("python", None),
        ("python=3.11", "3.11"),
        ("python==3.11.4", "3.11.4"),
        ("python = 3.11.*", "3.11"),
        ("python 3.11.4 h1234_0_cpython", "3.11.4"),
        ("python=3.11.4=h1234_0_cpython", "3.11.4"),
        ("python>=3.9, <3.12", ">=3.9,<3.12"),
        ("conda-forge::python=3.12", "3.12"),
    ],
)
def test_versions_of_python_become_those_of_uv(dependency: str, python: str | None) -> None:
    assert from_conda_specification(f"dependencies: ['{dependency}']").python == python


def test_paths_of_the_pip_section_start_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("six\n", encoding="utf-8")
    path = tmp_path / "conda.yml"
    path.write_text("dependencies: [{pip: [-r requirements.txt]}]\n", encoding="utf-8")
    assert conda_specification_file(path).pip_requirements == ["six"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("- a\n- b\n", ":1: the file is no mapping"),
        ("dependencies: [a\n", r":\d: no YAML"),
        ("\ndependancies: [a]\n", ":2: 'dependancies' is no section; accepted are name"),
        ("name: a\nname: b\n", ":2: 'name' stands twice"),
        ("dependencies: numpy\n", ":1: dependencies is no list"),
        ("dependencies:\n- [a]\n", ":2: a dependency is no text"),
        ("dependencies:\n- {npm: [a]}\n", ":2: 'npm' is no list of packages"),
        ("dependencies:\n- '?'\n", ":2: '\\?' is no conda package"),
        ("dependencies:\n- python=three\n", ":2: 'three' is no version of Python"),
        ("dependencies:\n- python=3.9|3.10\n", ":2: .*is not understood"),
        ("dependencies:\n- pip:\n  - six\n  - -e .\n", ":4: '-e .' is not accepted"),
        ("variables: [a]\n", ":1: variables is no mapping"),
        ("name: a\x00b", "no YAML"),
        ("[" * 2000, "no YAML"),
        ("name: !!python/object/apply:os.system [x]", "name is no text"),
    ],
)
def test_what_is_not_accepted_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(InvalidValueError, match=says):
        from_conda_specification(text)


@given(st.text(alphabet=st.sampled_from("namedpi :-[]{}\n=&*'\"!<#3."), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for candidate in (text, f"dependencies:\n- {text}\n"):
        with suppress(InvalidValueError):
            from_conda_specification(candidate)
