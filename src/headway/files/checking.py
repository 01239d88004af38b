"""Files read back are those that were kept: their bytes are hashed as they pass."""

import io
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from blake3 import blake3

from headway.errors import StorageCorruptError
from headway.files.base import BLOCK_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@contextmanager
def checked_stream(
    stored: AbstractContextManager[BinaryIO], expected: str | None, what: str
) -> Generator[BinaryIO]:
    """A stream that raises at its end where it was not what is expected.

    Args:
        stored: The stream.
        expected: The BLAKE3 hash of its content; None to let everything pass.
        what: The file, for the message.

    Raises:
        StorageCorruptError: When the end is read, and the bytes before it have another hash.
    """
    with stored as stream:
        if expected is None:
            yield stream
        else:
            raw = _Hashing(stream, expected, what)
            yield cast("BinaryIO", io.BufferedReader(raw, BLOCK_BYTES))


class _Hashing(io.RawIOBase):
    def __init__(self, stream: BinaryIO, expected: str, what: str) -> None:
        super().__init__()
        self._stream = stream
        self._expected = expected
        self._what = what
        self._hasher = blake3()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._stream.read(len(view))
        view[: len(data)] = data
        self._hasher.update(data)
        if not data and self._hasher.hexdigest() != self._expected:
            raise StorageCorruptError(
                f"{self._what} is damaged: what is stored has another hash than what was kept; "
                "restore the workspace's folder from a backup, or run it again"
            )
        return len(data)
