"""Who asks, as the workspace writes it down: known while a handler runs in its thread."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import msgspec

from headway.service.creation import Identity

HOST_HEADER: Final = "headway-host"
"""In which a client names its machine."""
_MOST_CHARS: Final = 255


class Caller(msgspec.Struct, frozen=True):
    """Who makes a request, and from which machine."""

    user: str
    host: str


_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


@contextmanager
def acting(caller: Caller) -> Generator[None]:
    """What is done within the block is done by this caller."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


class CallerIdentity(Identity):
    """Whoever asks, in threads that answer somebody; else the server itself."""

    @property
    def user(self) -> str:
        """The name of who acts."""
        caller = _caller.get()
        return super().user if caller is None else caller.user

    @property
    def host(self) -> str:
        """The machine on which they do."""
        caller = _caller.get()
        return super().host if caller is None else caller.host


def named_host(given: str | None, address: str) -> str:
    """The machine that a client named, where that can be a name; else its address."""
    if given and len(given) <= _MOST_CHARS and given.isprintable():
        return given
    return address
