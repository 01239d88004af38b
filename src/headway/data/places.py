"""Where data is: a folder of this machine, or an address that fsspec can read.

A place has files by name, relative and with forward slashes. What a program reads is always a
local path: of a folder the files themselves, of an address a copy that is kept and used again for
as long as the original stays as it was.
"""

import glob
import os
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from headway.errors import InvalidValueError

_MAGIC: Final = frozenset("*?[")
_PART: Final = ".headway-part"


class Place(Protocol):
    """Files by name. For use by any thread."""

    def files(self, pattern: str = "") -> list[str]:
        """The names of the files that a name, a folder or a pattern (``*``, ``**``) stands for.

        Raises:
            InvalidValueError: There is none.
        """
        ...

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        ...

    def put(self, source: Path, name: str) -> None:
        """Write a file, in place of one of its name."""
        ...

    def local(self, name: str) -> Path:
        """The path of a file, or of a folder, on this machine."""
        ...


class Folder:
    """A ``Place`` that is a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def files(self, pattern: str = "") -> list[str]:
        """See ``Place.files``."""
        found = [checked_name(pattern) or "."]
        if has_magic(pattern):  # pathlib's would show hidden files
            found = glob.glob(found[0], root_dir=self._root, recursive=True)  # noqa: PTH207
        names = sorted({name for one in found for name in self._below(one)})
        if not names:
            raise InvalidValueError(
                f"there is no file {pattern or '.'!r} in {self._root}: give a file, a folder that "
                "holds some, or a pattern that fits some"
            )
        return names

    def has(self, name: str) -> bool:
        """See ``Place.has``."""
        return self.local(name).is_file()

    def put(self, source: Path, name: str) -> None:
        """See ``Place.put``."""
        copy_whole(source, self.local(name))

    def local(self, name: str) -> Path:
        """See ``Place.local``."""
        return self._root / checked_name(name) if name else self._root

    def _below(self, name: str) -> Iterable[str]:
        path = self._root / name
        if path.is_file():
            return [os.path.normpath(name)]
        return [one.relative_to(self._root).as_posix() for one in files_below(path)]

    def __repr__(self) -> str:
        return str(self._root)


def has_magic(text: str) -> bool:
    """Whether a path is a pattern."""
    return bool(_MAGIC & set(text))


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder, by name; hidden ones and half-written ones are left out.

    Links are followed, but no folder is entered twice.
    """
    found: list[Path] = []
    entered = {os.path.realpath(folder)}
    for at, folders, names in os.walk(folder, followlinks=True):
        real = {name: os.path.realpath(Path(at, name)) for name in folders}
        folders[:] = [n for n in folders if not n.startswith(".") and real[n] not in entered]
        entered.update(real[name] for name in folders)
        paths = [Path(at, name) for name in names if not name.startswith(".")]
        found += [path for path in paths if path.is_file() and path.suffix != _PART]
    return sorted(found)


def checked_name(name: str) -> str:
    """The name of a file or folder inside of a place."""
    text = os.path.normpath(name.strip("/") or ".").replace(os.sep, "/")
    if text.startswith("../") or text == ".." or "\0" in name:
        raise InvalidValueError(
            f"the path {name!r} leads out of the datastore: give one relative to its top, without "
            "'..'"
        )
    return "" if text == "." else text


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file so that nobody sees half of it."""
    with being_made(target) as part:
        shutil.copyfile(source, part)


@contextmanager
def being_made(target: Path) -> Generator[Path]:
    """A path to write a file at, which takes its own when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name[:200]}.{os.urandom(4).hex()}{_PART}")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
