"""The outermost layer of the server: what is no well-formed request from where it may come from.

Nothing here knows users or operations. A request that passes has one host that the server answers
to, comes from no other web site, names a plain path, and announces a body that can be taken in.
Every answer on its way out gets the headers that keep a browser from making something else of it.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headway.errors import ForbiddenError, HeadwayError, InvalidValueError, TooLargeError, code_of
from headway.server.hosts import (
    DEFAULT_PORTS,
    LOOPBACK_NAMES,
    Host,
    Network,
    check_host,
    client_address,
    is_trusted,
    origin_of,
    parse_address,
)
from headway.wire.failures import FailureAnswer, failure_of
from headway.wire.operations import OPERATIONS

MOST_HEADERS: Final = 100
LONGEST_PATH: Final = 8_192

_CHANGES_NOTHING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_SAME_SITE: Final = frozenset({"same-origin", "none"})
"""``none`` is a person who typed the address."""
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")
_PLAIN_ESCAPES: Final = re.compile(rb"(?:[^%]|%[0-9A-Fa-f]{2})*+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\\]")
_LIFE_OF_HSTS_S: Final = 31_536_000

_ALWAYS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),  # with none, a form's own Origin would be "null"
    (b"cross-origin-resource-policy", b"same-origin"),
)
_UNLESS_SET: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
ATTACHMENT: Final = {
    "content-security-policy": "sandbox; default-src 'none'",
    "content-disposition": "attachment",
}
"""For answers that are files of users: whatever they hold, a browser runs none of it."""


class GuardRules(msgspec.Struct, frozen=True):
    """What the server is told of the world around it."""

    hosts: frozenset[str] = LOOPBACK_NAMES
    """The names that it answers to; see ``hosts.allowed_names``."""
    most_body_bytes: int = max(operation.most_bytes for operation in OPERATIONS)
    """The largest body that any operation takes in."""
    proxies: tuple[Network, ...] = ()
    """Whose ``X-Forwarded-`` headers are believed."""


class _Refusal(Exception):  # noqa: N818  (it never leaves this module)
    def __init__(self, error: HeadwayError, http_status: int | None = None) -> None:
        self.error = error
        self.http_status = http_status or code_of(error).http_status


class Guard:
    """ASGI middleware.

    Args:
        app: What answers the requests that pass.
        rules: What it is told of the world around it.
        make_id: Names a request that did not bring a name along.
    """

    def __init__(
        self,
        app: ASGIApp,
        rules: GuardRules,
        make_id: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._app = app
        self._rules = rules
        self._make_id = make_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks WebSocket
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = _Headers(scope["headers"])
        scope = self._seen(scope, headers)
        request_id = scope["request_id"]
        body = _Body(receive, headers)
        dressed = _dressed(send, body, request_id, encrypted=scope["scheme"] == "https")
        try:
            self._check(scope, headers)
        except _Refusal as refusal:
            await _refuse(dressed, refusal, request_id)
            return
        await self._app(scope, body.receive, dressed)

    def _seen(self, scope: Scope, headers: "_Headers") -> Scope:
        """The request with the address and the scheme that it had before a trusted proxy."""
        peer = scope["client"][0] if scope.get("client") else ""
        given = headers.last("x-request-id")
        seen = dict(scope)
        seen["request_id"] = given if _REQUEST_ID.fullmatch(given) else self._make_id()
        if is_trusted(parse_address(peer), self._rules.proxies):
            forwarded = ",".join(headers.all("x-forwarded-for"))
            seen["client"] = (client_address(peer, forwarded, self._rules.proxies), 0)
            scheme = headers.last("x-forwarded-proto").rpartition(",")[2].strip().lower()
            seen["scheme"] = scheme if scheme in DEFAULT_PORTS else scope["scheme"]
        return seen

    def _check(self, scope: Scope, headers: "_Headers") -> None:
        if headers.count > MOST_HEADERS:
            error = TooLargeError(f"the request has {headers.count} headers: send {MOST_HEADERS}")
            raise _Refusal(error, 431)
        _check_path(scope["raw_path"])
        local = scope["server"][0] if scope.get("server") else None
        try:
            host = check_host(headers.all("host"), self._rules.hosts, local)
        except InvalidValueError as error:
            raise _Refusal(error) from error
        if scope["method"] not in _CHANGES_NOTHING:
            _check_origin(headers, scope["scheme"], host)
        self._check_body(headers)
        _check_range(headers.all("range"))

    def _check_body(self, headers: "_Headers") -> None:
        encoding = headers.last("content-encoding").lower()
        if encoding not in {"", "identity"}:
            error = InvalidValueError(
                f"a body encoded as {encoding[:40]!r} is not accepted: send it plain"
            )
            raise _Refusal(error, 415)
        length = headers.last("content-length")
        if not length:
            return
        if headers.all("transfer-encoding"):  # a proxy before us may believe the other one
            error = InvalidValueError("Content-Length and Transfer-Encoding are given: give one")
            raise _Refusal(error)
        if not length.isascii() or not length.isdecimal():
            raise _Refusal(InvalidValueError(f"the Content-Length {length[:40]!r} is no number"))
        most = self._rules.most_body_bytes
        if len(length) > 18 or int(length) > most:
            raise _Refusal(
                TooLargeError(f"the body has {length[:40]} bytes, at most {most} are accepted")
            )


class _Headers:
    """The headers of a request, which may come several times."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._raw = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
        self.count = len(self._raw)

    def all(self, name: str) -> list[str]:
        """Every value."""
        return [value for key, value in self._raw if key == name]

    def last(self, name: str) -> str:
        """The value that came last; empty for none."""
        return next((value for key, value in reversed(self._raw) if key == name), "")


