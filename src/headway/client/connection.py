"""Requests to a server: kept alive, repeated where that is harmless, given up after a while."""

import contextlib
import io
import os
import random
import time
from collections.abc import Callable, Generator
from contextvars import ContextVar
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlencode

import msgspec
import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError

from headway.errors import (
    AccessError,
    HeadwayError,
    InvalidValueError,
    NotFoundError,
    ServerUnavailableError,
    StorageError,
)
from headway.wire.failures import FailureAnswer, error_of
from headway.wire.forms import Sent, form_of
from headway.wire.operation import Body, Done, Operation, Stream

Request = TypeVar("Request", bound=msgspec.Struct)
Answer = TypeVar("Answer")

_CONNECTIONS: Final = 16
_CONNECT_S: Final = 5.0
_READ_S: Final = 60.0
"""Longer than a server keeps a request that waits."""
_LEAST_S: Final = 0.1
_BLOCK_BYTES: Final = 1 << 14
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 5.0
_SILENT_PAUSE_S: Final = 0.5
"""Before a longer pause than this, which is the fifth, whoever waits is told."""
_AGAIN: Final = frozenset({429, 502, 503, 504})
"""With these a server, or a proxy before it, says that nothing was done."""
_LONGEST_WISH_S: Final = 60.0
"""A server that asks for more time than this is not obeyed."""
_insists: Final = ContextVar("insists", default=True)
"""Whether a server that is away is asked again."""
_bound: Final[ContextVar[float | None]] = ContextVar("bound", default=None)
"""When whoever calls gives up, however long the patience of a connection is."""
_failures: Final = msgspec.json.Decoder(FailureAnswer)


def _nothing(_: str) -> None:
    """Nobody wants to hear about it."""


class Arriving:
    """The bytes of an answer, as they come."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end.

        Raises:
            ServerUnavailableError: The connection was lost before the end.
        """
        try:
            return self._response.read1(size)  # what has come is not lost with what comes no more
        except HTTPError as error:
            raise ServerUnavailableError(f"the connection was lost: {error}") from error

    def close(self) -> None:
        """Read no more."""
        self._response.close()
        self._response.release_conn()


