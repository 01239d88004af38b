"""Answers as they are sent."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, Final

import msgspec
from starlette.responses import Response, StreamingResponse
from starlette.types import Scope

from headway.errors import HeadwayError, InvalidValueError, code_of
from headway.server.callers import acting
from headway.server.context import Context
from headway.server.guard import ATTACHMENT
from headway.server.handlers.binding import Streaming
from headway.server.records import record_of
from headway.server.threads import Threads
from headway.wire.failures import FailureAnswer, failure_of
from headway.wire.operation import Body, Operation

_log: Final = logging.getLogger("headway.server")
_BLOCK_BYTES: Final = 256 << 10
_json: Final = msgspec.json.Encoder()
_packer: Final = msgspec.msgpack.Encoder()


def succeeded(operation: Operation[Any, Any], answer: object) -> bytes:
    """The body of an answer."""
    if isinstance(answer, bytes) and operation.gives is Body.BYTES:
        return answer
    return (_packer if operation.gives is Body.PACKED else _json).encode(answer)


def failed(
    error: HeadwayError,
    scope: Scope,
    http_status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that says what went wrong."""
    failure = failure_of(error)
    record_of(scope).error = failure.code
    body = _json.encode(FailureAnswer(failure, scope.get("request_id", "")))
    http_status = http_status or code_of(error).http_status
    return Response(body, http_status, headers, media_type=Body.JSON)


def unexpected(error: Exception, scope: Scope) -> HeadwayError:
    """What is answered where this program is at fault; the log says why."""
    request_id = scope.get("request_id", "")
    _log.error("unexpected error in request %s", request_id, exc_info=error)
    return HeadwayError(
        f"the server met an unexpected error ({type(error).__name__}); its log says more under "
        f"the request id {request_id}"
    )


async def streamed(
    threads: Threads, asked: Callable[[], tuple[Context, Any]], handler: Streaming
) -> Response:
    """An answer that is sent as it is read.

    The first bytes are read before the answer begins: what is wrong up to there is an error as
    any other. Later the connection is closed, and a client that asks for the rest is told.
    """

    def begin() -> tuple[AbstractContextManager[BinaryIO], BinaryIO, bytes]:
        context, ask = asked()
        with acting(context.caller):
            opened = handler.open(context, ask)
        stream = opened.__enter__()
        try:
            return opened, stream, _first(stream, ask.offset)
        except BaseException:
            opened.__exit__(None, None, None)
            raise

    opened, stream, first = await threads.run(begin)
    blocks = _blocks(threads, opened, stream, first)
    return StreamingResponse(blocks, headers=ATTACHMENT, media_type=Body.BYTES)


def _first(stream: BinaryIO, offset: int) -> bytes:
    if offset < 0:
        raise InvalidValueError(f"the offset is {offset}: give 0 or more")
    while offset:  # read and not sought: the hash of the whole is checked at the end
        skipped = len(stream.read(min(offset, _BLOCK_BYTES)))
        if not skipped:
            return b""
        offset -= skipped
    return stream.read(_BLOCK_BYTES)


async def _blocks(
    threads: Threads, opened: AbstractContextManager[BinaryIO], stream: BinaryIO, block: bytes
) -> AsyncGenerator[bytes]:
    try:
        while block:
            yield block
            block = await threads.run(lambda: stream.read(_BLOCK_BYTES))
    finally:
        await asyncio.shield(threads.run(lambda: opened.__exit__(None, None, None)))
