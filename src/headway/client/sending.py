"""Files sent to a server: short ones at once, longer ones in parts."""

import tempfile
import uuid
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import BinaryIO, Final, cast

from headway.client.uploads import RemoteUploads
from headway.contents import NewUpload
from headway.errors import InvalidValueError
from headway.files.base import OpenedFile, open_source, read_block
from headway.wire.operation import PART_BYTES

_AT_A_TIME: Final = 4
"""Files that are sent at the same time: while one is on its way, another is kept."""


class Parts:
    """The bytes of a source, in parts of the size that a server takes."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._rest = b""

    def next(self, size: int = PART_BYTES) -> bytes:
        """So many bytes; fewer only at the end."""
        found = [self._rest]
        count = len(self._rest)
        while count < size:
            block = read_block(self._stream)
            if not block:
                break
            found.append(block)
            count += len(block)
        data = b"".join(found)
        self._rest = data[size:]
        return data[:size]


def send_file(
    uploads: RemoteUploads,
    source: Path | BinaryIO,
    at_once: Callable[[bytes], None] | None = None,
    *,
    blake3: str | None = None,
) -> str | None:
    """Send the bytes of a file and return the id of the upload.

    Args:
        uploads: Where they go.
        source: A path, or a stream from where it stands.
        at_once: Called in place of all that, with the whole of a file that is one part; the id is
            then None.
        blake3: The hash that the bytes must have, where it is known.
    """
    with open_source(source) as stream:
        parts = Parts(stream)
        first = parts.next()
        if len(first) < PART_BYTES and at_once is not None:
            at_once(first)
            return None
        size = stream.size_bytes if isinstance(stream, OpenedFile) else 0
        if len(first) < PART_BYTES:
            return _send(uploads, len(first), [first], blake3)
        if size:
            return _send(uploads, size, _all(first, parts), blake3)
        with tempfile.TemporaryFile() as copy:  # its length is asked for before it is sent
            for part in _all(first, parts):
                copy.write(part)
            size = copy.tell()
            copy.seek(0)
            return _send(uploads, size, _all(b"", Parts(cast("BinaryIO", copy))), blake3)


def send_files(uploads: RemoteUploads, sources: Mapping[str, Path]) -> dict[str, str]:
    """Send files, several at a time; the ids of the uploads by the same names."""
    with ThreadPoolExecutor(_AT_A_TIME, "headway-files") as pool:
        # In copies of this context: it says for how long the server is waited for.
        sent = {
            name: pool.submit(copy_context().run, send_file, uploads, source)
            for name, source in sources.items()
        }
        return {name: cast("str", upload.result()) for name, upload in sent.items()}


def _all(first: bytes, parts: Parts) -> Iterable[bytes]:
    if first:
        yield first
    while part := parts.next():
        yield part


def _send(
    uploads: RemoteUploads, size_bytes: int, parts: Iterable[bytes], blake3: str | None
) -> str:
    upload_id = uuid.uuid4().hex
    uploads.begin(NewUpload(upload_id, size_bytes, blake3))
    offset = 0
    for part in parts:
        offset = uploads.append(upload_id, offset, part[: size_bytes - offset])
    if offset < size_bytes:
        uploads.abandon(upload_id)
        raise InvalidValueError(
            f"the file to keep became shorter while it was read: it had {size_bytes} bytes, and "
            f"ended after {offset}; send it again when nobody writes to it"
        )
    return upload_id
