"""One request from its arrival to its answer."""

from collections.abc import Callable
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from headway.errors import HeadwayError, NotFoundError, TooLargeError, UserError
from headway.server.answers import failed, streamed, succeeded, unexpected
from headway.server.callers import acting
from headway.server.context import Context, Gate
from headway.server.handlers.binding import Handler, Plain, Streaming
from headway.server.handlers.everything import HANDLERS
from headway.server.json_guard import check_json
from headway.server.records import record_of
from headway.server.routing import Routes
from headway.server.stopping import Stopping
from headway.server.threads import Threads
from headway.server.waiting import Waiter
from headway.server.workspaces import Hub
from headway.wire.forms import WORKSPACE, form_of
from headway.wire.operation import Body, Operation
from headway.wire.operations import OPERATIONS

_ROUTES: Final = Routes(OPERATIONS)
_SMALL_BYTES: Final = 64 << 10
"""A body up to here is read before it is known who asks: that saves a turn."""


class Dispatcher:
    """The ASGI application of all operations.

    Args:
        hub: The workspaces.
        gate: Who may do what.
        threads: Where requests are worked on.
        stopping: Whether the process is about to end.
    """

    def __init__(self, hub: Hub, gate: Gate, threads: Threads, stopping: Stopping) -> None:
        self._hub = hub
        self._gate = gate
        self._threads = threads
        self._waiter = Waiter(threads, stopping)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:  # in the midst of its request: nobody is there to be answered
            return
        except HeadwayError as error:
            response = failed(error, scope)
        except Exception as error:  # noqa: BLE001  (the outermost edge)
            response = failed(unexpected(error, scope), scope)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        found = _ROUTES.find(request.scope["raw_path"])
        if found is None:
            raise NotFoundError(f"there is nothing at {request.url.path}")
        route, path = found
        operation = route.methods.get(request.method)
        if operation is None:
            accepted = ", ".join(sorted(route.methods))
            error = UserError(f"{request.method} is not accepted here: use {accepted}")
            return failed(error, request.scope, 405, {"Allow": accepted})
        record = record_of(request.scope)
        record.operation, record.route = operation.name, operation.template
        handler = HANDLERS.of(operation)
        if handler is None:
            raise NotFoundError(f"{operation.name} is not done by this server")
        return await self._work(request, operation, handler, path)

    async def _work(
        self,
        request: Request,
        operation: Operation[Any, Any],
        handler: Handler,
        path: dict[str, str],
    ) -> Response:
        def admit() -> Context:
            return self._admit(request, operation, path)

        context = None if _is_small(request) else await self._threads.run(admit)
        body = await _body(request, operation.most_bytes)

        def asked() -> tuple[Context, Any]:
            known = context or admit()
            query = request.query_params.multi_items()
            if operation.sends is Body.JSON:
                check_json(body)
            return known, form_of(operation).receive(path, query, body)

        return await self._handle(request, operation, handler, asked)

    async def _handle(
        self,
        request: Request,
        operation: Operation[Any, Any],
        handler: Handler,
        asked: Callable[[], tuple[Context, Any]],
    ) -> Response:
        if isinstance(handler, Plain):

            def answer() -> bytes:
                context, ask = asked()
                with acting(context.caller):
                    return succeeded(operation, handler.run(context, ask))

            return Response(await self._threads.run(answer), media_type=operation.gives)
        if isinstance(handler, Streaming):
            return await streamed(self._threads, asked, handler)
        context, ask = await self._threads.run(asked)
        result = await self._waiter.answer(handler, context, ask, request)
        return Response(succeeded(operation, result), media_type=operation.gives)

    def _admit(
        self, request: Request, operation: Operation[Any, Any], path: dict[str, str]
    ) -> Context:
        name = path.get(WORKSPACE)
        address = request.client.host if request.client else ""
        principal = self._gate.admit(operation, name, request.headers, address)
        record = record_of(request.scope)
        record.user, record.workspace = principal.user, name  # of whoever is known
        return self._hub.context(name, principal, request.headers, address)


def _is_small(request: Request) -> bool:
    if request.method in {"GET", "DELETE"}:
        return True
    length = request.headers.get("content-length", "")
    return length.isdecimal() and int(length) <= _SMALL_BYTES


async def _body(request: Request, most_bytes: int) -> bytes:
    parts: list[bytes] = []
    size_bytes = 0
    async for part in request.stream():
        size_bytes += len(part)
        if size_bytes > most_bytes:
            raise TooLargeError(f"the body is longer than {most_bytes} bytes: send less at a time")
        parts.append(part)
    return b"".join(parts)
