"""Compute targets that stand for this machine under another name, with a number of nodes.

    targets/cpu-cluster.json    how many of its runs go on at a time, and what it was made with

Standard library only.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headway.engines import document
from headway.errors import InvalidValueError

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_RESERVED: Final = frozenset({"local", "sdk"})
_MOST_NODES: Final = 4096


@dataclass(frozen=True, kw_only=True)
class Target:
    """One of them."""

    nodes: int
    """How many of its runs go on at a time."""
    vm_size: str = ""
    """What whoever made it wanted for a machine. Shown, and not used."""

    def __post_init__(self) -> None:
        if not 1 <= self.nodes <= _MOST_NODES:
            raise InvalidValueError(
                f"{self.nodes} nodes were given for a compute target: accepted are 1 to "
                f"{_MOST_NODES}, the number of its runs that go on at a time"
            )


class Targets:
    """The targets below one folder."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "targets"

    def read(self) -> dict[str, Target]:
        """Every one by its name, in the order of names.

        Raises:
            StorageError: A file is damaged, or cannot be read.
        """
        try:
            names = sorted(path.stem for path in self._folder.glob("[!.]*.json"))
        except OSError as error:
            raise document.storage_error(self._folder, error) from error
        found = {name: self._read_one(name) for name in names}
        return {name: target for name, target in found.items() if target is not None}

    def _read_one(self, name: str) -> Target | None:
        fields = document.read(self._path(name))
        if fields is None:
            return None
        return Target(nodes=fields.whole("nodes"), vm_size=fields.text("vm_size"))

    def write(self, name: str, target: Target) -> None:
        """Make one, or change it for runs that are started from now on.

        Raises:
            InvalidValueError: It cannot have that name.
            StorageError: It cannot be written.
        """
        if name in _RESERVED or not _NAME.fullmatch(name):
            raise InvalidValueError(
                f"a compute target cannot be named {name!r}: give 1 to 64 letters, digits, '-' and "
                f"'_', a letter first, and not {' or '.join(map(repr, sorted(_RESERVED)))}"
            )
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise document.storage_error(self._folder, error) from error
        document.replace(self._path(name), vars(target), durable=True)

    def remove(self, name: str) -> None:
        """Remove one; its runs go on. One that is not there is no error."""
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise document.storage_error(self._folder, error) from error

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
