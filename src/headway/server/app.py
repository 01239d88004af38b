"""The server as an ASGI application."""

import contextlib
from collections.abc import AsyncGenerator
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from headway.server.context import Gate
from headway.server.counters import Counters
from headway.server.dispatch import Dispatcher
from headway.server.guard import Guard, GuardRules
from headway.server.monitoring import Monitoring
from headway.server.observing import Observed
from headway.server.probes import Probes
from headway.server.sessions import SignIn
from headway.server.stopping import Stopping
from headway.server.threads import Threads
from headway.server.workspaces import Hub

THREADS: Final = 16
"""Requests worked on at a time, by default."""


def make_app(
    hub: Hub,
    gate: Gate,
    *,
    rules: GuardRules | None = None,
    stopping: Stopping | None = None,
    threads: int = THREADS,
) -> ASGIApp:
    """The application over these workspaces.

    Args:
        hub: The workspaces; closed when the application ends.
        gate: Who may do what.
        rules: What is known of the world around it; None: nobody but this machine asks.
        stopping: Begun when the process is about to end; None: it is never told.
        threads: How many requests are worked on at a time.
    """
    pool = Threads(threads)
    counters = Counters()
    stopping = stopping or Stopping()
    probes = Probes(hub, gate, counters, stopping)

    monitoring = Monitoring(hub.all)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        monitoring.start()
        yield
        monitoring.stop()
        pool.close()
        probes.close()
        hub.close()

    app = Starlette(
        routes=[
            *probes.routes,
            Route("/login", SignIn(hub.accounts, pool).answer, methods=["GET", "POST"]),
            Mount("/", Dispatcher(hub, gate, pool, stopping)),
        ],
        lifespan=lifespan,
    )
    return Observed(Guard(app, rules or GuardRules()), counters)