class _Body:
    """Whether all of a request's body has arrived."""

    def __init__(self, receive: Receive, headers: _Headers) -> None:
        self._receive = receive
        length = headers.last("content-length")
        self.complete = not headers.all("transfer-encoding") and length in {"", "0"}

    async def receive(self) -> Message:
        """The next part."""
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            self.complete = True
        return message


def _check_path(raw_path: bytes) -> None:
    """Refuse a path that means different things to different readers."""
    if len(raw_path) > LONGEST_PATH:
        raise _Refusal(TooLargeError(f"the path is longer than {LONGEST_PATH} bytes"), 414)
    if not raw_path.startswith(b"/") or not _PLAIN_ESCAPES.fullmatch(raw_path):
        raise _Refusal(InvalidValueError("the path does not begin with '/', or cannot be decoded"))
    for part in raw_path.split(b"/")[1:]:
        try:
            text = unquote_to_bytes(part).decode()
        except UnicodeDecodeError as error:
            raise _Refusal(InvalidValueError("the path is not UTF-8")) from error
        if text in {".", ".."} or _CONTROL.search(text):
            raise _Refusal(
                InvalidValueError(f"the path holds {text[:80]!r}, which is not accepted in a path")
            )


def _check_origin(headers: _Headers, scheme: str, host: Host) -> None:
    """Refuse what a page of another web site has its reader's browser do."""
    site = headers.last("sec-fetch-site")
    own = (scheme, host._replace(port=host.port or DEFAULT_PORTS[scheme]))
    origins = headers.all("origin")
    if (site and site not in _SAME_SITE) or any(origin_of(origin) != own for origin in origins):
        raise _Refusal(
            ForbiddenError("this request comes from a page of another web site: it is not done")
        )


def _check_range(values: Sequence[str]) -> None:
    if len(values) > 1 or any("," in value for value in values):
        raise _Refusal(InvalidValueError("several ranges were asked for: ask for one"), 416)


async def _refuse(send: Send, refusal: _Refusal, request_id: str) -> None:
    body = msgspec.json.encode(FailureAnswer(failure_of(refusal.error), request_id))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    start = {"type": "http.response.start", "status": refusal.http_status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _dressed(send: Send, body: _Body, request_id: str, *, encrypted: bool) -> Send:
    """Sends answers with the headers that all of them have."""

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message["headers"]]
            given = {bytes(name).lower() for name, _ in headers}
            headers += [*_ALWAYS, (b"x-request-id", request_id.encode())]
            headers += [pair for pair in _UNLESS_SET if pair[0] not in given]
            headers += _of_status(message["status"])
            if encrypted:
                hsts = f"max-age={_LIFE_OF_HSTS_S}".encode()
                headers.append((b"strict-transport-security", hsts))
            if not body.complete:  # what still comes of it shall not be read as the next request
                headers.append((b"connection", b"close"))
            message = {**message, "headers": headers}
        await send(message)

    return dressed


def _of_status(http_status: int) -> list[tuple[bytes, bytes]]:
    if http_status == 401:
        return [(b"www-authenticate", b'Bearer realm="headway"')]
    return [(b"retry-after", b"60")] if http_status == 429 else []
