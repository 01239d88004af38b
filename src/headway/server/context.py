"""What a handler is given besides the request, and who lets requests in."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from headway.accounts import Principal
from headway.api import Api
from headway.server.callers import Caller
from headway.server.registry import Registry
from headway.server.reserve import Reserve
from headway.wire.operation import Operation


class Gate(Protocol):
    """Who may do what. Called in a thread of the pool, for every request."""

    def admit(
        self,
        operation: Operation[Any, Any],
        workspace: str | None,
        headers: Mapping[str, str],
        address: str,
    ) -> Principal:
        """Who asks, if they may.

        Args:
            operation: What is asked for.
            workspace: Where; None for an operation of the server.
            headers: Of the request; names are found in any case.
            address: Where the request comes from.

        Raises:
            UnauthorizedError: Nobody knows who asks.
            ForbiddenError: They may not do this.
            WorkspaceNotFoundError: They are no member of the workspace, or there is none.
        """
        ...

    def authenticate(self, headers: Mapping[str, str], address: str) -> object:
        """Refuse whoever is not known, whatever it is that they ask for.

        Raises:
            UnauthorizedError: Nobody knows who asks.
        """
        ...


Listen = Callable[[Iterable[str], Callable[[], None]], AbstractContextManager[object]]
"""Hears bells of a workspace while the block lasts; see ``headway.store.bells``."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler works with."""

    principal: Principal
    workspace: str | None
    """Its name; None for an operation of the server."""
    accounts: Registry
    """Users, tokens, workspaces and members of the server."""
    caller: Caller
    """Who acts while a handler runs."""
    reserve: Reserve
    """Room for what must work on a full disk."""
    _api: Api | None
    _listen: Listen | None

    @property
    def api(self) -> Api:
        """The workspace. Not for operations of the server."""
        if self._api is None:
            raise LookupError("an operation of the server is about no workspace")
        return self._api

    def listen(
        self, topics: Iterable[str], on_ring: Callable[[], None]
    ) -> AbstractContextManager[object]:
        """Hear bells of the workspace while the block lasts."""
        if self._listen is None:
            raise LookupError("an operation of the server is about no workspace")
        return self._listen(topics, on_ring)