class Connection:
    """The way to one workspace of a server, or to the server itself. Any thread may use it.

    Args:
        url: Of the server.
        workspace: Its name there; empty for operations of the server alone.
        token: Who asks; empty for nobody.
        timeout_s: For so long a server that is away is asked again and again.
        host: The name of this machine, which the server writes down.
        say: Told in a line when a server is waited for that does not answer.
        sleep: How pauses are made.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        url: str,
        workspace: str,
        *,
        token: str,
        timeout_s: float,
        host: str = "",
        say: Callable[[str], None] = _nothing,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = url.rstrip("/")
        self.workspace = workspace
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if host:
            self._headers["Headway-Host"] = host
        self._timeout_s = timeout_s
        self._say = say
        self._said = False
        self._sleep = sleep
        self._clock = clock
        self._pool: urllib3.PoolManager | None = None
        self._pid = 0
        self._closed = False

    def call(
        self,
        operation: Operation[Request, Answer],
        request: Request,
        *,
        timeout_s: float | None = None,
    ) -> Answer:
        """Ask for one operation and return its answer.

        Args:
            operation: A row of the table.
            request: What it asks for.
            timeout_s: Patience with a server that is away; None for that of the connection.

        Raises:
            ServerUnavailableError: The server did not answer in time.
            HeadwayError: What the server says.
        """
        sent = form_of(operation).send(request, self.workspace)
        response = self._insist(operation, sent, timeout_s, preload=True)
        if response is None:
            return cast("Answer", Done())
        if operation.gives is Body.BYTES:
            return cast("Answer", response.data)
        decode = msgspec.msgpack.decode if operation.gives is Body.PACKED else msgspec.json.decode
        try:
            return decode(response.data, type=operation.answer)
        except msgspec.MsgspecError as error:
            raise self._no_server(f"{operation.name}: {error}") from error

    def open(self, operation: Operation[Request, Stream], request: Request) -> Arriving:
        """Ask for bytes, to be read as they come.

        Raises:
            ServerUnavailableError: The server did not answer in time.
            HeadwayError: What the server says.
        """
        sent = form_of(operation).send(request, self.workspace)
        response = self._insist(operation, sent, None, preload=False)
        return Arriving(cast("urllib3.BaseHTTPResponse", response))

    @contextlib.contextmanager
    def once(self) -> Generator[None]:
        """Within the block, a server that is away is not asked again: whoever calls does that."""
        token = _insists.set(False)
        try:
            yield
        finally:
            _insists.reset(token)

    @contextlib.contextmanager
    def bounded(self, seconds: float) -> Generator[None]:
        """Within the block, whoever calls gives the server up after so many seconds.

        What is being sent or answered then goes on as long as it moves.
        """
        before = _bound.get()
        bound = self._clock() + seconds
        token = _bound.set(bound if before is None else min(before, bound))
        try:
            yield
        finally:
            _bound.reset(token)

    def close(self) -> None:
        """Close what is open."""
        self._closed = True
        pool, self._pool = self._pool, None
        if pool is not None and self._pid == os.getpid():
            pool.clear()

    # ------------------------------------------------------------ inside

    def _insist(
        self, operation: Operation[Any, Any], sent: Sent, timeout_s: float | None, *, preload: bool
    ) -> urllib3.BaseHTTPResponse | None:
        """The answer; None where what was to be removed had been removed by an earlier try."""
        deadline = self._deadline(self._timeout_s if timeout_s is None else timeout_s)
        pause_s = _FIRST_PAUSE_S
        unsure = False
        while True:
            error: HeadwayError
            wish_s = 0.0
            try:
                response = self._once(operation, sent, preload=preload)
            except HTTPError as away:
                error = self._away(away)
                reached = not isinstance(away, NewConnectionError)
                again = operation.repeatable or not reached
                unsure = unsure or reached
            else:
                if response.status < 300:
                    self._said = False
                    return response
                error = self._refusal(response)
                if unsure and operation.removes and isinstance(error, NotFoundError):
                    return None
                again = response.status in _AGAIN and not isinstance(error, AccessError)
                wish_s = _wish_s(response)
            left_s = deadline - self._clock()
            if not again or left_s <= wish_s:
                raise error
            pause = max(wish_s, pause_s * random.uniform(0.5, 1.0))  # noqa: S311  (jitter)
            if pause_s > _SILENT_PAUSE_S:
                self._mention(left_s)
            self._sleep(min(left_s, pause))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _deadline(self, patience_s: float) -> float:
        """Until when it is asked again."""
        now, bound = self._clock(), _bound.get()
        deadline = now + patience_s if _insists.get() else now
        if bound is None:
            return deadline
        if now >= bound:
            raise ServerUnavailableError(f"the server {self.url} did not answer in time")
        return min(deadline, bound)

    def _mention(self, left_s: float) -> None:
        """Say once in an outage that it is waited for; who has bounds speaks of it himself."""
        if not self._said and _bound.get() is None:
            self._said = True
            self._say(f"the server {self.url} does not answer; asking again for {left_s:.0f} s")

    def _once(
        self, operation: Operation[Any, Any], sent: Sent, *, preload: bool
    ) -> urllib3.BaseHTTPResponse:
        headers = dict(self._headers)
        if sent.body is not None:
            headers["Content-Type"] = operation.sends
        url = self._address() + sent.path
        if sent.query:
            url += "?" + urlencode(sent.query)
        body: bytes | io.BytesIO | None = sent.body
        if sent.body is not None and len(sent.body) > _BLOCK_BYTES:
            # In blocks, so that the time allowed for sending holds for each, however slow the line.
            headers["Content-Length"] = str(len(sent.body))
            body = io.BytesIO(sent.body)
        return self._pool_of_process().urlopen(
            operation.method,
            url,
            body=body,
            headers=headers,
            redirect=False,
            retries=False,
            preload_content=preload,
            timeout=urllib3.Timeout(connect=self._at_most(_CONNECT_S), read=self._at_most(_READ_S)),
        )

    def _address(self) -> str:
        """The server to ask."""
        return self.url

    def _at_most(self, seconds: float) -> float:
        """So many seconds, or as many as are left in this thread."""
        bound = _bound.get()
        left = seconds if bound is None else bound - self._clock()
        return max(_LEAST_S, min(seconds, left))

    def _pool_of_process(self) -> urllib3.PoolManager:
        """A child made by fork must not use the sockets of its parent."""
        if self._closed:
            raise StorageError(f"the workspace at {self.url} was closed; open it again")
        if self._pool is None or self._pid != os.getpid():
            self._pool = urllib3.PoolManager(maxsize=_CONNECTIONS, block=False)
            self._pid = os.getpid()
        return self._pool

    def _away(self, error: HTTPError) -> ServerUnavailableError:
        advice = "check the address, and that the server runs"
        if isinstance(error, SSLError):
            advice = (
                "if its certificate is one of your own, set SSL_CERT_FILE to a file with that of "
                "whoever signed it"
            )
        return ServerUnavailableError(
            f"the server {self.url} does not answer: {_reason(error)}; {advice}"
        )

    def _refusal(self, response: urllib3.BaseHTTPResponse) -> HeadwayError:
        data = response.data
        try:
            failure = _failures.decode(data)
        except msgspec.MsgspecError:
            if response.status in _AGAIN:
                return ServerUnavailableError(
                    f"the server {self.url} does not answer now: it says {response.status}"
                )
            return self._no_server(f"status {response.status}, {data[:100]!r}")
        return error_of(failure.error, response.status)

    def _no_server(self, what: str) -> InvalidValueError:
        return InvalidValueError(
            f"what answers at {self.url} is no server of Headway, or one of another version: "
            f"{what}; check the address"
        )


def _wish_s(response: urllib3.BaseHTTPResponse) -> float:
    """How long the server asks to be left alone."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_WISH_S) if text.isdecimal() else 0.0


def _reason(error: BaseException) -> str:
    """The innermost words: those around them repeat the address and the class."""
    while error.__cause__ is not None:
        error = error.__cause__
    return getattr(error, "strerror", None) or str(error).rpartition(": ")[2] or str(error)
