"""The files below a folder, and the names under which they are kept together."""

import os
from collections.abc import Iterator
from pathlib import Path

from headway.errors import InvalidValueError


def named_files(source: Path) -> list[tuple[str, Path]]:
    """A file, or all files below a folder, under names that begin with its own.

    Raises:
        InvalidValueError: The folder holds no file, or a link to another folder.
    """
    if source.is_dir():
        found = sorted(_below(source))
        if not found:
            raise InvalidValueError(f"the folder {str(source)!r} holds no file: give one that does")
        return found
    return [(source.name, source)]


def _below(root: Path) -> Iterator[tuple[str, Path]]:
    """Every file below a folder; a link to a file is the file."""
    for folder, folders, names in os.walk(root, followlinks=False):
        for name in folders:
            if Path(folder, name).is_symlink():
                raise InvalidValueError(
                    f"{str(Path(folder, name))!r} is a link to a folder, which could lead in a "
                    "circle: put the folder itself there, or leave it out"
                )
        for name in names:
            path = Path(folder, name)
            yield f"{root.name}/{path.relative_to(root).as_posix()}", path
