"""The workspaces of a server, each opened when it is first asked for."""

import os
import re
import threading
from collections.abc import Mapping
from typing import Final, NamedTuple

from headway.accounts import Principal
from headway.errors import WorkspaceNotFoundError
from headway.server.backends import Backends
from headway.server.callers import HOST_HEADER, Caller, CallerIdentity, named_host
from headway.server.context import Context
from headway.server.registry import Registry
from headway.server.reserve import Reserve
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import Settings
from headway.store.base import Database

DEFAULT_WORKSPACE: Final = "default"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class _Opened(NamedTuple):
    workspace: EmbeddedWorkspace
    database: Database


class Hub:
    """Opens workspaces by name, and closes them in the end, the backends too.

    Args:
        backends: Where everything is kept.
        settings: The settings that hold.
    """

    def __init__(self, backends: Backends, settings: Settings) -> None:
        self._backends = backends
        self._settings = settings
        self._identity = CallerIdentity(settings.user, os.uname().nodename)
        self._reserve = Reserve(backends.reserve)
        self._lock = threading.Lock()
        self._opened: dict[str, _Opened] = {}
        self.accounts: Final = Registry(backends.registry())
        """Users, tokens, workspaces and members."""
        self.accounts.create_workspace(DEFAULT_WORKSPACE)

    def context(
        self, name: str | None, principal: Principal, headers: Mapping[str, str], address: str
    ) -> Context:
        """What a handler works with.

        Args:
            name: Of the workspace; None for an operation of the server.
            principal: Who asks.
            headers: Of the request.
            address: Where it comes from.

        Raises:
            WorkspaceNotFoundError: There is none of this name.
        """
        caller = Caller(principal.user, named_host(headers.get(HOST_HEADER), address))
        if name is None:
            return Context(principal, None, self.accounts, caller, self._reserve, None, None)
        opened = self._open(name)
        listen = opened.database.listen
        return Context(
            principal, name, self.accounts, caller, self._reserve, opened.workspace, listen
        )

    def workspace(self, name: str) -> EmbeddedWorkspace:
        """One workspace, for what the server does by itself.

        Raises:
            WorkspaceNotFoundError: There is none of this name.
        """
        return self._open(name).workspace

    def all(self) -> dict[str, EmbeddedWorkspace]:
        """Every workspace by its name."""
        return {one.name: self.workspace(one.name) for one in self.accounts.workspaces()}

    def check(self) -> None:
        """See whether the databases answer.

        Raises:
            StorageError: One does not.
        """
        self.accounts.workspaces()
        self.workspace(DEFAULT_WORKSPACE).info()

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            while self._opened:
                self._opened.popitem()[1].workspace.close()
        self.accounts.close()
        self._backends.close()

    def _open(self, name: str) -> _Opened:
        opened = self._opened.get(name)
        if opened is not None:
            return opened
        known = {one.name for one in self.accounts.workspaces()}
        if not _NAME.fullmatch(name) or name not in known:
            raise WorkspaceNotFoundError(f"there is no workspace {name[:64]!r} on this server")
        with self._lock:
            if name not in self._opened:
                self._opened[name] = self._made(name)
            return self._opened[name]

    def _made(self, name: str) -> _Opened:
        database = self._backends.workspace(name)
        workspace = open_workspace(
            self._backends.folder(name),
            self._settings,
            name=name,
            database=database,
            storage=self._backends.storage(name),
            identity=self._identity,
        )
        return _Opened(workspace, database)
