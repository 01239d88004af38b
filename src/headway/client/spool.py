"""The folder in which this machine keeps what belongs to one workspace of one server.

Points are logged into journals there, logs and ends of runs wait there until the server has them,
and runs that are executed on this machine have their folders there. So a server that is away stops
nobody, and what a process left that died is sent by the next one, or by ``headway sync``.
"""

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from headway.engines import document
from headway.errors import ConfigurationError, StorageError, StorageFullError
from headway.hosting.layout import Layout

_FOLDER: Final = "remote"
"""In Headway's home: a folder for each workspace of each server."""
_TARGET_FILE: Final = "server.json"


class Target(msgspec.Struct, frozen=True):
    """A workspace of a server."""

    url: str
    """Of the server, without the workspace."""
    workspace: str

    @property
    def location(self) -> str:
        """What ``HEADWAY_WORKSPACE`` is set to in order to open it."""
        return f"{self.url.rstrip('/')}/{self.workspace}"


class Spool(msgspec.Struct, frozen=True):
    """The paths of one such folder."""

    root: Path

    @property
    def layout(self) -> Layout:
        """What is laid out as in an embedded workspace: journals, runs, owners."""
        return Layout(self.root)

    @property
    def journals(self) -> Path:
        """What was logged, as far as the server has not taken it in."""
        return self.layout.journals

    @property
    def logs(self) -> Path:
        """What interactive runs printed and kept as logs, as far as it was not sent."""
        return self.root / "logs"

    @property
    def outbox(self) -> Path:
        """Ends and files of runs that could not be sent when they came about."""
        return self.root / "outbox"

    def target(self) -> Target:
        """Whose folder it is.

        Raises:
            ConfigurationError: The file that says so is missing or damaged.
        """
        path = self.root / _TARGET_FILE
        try:
            return msgspec.json.decode(path.read_bytes(), type=Target)
        except (OSError, msgspec.MsgspecError) as error:
            raise ConfigurationError(
                f"{path} does not say which server the folder belongs to: {error}; write "
                '{"url": "https://...", "workspace": "..."} into it, or remove the folder'
            ) from error

    def create(self, target: Target) -> None:
        """Make the folders, for this user alone where they are new.

        Raises:
            StorageError: They cannot be made.
        """
        path = self.root / _TARGET_FILE
        try:
            self.root.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.root.mkdir(exist_ok=True, mode=0o700)
            for folder in (self.journals, self.layout.runs, self.layout.owners):
                folder.mkdir(exist_ok=True, mode=0o700)
            self.logs.mkdir(exist_ok=True, mode=0o700)
            self.outbox.mkdir(exist_ok=True, mode=0o700)
            if not path.exists():
                document.replace(path, msgspec.to_builtins(target), durable=False)
        except OSError as error:
            kind = StorageFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else StorageError
            raise kind(
                f"the folder {self.root}, in which is kept what is on its way to the server, "
                f"cannot be made: {error.strerror}; choose another place with HEADWAY_HOME"
            ) from error


def spools(home: Path) -> Iterator[Spool]:
    """The folders of all servers that this machine knows, by name."""
    folder = home / _FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if (path / _TARGET_FILE).is_file():
            yield Spool(path)
