"""conda packages, with a program that stands for micromamba and without any."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headway.environments.conda_file import from_conda_specification
from headway.environments.conda_names import by_pip
from headway.environments.interpreters import running
from headway.errors import InvalidValueError
from headway.model import EnvironmentSpec

if TYPE_CHECKING:
    from tests.environments.conftest import World

SPEC = """
channels: [conda-forge]
dependencies:
  - python={version}
  - iniconfig=2.0.0
  - libthing
  - pip:
    - six==1.17.0
    - iniconfig
"""

# Makes a virtual environment at --prefix, with the records that conda leaves in an environment.
MICROMAMBA = """
echo "$*" >> {root}/conda-calls
while [ "$1" != "--prefix" ]; do shift; done
prefix=$2
case "$*" in *--file*) cat "$4" >> {root}/explicit;; esac
{uv} venv -q --python {python} "$prefix"
{uv} pip install -q --python "$prefix/bin/python" iniconfig==2.0.0
mkdir "$prefix/conda-meta"
for name in libthing python; do
  echo "{{\\"name\\": \\"$name\\", \\"url\\": \\"https://host.example/$name.conda\\"," \\
    "\\"md5\\": \\"00\\"}}" > "$prefix/conda-meta/$name.json"
done
"""


def minor() -> str:
    return running().version.rpartition(".")[0]


def without_conda(world: "World") -> None:
    folders = world.variables["PATH"].split(":")
    programs = ("conda", "mamba", "micromamba")
    found = [f for f in folders if not any((Path(f) / name).exists() for name in programs)]
    world.variables["PATH"] = ":".join(found)


def test_without_conda_the_packages_are_listed_with_what_to_do(world: "World") -> None:
    without_conda(world)
    spec = from_conda_specification(SPEC.format(version=minor()))
    with pytest.raises(InvalidValueError) as caught:
        world.store().ensure(spec)
    assert "iniconfig=2.0.0, libthing" in caught.value.message
    assert "move the packages to the pip list" in caught.value.message
    assert "install micromamba" in caught.value.message


def test_without_conda_packages_that_pip_knows_are_installed_by_pip(world: "World") -> None:
    without_conda(world)
    said: list[str] = []
    text = f"dependencies: [python={minor()}, 'conda-forge::six=1.17', {{pip: [iniconfig]}}]"
    spec = from_conda_specification(text, name="mixed")
    built = world.store().ensure(spec, progress=said.append)
    assert [line.partition("==")[0] for line in built.packages] == ["iniconfig", "six"]
    assert "six==1.17.0" in built.packages
    assert any("'mixed' are taken from pip's index" in line for line in said)


def test_without_conda_one_package_that_pip_does_not_know_is_named_alone(world: "World") -> None:
    without_conda(world)
    spec = from_conda_specification("dependencies: [six, cudatoolkit=10.2, numpy]")
    with pytest.raises(InvalidValueError, match=r"the conda packages cudatoolkit=10\.2 need"):
        world.store().ensure(spec)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("numpy", "numpy"),
        ("NumPy", "numpy"),
        ("numpy *", "numpy"),
        ("numpy=1.26", "numpy==1.26.*"),
        ("numpy = 1.26.4", "numpy==1.26.4.*"),
        ("numpy=1.26.*", "numpy==1.26.*"),
        ("numpy==1.26.4", "numpy==1.26.4"),
        ("numpy 1.26.4", "numpy==1.26.4"),
        ("numpy 1.26*", "numpy==1.26.*"),
        ("numpy=1.26.4=py311h64a7726_0", "numpy==1.26.4.*"),
        ("numpy==1.26.4=py311h64a7726_0", "numpy==1.26.4"),
        ("numpy 1.26.4 py311h64a7726_0", "numpy==1.26.4"),
        ("numpy>=1.20,<2", "numpy>=1.20,<2"),
        ("numpy >=1.20, <2.0a0", "numpy>=1.20,<2.0a0"),
        ("numpy~=1.20", "numpy~=1.20"),
        ("numpy!=1.20.*", "numpy!=1.20.*"),
        ("conda-forge::pytorch=2.1", "torch==2.1.*"),
        ("py-xgboost", "xgboost"),
        ("numpy[version='>=1']", None),
        ("numpy>=1|<0.5", None),
        ("numpy=", None),
        ("opencv", None),
        ("-c conda-forge", None),
    ],
)
def test_a_conda_package_is_what_pip_calls_so(given: str, wanted: str | None) -> None:
    spec = EnvironmentSpec("e", conda_dependencies=[given], pip_requirements=["six"])
    if wanted is None:
        with pytest.raises(InvalidValueError, match="need micromamba"):
            by_pip(spec)
    else:
        assert by_pip(spec).pip_requirements == [wanted, "six"]
        assert by_pip(spec).conda_dependencies == []


def test_a_file_of_python_and_pip_packages_needs_no_conda(world: "World") -> None:
    without_conda(world)
    text = f"dependencies: [python={minor()}, pip, {{pip: [six==1.17.0]}}]"
    built = world.store().ensure(from_conda_specification(text))
    assert built.packages == ["six==1.17.0"]


def test_conda_packages_are_left_to_micromamba_and_made_again_from_its_list(
    world: "World",
) -> None:
    script = MICROMAMBA.format(root=world.root, uv=world.uv, python=running().path.resolve())
    world.program("micromamba", script)
    spec = from_conda_specification(SPEC.format(version=minor()))
    store = world.store()
    built = store.ensure(spec)
    assert built.built
    prefix = world.folder / built.key
    calls = (world.root / "conda-calls").read_text(encoding="utf-8").splitlines()
    assert calls == [
        f"create --yes --quiet --prefix {prefix} --override-channels --channel conda-forge "
        f"python={minor()} iniconfig=2.0.0 libthing"
    ]
    # What conda installed stays as it is, though the pip list would take any version.
    assert built.packages == ["six==1.17.0"]
    assert store.describe(built).packages == ["iniconfig==2.0.0", "six==1.17.0"]
    assert store.ensure(spec) == store.ensure(spec)

    assert store.prune(0) == [built.key]
    again = store.ensure(spec)
    assert again == built
    assert (world.root / "explicit").read_text(encoding="utf-8") == (
        "@EXPLICIT\nhttps://host.example/python.conda#00\nhttps://host.example/libthing.conda#00\n"
    )
    ready = json.loads((prefix / ".ready").read_bytes())
    assert ready["conda"] is True


def test_a_conda_that_fails_is_an_error_with_what_it_said(world: "World") -> None:
    world.program("micromamba", "echo 'error libmamba: nothing provides libthing' >&2; exit 1\n")
    spec = from_conda_specification("dependencies: [libthing]")
    with pytest.raises(Exception, match="nothing provides libthing"):
        world.store().ensure(spec)
    assert world.store().prune(0) == []
