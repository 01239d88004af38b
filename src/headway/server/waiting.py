"""Requests that wait: a thread looks, and none is held in between."""

import asyncio
import contextlib
from functools import partial
from typing import Any

from starlette.requests import Request

from headway.server.callers import acting
from headway.server.context import Context
from headway.server.handlers.binding import Waiting
from headway.server.stopping import Stopping
from headway.server.threads import Threads
from headway.wire.runs import LONGEST_WAIT_S


class Waiter:
    """Answers requests that wait.

    Args:
        threads: Where it is looked.
        stopping: With that all are answered at once.
    """

    def __init__(self, threads: Threads, stopping: Stopping) -> None:
        self._threads = threads
        self._stopping = stopping

    async def answer(
        self,
        handler: Waiting,
        context: Context,
        ask: Any,  # noqa: ANN401  (what the handler takes)
        request: Request,
    ) -> object:
        """The answer, as soon as there is one or the time is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + max(0.0, min(handler.timeout_s(ask), LONGEST_WAIT_S))
        rung = asyncio.Event()

        def ring() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(rung.set)

        with context.listen(handler.topics(ask), ring), self._stopping.telling(ring):
            while True:
                rung.clear()
                left_s = deadline - loop.time()
                last = left_s <= 0 or self._stopping.begun or await request.is_disconnected()
                answer = await self._threads.run(partial(_look, handler, context, ask, last))
                if answer is not None or last:
                    return answer
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(rung.wait(), min(handler.pause_s, left_s))


def _look(handler: Waiting, context: Context, ask: object, last: bool) -> object | None:
    with acting(context.caller):
        return handler.look(context, ask, last)
