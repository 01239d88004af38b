"""Connections of which nothing comes any more are cut, so that nobody holds one for nothing.

The server's own work is waited for without a limit, long requests that are answered late by design
among it. What a client owes has to come: the head of a request, its body, and that the answer is
read. A thousand connections that were opened and left would else cost a thousand file descriptors.
"""

import asyncio
import resource
from typing import Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE_S: Final = 30.0
"""How far apart a connection is looked at; what is owed at two looks in a row cuts it."""
LEAST_BYTES: Final = 4 << 10
"""Of a body, from one look to the next."""
_MOST_FILES: Final = 65_536


class Connection(H11Protocol):
    """One connection of a client."""

    patience_s = PATIENCE_S
    _timer: asyncio.TimerHandle | None = None
    _owed_before: tuple[str, int, int] | None = None
    _bytes = 0
    _pauses = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Begin to look."""
        super().connection_made(transport)
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes."""
        self._bytes += len(data)
        super().data_received(data)

    def pause_writing(self) -> None:
        """Count how often the client reads more slowly than it is answered."""
        self._pauses += 1
        super().pause_writing()

    def _look_later(self) -> None:
        self._timer = self.loop.call_later(self.patience_s, self._look)

    def _look(self) -> None:
        owed = self._owed()
        if owed is not None and owed == self._owed_before:
            self.transport.abort()
            return
        self._owed_before, self._bytes = owed, 0
        self._look_later()

    def _owed(self) -> tuple[str, int, int] | None:
        """What it is, and how far that has come: the same for as long as nothing moves."""
        if self.flow.write_paused:
            return "answer", self._pauses, self.transport.get_write_buffer_size()
        if self.flow.read_paused:  # it is us who do not read
            return None
        if self.conn.their_state is h11.IDLE and self.timeout_keep_alive_task is None:
            return "head", id(self.cycle), 0
        if self.conn.their_state is h11.SEND_BODY and self._bytes < LEAST_BYTES:
            return "body", id(self.cycle), 0
        return None


def connections(patience_s: float) -> type[Connection]:
    """The connections of a server that looks at them so often."""

    class Patient(Connection):
        pass

    Patient.patience_s = patience_s
    return Patient


def allow_many_connections() -> None:
    """Raise this process's limit of open files, each connection being one, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
