"""Every request is counted, and written to the log in a line without secrets."""

import logging
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headway.server.counters import Counters
from headway.server.records import Record, record_of

_log: Final = logging.getLogger("headway.server.requests")
_CLOSED: Final = 499
"""Written down where the client was gone before there was an answer."""


class Observed:
    """Passes requests on; the outermost layer of the application.

    Args:
        app: What answers.
        counters: Where requests are counted.
    """

    def __init__(self, app: ASGIApp, counters: Counters) -> None:
        self._app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = record_of(scope)
        taken = _Taken(receive, send)
        began = time.perf_counter()
        self._counters.begin()
        try:
            await self._app(scope, taken.receive, taken.send)
        finally:
            seconds = time.perf_counter() - began
            self._counters.end(record.operation, taken.status, seconds, taken.body_bytes)
            _write(scope, record, taken, seconds)


class _Taken:
    """Looks at what passes."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self.status = _CLOSED
        self._gone = False
        self.request_id = ""
        self.body_bytes = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._gone = message["type"] == "http.disconnect"
        self.body_bytes += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._gone:
            self.status = message["status"]
            for name, value in message["headers"]:
                if name == b"x-request-id":
                    self.request_id = value.decode("latin-1")
        await self._send(message)


def _write(scope: Scope, record: Record, taken: _Taken, seconds: float) -> None:
    level = logging.ERROR if taken.status >= 500 else logging.INFO
    if not _log.isEnabledFor(level):
        return
    fields = {
        "request_id": taken.request_id,
        "method": scope["method"],
        "route": record.route or "none",
        "operation": record.operation,
        "workspace": record.workspace,
        "user": record.user,
        "status": taken.status,
        "error": record.error,
        "milliseconds": round(seconds * 1000, 3),
        "body_bytes": taken.body_bytes,
    }
    shown = {name: value for name, value in fields.items() if value not in (None, "")}
    _log.log(level, "request", extra={"fields": shown})
