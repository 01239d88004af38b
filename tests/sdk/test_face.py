import subprocess
import sys

import pytest

import headway
from headway import errors

HEAVY = ["apsw", "blake3", "click", "numpy", "pcodec", "plotext", "psutil", "rich", "uv", "yaml"]


def modules_after(program: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_all_is_sorted_and_every_name_is_there() -> None:
    assert headway.__all__ == sorted(headway.__all__)
    for name in headway.__all__:
        assert getattr(headway, name) is not None
    assert set(headway.__all__) <= set(dir(headway))


def test_every_error_is_exported() -> None:
    names = {cls.__name__ for cls in errors.ERROR_CODES}
    assert names <= set(headway.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Wokspace'"):
        _ = getattr(headway, "Wokspace")  # noqa: B009  (the type checker knows the names)


def test_importing_the_package_imports_nothing_of_it() -> None:
    loaded = modules_after("import headway")
    assert {name for name in loaded if name.startswith("headway")} == {"headway"}
    assert "typing" not in loaded


def test_the_sdk_is_imported_without_what_is_heavy() -> None:
    loaded = modules_after("from headway import *")
    assert "headway.sdk.handles" in loaded
    assert not loaded & set(HEAVY)


def test_a_run_is_logged_to_without_numpy(tmp_path: object) -> None:
    loaded = modules_after(
        "import os\n"
        f"os.environ['HEADWAY_WORKSPACE'] = {str(tmp_path)!r} + '/ws'\n"
        "from headway import *\n"
        "run = Experiment(Workspace.from_config(), 'e').start_logging()"
    )
    assert not loaded & {"numpy", "pcodec"}
