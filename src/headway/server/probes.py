"""What those who look after servers ask: does it live, is it ready, what has it done."""

import asyncio
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from headway.errors import HeadwayError, ServerUnavailableError
from headway.server.answers import failed
from headway.server.context import Gate
from headway.server.counters import Counters
from headway.server.records import record_of
from headway.server.stopping import Stopping
from headway.server.threads import Threads
from headway.server.workspaces import Hub

_PATIENCE_S: Final = 5.0


class Probes:
    """Answers at paths of their own, and from a thread of its own: however busy the server is.

    Args:
        hub: The workspaces.
        gate: Who may read the counters.
        counters: Those of the application.
        stopping: Whether the process is about to end.
    """

    def __init__(self, hub: Hub, gate: Gate, counters: Counters, stopping: Stopping) -> None:
        self._hub = hub
        self._gate = gate
        self._counters = counters
        self._stopping = stopping
        self._thread = Threads(1)
        self.routes: Final = [
            Route("/health", self._health),
            Route("/ready", self._ready),
            Route("/metrics", self._metrics),
        ]

    def close(self) -> None:
        """End the thread."""
        self._thread.close()

    async def _health(self, request: Request) -> Response:
        """Whether the process lives: it answers, and does nothing else."""
        record_of(request.scope).operation = "health"
        return _said("ok")

    async def _ready(self, request: Request) -> Response:
        """Whether requests can be worked on: the database answers, and is of this version."""
        record_of(request.scope).operation = "ready"
        try:
            if self._stopping.begun:
                raise ServerUnavailableError("this server process is about to end")
            await asyncio.wait_for(self._thread.run(self._hub.check), _PATIENCE_S)
        except TimeoutError:
            error = ServerUnavailableError(f"the database did not answer in {_PATIENCE_S:g} s")
            return failed(error, request.scope)
        except HeadwayError as error:
            return failed(error, request.scope, 503)
        return _said("ready")

    async def _metrics(self, request: Request) -> Response:
        """The counters, for whoever has a valid token."""
        record_of(request.scope).operation = "metrics"
        address = request.client.host if request.client else ""

        def text() -> bytes:
            self._gate.authenticate(request.headers, address)
            return self._counters.text()

        try:
            return Response(await self._thread.run(text), media_type=self._counters.media_type)
        except HeadwayError as error:
            return failed(error, request.scope)


def _said(status: str) -> Response:
    return Response(msgspec.json.encode({"status": status}), media_type="application/json")
