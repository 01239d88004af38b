"""Folders and files that are removed: how large they are, and how old."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from headway.engines import document


def size_of(path: Path) -> int:
    """The bytes of a file, or of all files below a folder; 0 where there is nothing."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return 0
    if not stat.S_ISDIR(found.st_mode):
        return found.st_size
    return sum(_sizes(path))


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it; nothing there is no error.

    Raises:
        StorageError: It cannot be removed.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            _remove_folder(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise document.storage_error(path, error) from error


def changed_at(path: Path) -> float:
    """When a file was last written, linked or renamed, in seconds since 1970; now it is gone: 0."""
    try:
        return path.lstat().st_ctime
    except FileNotFoundError:
        return 0.0


def entries(folder: Path) -> list[Path]:
    """What is in a folder, by name; nothing where there is none."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _sizes(root: Path) -> Iterator[int]:
    for folder, _, names in os.walk(root):
        for name in names:
            with suppress(FileNotFoundError):
                yield Path(folder, name).lstat().st_size


def _remove_folder(path: Path) -> None:
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        if path.exists():  # somebody else removes it too
            shutil.rmtree(path, ignore_errors=True)
    except PermissionError:
        for folder, _, _ in os.walk(path):  # a program may have made folders that it cannot write
            Path(folder).chmod(stat.S_IRWXU)
        shutil.rmtree(path)
