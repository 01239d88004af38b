"""What does an operation: at once, as a stream, or when something has happened."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, TypeVar

from headway.server.context import Context
from headway.wire.operation import Operation, Stream

Request = TypeVar("Request")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Plain:
    """Called in a thread; what it returns is the answer."""

    run: Callable[[Context, Any], object]


@dataclass(frozen=True, slots=True)
class Streaming:
    """Called in a thread; what is read from what it opens is the answer."""

    open: Callable[[Context, Any], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Asked in a thread again and again; in between, no thread waits."""

    topics: Callable[[Any], list[str]]
    """The bells at which it is asked again; see ``headway.store.bells``."""
    timeout_s: Callable[[Any], float]
    """How long the request may wait."""
    look: Callable[[Context, Any, bool], object | None]
    """The answer, or None to wait on; where the last argument is true, the time is over, and there
    must be an answer."""
    pause_s: float
    """So long after a look it is asked again though no bell rang."""


Handler = Plain | Streaming | Waiting
Binding = tuple[Operation[Any, Any], Handler]


def bind(
    operation: Operation[Request, Answer], run: Callable[[Context, Request], Answer]
) -> Binding:
    """Pair an operation with what does it; types are held to one another."""
    return operation, Plain(run)


def bind_stream(
    operation: Operation[Request, Stream],
    open: Callable[[Context, Request], AbstractContextManager[BinaryIO]],
) -> Binding:
    """The same for one whose answer is the bytes of a file."""
    return operation, Streaming(open)


def bind_waiting(
    operation: Operation[Request, Answer],
    look: Callable[[Context, Request, bool], Answer | None],
    *,
    topics: Callable[[Request], list[str]],
    timeout_s: Callable[[Request], float],
    pause_s: float = 1.0,
) -> Binding:
    """The same for one that waits; see ``Waiting``."""
    return operation, Waiting(topics, timeout_s, look, pause_s)


class Handlers:
    """All handlers."""

    def __init__(self, *bindings: Iterable[Binding]) -> None:
        self._by_name: Final = {op.name: handler for part in bindings for op, handler in part}

    def of(self, operation: Operation[Any, Any]) -> Handler | None:
        """What does this operation."""
        return self._by_name.get(operation.name)
