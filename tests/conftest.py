"""What every test stands on: an environment of its own, and bounded, repeatable examples."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from headway.testing.postgres_cluster import PostgresCluster

pytest.register_assert_rewrite("headway.testing")  # before anything of it is imported

# A job in a shell's background begins with SIGINT ignored, and would hand that on to every program
# that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.settings.register_profile("headway", max_examples=60, deadline=None)
hypothesis.settings.register_profile(
    "headway-ci", max_examples=40, deadline=None, derandomize=True, database=None
)
hypothesis.settings.load_profile("headway-ci" if os.environ.get("CI") else "headway")


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the user's is read or written, and no variable of theirs steers a test.

    Returns the folder that stands for the user's home.
    """
    for variable in list(os.environ):
        if variable.startswith(("HEADWAY_", "AZUREML_", "XDG_")):
            monkeypatch.delenv(variable)
    home = tmp_path / "user-home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HEADWAY_HOME", str(home / "headway"))
    for kind in ("DATA", "CONFIG", "STATE", "CACHE", "RUNTIME"):
        name = "XDG_RUNTIME_DIR" if kind == "RUNTIME" else f"XDG_{kind}_HOME"
        monkeypatch.setenv(name, str(home / kind.lower()))
    return home


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests, those of other workers too."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    return base / "uv-cache"


@pytest.fixture
def real_uv(uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments are made by the real uv, with the packages that it fetched for other tests."""
    for variable in list(os.environ):
        if variable.startswith(("UV_", "VIRTUAL_ENV", "CONDA", "MAMBA", "PYTHONPATH")):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))


@pytest.fixture(scope="session")
def require_program() -> Callable[[str], str]:
    """The path of a program; without it the test is skipped, or fails where CI is set."""

    def find(name: str) -> str:
        found = shutil.which(name)
        if found is None:
            missing = f"{name} is not on the PATH"
            if os.environ.get("CI"):
                pytest.fail(missing)
            pytest.skip(missing)
        return found

    return find


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator["PostgresCluster"]:
    """A PostgreSQL for the tests of this process, each of which takes a schema of its own.

    Without its programs the test is skipped, or fails where CI is set.
    """
    from headway.testing import postgres_cluster as clusters  # noqa: PLC0415  (see above)

    programs = clusters.find_programs()
    if programs is None:
        missing = "PostgreSQL is not installed (Debian: apt install postgresql)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    cluster = clusters.PostgresCluster(programs)
    yield cluster
    cluster.remove()
