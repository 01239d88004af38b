"""Who asks, and whether they may: deny by default.

Every operation of the table names the scope that it needs; one that names none is for everybody.
A token comes in the header ``Authorization: Bearer hw_...``, or from a browser in a cookie whose
name holds the port, since browsers give cookies to every port of a host.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv6Address, ip_network
from typing import Any, Final, NamedTuple

from headway.accounts import Principal, Scope
from headway.errors import (
    ForbiddenError,
    StorageError,
    TooManyAttemptsError,
    UnauthorizedError,
    WorkspaceNotFoundError,
)
from headway.server.hosts import parse_address, parse_host
from headway.server.registry import Access, Registry
from headway.wire.operation import Operation, Place

KNOWN_FOR_S: Final = 1.0
"""How long a token that was looked up is taken for valid: so soon every process refuses one that
was revoked."""
ATTEMPTS: Final = 20
"""So many wrong tokens in ``WINDOW_S`` seconds are one mistake too many."""
WINDOW_S: Final = 60.0

_MOST_KNOWN: Final = 4_096
_MOST_ADDRESSES: Final = 10_000
_TOUCHED_EVERY_US: Final = 60_000_000

_NOBODY: Final = "this server needs a token: run 'headway login URL' once, or set HEADWAY_TOKEN"
_NOT_VALID: Final = (
    "the token is not valid: it was revoked, has expired or is not whole. Run 'headway login URL' "
    "with a new one; 'headway token create' makes one"
)


NOBODY: Final = Principal(user="", admin=False, scope=Scope.READ, token_id="")
"""Who asks for what everybody may have."""


class _Known(NamedTuple):
    access: Access
    at: float
    changes: int
    """Of the registry, when it was looked up."""


class Attempts:
    """Counts wrong tokens by address. Addresses of one IPv6 network of 64 bits count together."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def note(self, address: str) -> bool:
        """Count one more, and say whether that is still within bounds."""
        key, now = _network_of(address), self._clock()
        with self._lock:
            since, count = self._windows.pop(key, (now, 0))
            if now - since >= WINDOW_S:
                since, count = now, 0
            self._windows[key] = (since, count + 1)
            if len(self._windows) > _MOST_ADDRESSES:
                self._windows.popitem(last=False)
        return count < ATTEMPTS


class TokenGate:
    """Implements ``headway.server.context.Gate`` over the registry.

    Args:
        registry: Users, tokens and members.
        clock: Seconds that only ever count up.
    """

    def __init__(self, registry: Registry, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._registry = registry
        self._clock = clock
        self._attempts = Attempts(clock)
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def admit(
        self,
        operation: Operation[Any, Any],
        workspace: str | None,
        headers: Mapping[str, str],
        address: str,
    ) -> Principal:
        """Who asks, if they may.

        Raises:
            UnauthorizedError: Nobody knows who asks.
            TooManyAttemptsError: Too many wrong tokens came from there.
            ForbiddenError: They may not do this.
            WorkspaceNotFoundError: They are no member of the workspace, or there is none.
        """
        if operation.scope is None:
            return NOBODY
        access = self.authenticate(headers, address)
        if operation.place is Place.SERVER:
            _check_server(operation, access)
            return access.principal
        self._check_workspace(operation, access, workspace or "", headers)
        return access.principal

    def authenticate(self, headers: Mapping[str, str], address: str) -> Access:
        """Whose token comes with a request."""
        secret = token_in(headers)
        if secret is None:
            raise UnauthorizedError(_NOBODY)
        access = self._remembered(secret) or self._looked_up(secret)
        if access is None:
            if self._attempts.note(address):
                raise UnauthorizedError(_NOT_VALID)
            raise TooManyAttemptsError(
                f"more than {ATTEMPTS} wrong tokens came from {address} within "
                f"{WINDOW_S:g} seconds, and this one is not valid either: run 'headway login URL' "
                "with a new one"
            )
        return access

    # ------------------------------------------------------------

    def _check_workspace(
        self,
        operation: Operation[Any, Any],
        access: Access,
        workspace: str,
        headers: Mapping[str, str],
    ) -> None:
        scope = access.scope_in(workspace)
        if scope is None:  # the workspace or the membership may be newer than what is remembered
            fresh = self._looked_up(token_in(headers) or "")
            scope = fresh.scope_in(workspace) if fresh else None
        if scope is None:
            raise WorkspaceNotFoundError(
                f"there is no workspace {workspace[:64]!r} on this server, or you are no member of "
                "it: ask its administrator"
            )
        if operation.scope is None or not scope.includes(operation.scope):
            raise ForbiddenError(
                f"{operation.name} needs the scope {operation.scope} in workspace "
                f"{workspace!r}, and this token has {scope}"
            )

    def _remembered(self, secret: str) -> Access | None:
        with self._lock:
            known = self._known.get(_key(secret))
        if known is None or known.changes != self._registry.changes:
            return None
        if self._clock() - known.at >= KNOWN_FOR_S:
            return None
        return known.access

    def _looked_up(self, secret: str) -> Access | None:
        at, changes = self._clock(), self._registry.changes
        access = self._registry.access(secret)
        with self._lock:
            if access is None:
                self._known.pop(_key(secret), None)
            else:
                self._known[_key(secret)] = _Known(access, at, changes)
                if len(self._known) > _MOST_KNOWN:
                    self._known.popitem(last=False)
        if access is not None:
            self._touch(access)
        return access

    def _touch(self, access: Access) -> None:
        used, now = access.last_used_at, self._registry.now()
        if used is not None and now - used < _TOUCHED_EVERY_US:
            return
        try:
            self._registry.touch(access.principal.token_id)
        except StorageError:  # a full disk must not keep anybody from reading
            return


def token_in(headers: Mapping[str, str]) -> str | None:
    """The token that comes with a request, whether or not it is valid."""
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        return secret.strip()
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    found = cookies.get(cookie_name(headers.get("host", "")))
    return found.value if found and found.value else None


def cookie_name(host: str) -> str:
    """The name of the cookie that a browser keeps for this server, from its ``Host`` header."""
    parsed = parse_host(host)
    return f"headway-{parsed.port}" if parsed and parsed.port else "headway"


def _check_server(operation: Operation[Any, Any], access: Access) -> None:
    """Whoever is known may ask who they are; all else here is for administrators."""
    if operation.scope is Scope.ADMIN and not access.principal.administers:
        raise ForbiddenError(
            f"{operation.name} is for administrators of the server, with a token of scope 'admin'"
        )


def _key(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _network_of(address: str) -> str:
    parsed = parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, 64), strict=False))
    return address
