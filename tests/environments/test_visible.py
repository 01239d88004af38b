import os
import subprocess
import sys
from pathlib import Path

import pytest

from headway.environments.visible import way_to_headway
from headway.errors import StorageError


def imported(way: Path, text: str = "import headway; print(headway.__file__)") -> str:
    """What a Python says that has nothing but its own library and that folder."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", text],
        env={"PYTHONPATH": str(way)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_headway_is_found_and_its_folder_is_made_once(tmp_path: Path) -> None:
    way = way_to_headway(tmp_path / "visible")
    assert way_to_headway(tmp_path / "visible") == way
    assert imported(way) == f"{way.parent}/links/headway/__init__.py\n"
    assert sorted(os.listdir(tmp_path / "visible")) == [way.parent.name]


def test_the_parts_of_the_package_are_found_and_it_is_loaded_once(tmp_path: Path) -> None:
    way = way_to_headway(tmp_path)
    text = (
        "import sys\nfrom headway.errors import HeadwayError\nfrom headway import Workspace\n"
        "import headway, headway.errors\n"
        "print(headway.errors.HeadwayError is HeadwayError, headway.HeadwayError is HeadwayError,\n"
        "      len([p for p in sys.path if p.endswith('links')]), 'numpy' in sys.modules)"
    )
    assert imported(way, text) == "True True 1 False\n"


def test_the_names_of_azureml_are_found_too(tmp_path: Path) -> None:
    way = way_to_headway(tmp_path)
    text = "from azureml.core import Run; import headway; print(Run is headway.Run)"
    assert imported(way, text) == "True\n"


def test_another_python_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", (3, 99, 0))
        way = way_to_headway(tmp_path)
    said = imported(way)
    assert "ImportError: headway cannot be imported here" in said
    assert "submitted from Python 3.99; add headway to the requirements" in said
    assert imported(way, "import json; print(json.__name__)") == "json\n"


def test_a_headway_that_is_gone_is_said(tmp_path: Path) -> None:
    way = way_to_headway(tmp_path)
    (way.parent / "links" / "headway").unlink()
    assert "ImportError: headway was removed" in imported(way)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be read or written"):
        way_to_headway(tmp_path / "file" / "visible")
