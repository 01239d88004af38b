"""Bytes read from a server in order, however often the connection is lost on the way."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar, cast

import msgspec
from msgspec.structs import replace

from headway.client.connection import Arriving, Connection
from headway.errors import ServerUnavailableError
from headway.wire.operation import Operation, Stream

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Request = TypeVar("Request", bound=msgspec.Struct)

_BLOCK_BYTES: Final = 256 << 10
_MOST_LOSSES: Final = 10
"""So often without one byte in between."""


def opened(
    connection: Connection, operation: Operation[Request, Stream], request: Request
) -> BinaryIO:
    """The bytes that an operation gives, to be closed in the end.

    What is wrong with the request is raised at once. Its field ``offset`` is not looked at.
    """

    def begin(offset: int) -> Arriving:
        return connection.open(operation, replace(request, offset=offset))

    return cast("BinaryIO", io.BufferedReader(_Download(begin), _BLOCK_BYTES))


class _Download(io.RawIOBase):
    def __init__(self, begin: Callable[[int], Arriving]) -> None:
        super().__init__()
        self._begin = begin
        self._offset = 0
        self._losses = 0
        self._arriving: Arriving | None = begin(0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        while True:
            try:
                if self._arriving is None:
                    self._arriving = self._begin(self._offset)
                data = self._arriving.read(len(view))
            except ServerUnavailableError:
                self._drop()
                self._losses += 1
                if self._losses > _MOST_LOSSES:
                    raise
                continue
            self._losses = 0
            self._offset += len(data)
            view[: len(data)] = data
            return len(data)

    def close(self) -> None:
        self._drop()
        super().close()

    def _drop(self) -> None:
        arriving, self._arriving = self._arriving, None
        if arriving is not None:
            arriving.close()
