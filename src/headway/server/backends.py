"""Where a server keeps its data: a folder, or PostgreSQL and an object store that several share."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from headway.errors import ConfigurationError
from headway.hosting.layout import Layout
from headway.service.storage import (
    Storage,
    check_object_storage,
    folder_storage,
    object_storage,
)
from headway.store import registry
from headway.store.base import Database
from headway.store.sqlite import SqliteDatabase

if TYPE_CHECKING:
    from headway.store.postgres import PostgresServer

_SCHEMES: Final = ("postgresql://", "postgres://")
_REGISTRY: Final = "headway_registry"


class Backends:
    """The databases of a server: one for the registry and one for each workspace.

    Args:
        root: The folder of the server.
        database: The URL of a PostgreSQL database, in which each of ours is a schema; empty for
            SQLite files in the folder.
        files: The address of an object store; empty for the folder.
        patience_s: How long other writers are waited for.

    Raises:
        ConfigurationError: The URL is none of PostgreSQL, or the address none of an object store.
        MissingPackageError: psycopg or obstore is not installed.
        StorageError: The object store cannot be used.
    """

    def __init__(
        self, root: Path, database: str = "", files: str = "", *, patience_s: float
    ) -> None:
        self._root = root
        self._files = files
        self._patience_s = patience_s
        if files:
            check_object_storage(files)
        self._server: PostgresServer | None = None
        if database:
            self._server = _postgres(database, patience_s)
        else:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def reserve(self) -> Path:
        """The file that takes room on the disk, to be given up when it is full."""
        return self._root / "reserve"

    def folder(self, workspace: str) -> Path:
        """What a workspace keeps in files, made where there is none. The name must be checked."""
        folder = self._root / "workspaces" / workspace
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def registry(self) -> Database:
        """Where users, tokens, workspaces and members stand."""
        if self._server is not None:
            return self._server.database(_REGISTRY, steps=registry.STEPS)
        path = self._root / "registry.db"
        return SqliteDatabase(path, busy_timeout_s=self._patience_s, steps=registry.STEPS)

    def workspace(self, name: str) -> Database:
        """Where all of a workspace stands. The name must be checked."""
        if self._server is not None:
            return self._server.database(f"ws_{name}")
        path = self.folder(name) / "headway.db"
        return SqliteDatabase(path, busy_timeout_s=self._patience_s)

    def storage(self, name: str) -> Storage:
        """Where the bytes of a workspace are. The name must be checked."""
        if self._files:
            return object_storage(self._files, name)
        return folder_storage(Layout(self.folder(name)))

    def close(self) -> None:
        """Close what they share."""
        if self._server is not None:
            self._server.close()


def _postgres(url: str, patience_s: float) -> "PostgresServer":
    if not url.startswith(_SCHEMES):
        raise ConfigurationError(
            "--database does not begin with postgresql://: give the URL of a PostgreSQL database, "
            "such as postgresql://headway@db.example/headway, or leave it out for SQLite"
        )
    from headway.store.postgres import PostgresServer  # noqa: PLC0415  (an extra)

    return PostgresServer(url, patience_s=patience_s)
