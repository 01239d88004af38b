"""Models as files of this machine: before they are registered, and after they were downloaded."""

import os
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from headway.data.places import checked_name
from headway.errors import InvalidValueError, ModelPathNotFoundError

CACHE_FOLDER: Final = "azureml-models"
"""In the current folder: where models are downloaded to by name and version."""
MODEL_DIR_VARIABLE: Final = "AZUREML_MODEL_DIR"


def existing(model_path: object) -> Path:
    """The file or folder to make a model of.

    Raises:
        ModelPathNotFoundError: There is none.
    """
    if not isinstance(model_path, str | Path):
        raise InvalidValueError(
            f"model_path was given as {type(model_path).__name__} {model_path!r}: give the path of "
            "a file or folder"
        )
    path = Path(os.path.normpath(Path(model_path).expanduser().absolute()))
    if not path.exists():
        raise ModelPathNotFoundError(
            f"Error, provided model path {str(model_path)!r} cannot be found locally (looked at "
            f"{path}): give a file or folder that exists; one among a run's files is registered "
            "with run.register_model"
        )
    return path


@contextmanager
def only_children(path: Path, child_paths: Sequence[str] | None) -> Generator[Path]:
    """A folder with some of its files only, for as long as it is looked at."""
    if child_paths is None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="headway-") as temporary:
        chosen = Path(temporary, path.name)
        for name in child_paths:
            source, link = path / checked_name(name), chosen / checked_name(name)
            if not source.is_file():
                raise ModelPathNotFoundError(
                    f"child path {name!r} is no file of {str(path)!r}: give files of that folder"
                )
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(source)
        yield chosen


def version_number(version: int | str) -> int:
    """A version as a number."""
    try:
        return int(version)
    except (TypeError, ValueError) as error:
        raise InvalidValueError(
            f"version was given as {version!r}: give a whole number, or None for the latest"
        ) from error


def deployed(name: str, environment: Mapping[str, str]) -> Path | None:
    """The model in the folder that ``AZUREML_MODEL_DIR`` names, if it names one."""
    text = environment.get(MODEL_DIR_VARIABLE)
    if not text or not Path(text).is_dir():
        return None
    return _content(Path(text) / name) or downloaded(Path(text), name) or _content(Path(text))


def downloaded(root: Path, name: str, version: int | None = None) -> Path | None:
    """The model below ``<root>/<name>/<version>``; without a version, the last one there."""
    folder = root / name
    if version is None:
        numbers = [int(one.name) for one in folder.glob("*") if one.name.isdecimal()]
        if not numbers:
            return None
        version = max(numbers)
    return _content(folder / str(version))


def _content(folder: Path) -> Path | None:
    """The one file or folder of a model, or the folder where it holds several."""
    if folder.is_file():
        return folder
    if not folder.is_dir():
        return None
    found = [one for one in folder.iterdir() if not one.name.startswith(".")]
    if not found or any(one.name.isdecimal() for one in found):
        return None
    return found[0] if len(found) == 1 else folder
