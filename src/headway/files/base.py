"""The contract of a place that keeps the bytes of runs' files.

``headway.testing.files_contract`` holds every implementation to it.
"""

import io
import os
import stat
import sys
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

import msgspec

from headway.errors import InvalidValueError

BLOCK_BYTES: Final = 1 << 20
"""How much of a file is in memory at a time."""


class StoredFile(msgspec.Struct, frozen=True):
    """What was kept of one file."""

    key: str
    """What ``open`` and ``remove`` take; never a name given by a user."""
    size_bytes: int
    blake3: str
    """Hash of the content, 64 hexadecimal digits."""


class FileStorage(Protocol):
    """Keeps bytes by run and content. The user's name of a file is the database's business.

    * Any thread and any number of processes may call at once, for one run too.
    * The same content in the same run has the same key and is kept once.
    * A file is there whole or not at all, whatever ends the writer.
    * ``remove`` is for keys that no record names. A ``write`` of the same content that returns
      after it has put the file back.
    """

    def write(self, run_id: str, source: Path | BinaryIO) -> StoredFile:
        """Keep the bytes of a file, or of a stream from where it stands to its end.

        Memory use does not depend on the size. What was read is what is hashed and kept, also of
        a file that changes meanwhile. When this returns, a power cut does not undo it. The stream
        is not closed.

        Raises:
            InvalidValueError: The source is missing, a folder, no regular file, not readable or
                no binary stream.
            StorageFullError: No space is left; nothing half-made stays.
            StorageError: The storage cannot be written.
        """
        ...

    def open(self, run_id: str, key: str) -> AbstractContextManager[BinaryIO]:
        """The bytes, for reading; a key that is not there raises ``RunFileNotFoundError``."""
        ...

    def remove(self, run_id: str, key: str) -> None:
        """Delete the bytes; a key that is not there is no error. Open readers are not disturbed."""
        ...


@contextmanager
def open_source(source: Path | BinaryIO) -> Generator[BinaryIO]:
    """The stream to read a source from, after the checks that all storages share."""
    given = cast("object", source)
    if isinstance(given, str | Path):
        with _open_path(Path(given)) as stream:
            yield stream
        return
    if isinstance(given, io.TextIOBase):
        raise InvalidValueError(
            f"the file to keep was given as the text stream {given!r}: open it with mode 'rb', "
            "or give its path"
        )
    if not hasattr(given, "read"):
        raise InvalidValueError(
            f"the file to keep was given as {type(given).__name__} {given!r}: give a path or a "
            "binary stream"
        )
    yield source  # pyright: ignore[reportReturnType]  # neither str nor Path, as checked above


def read_block(stream: BinaryIO) -> bytes:
    """The next bytes of a source, empty at its end."""
    try:
        block = cast("object", stream.read(BLOCK_BYTES))
    except (OSError, ValueError) as error:
        raise InvalidValueError(f"the file to keep, {stream!r}, cannot be read: {error}") from error
    if not isinstance(block, bytes):
        raise InvalidValueError(
            f"reading {stream!r} gave {type(block).__name__}: give a blocking stream of bytes, "
            "such as open(path, 'rb')"
        )
    return block


class OpenedFile(io.RawIOBase):
    """A regular file up to the size that it had when it was opened.

    What is appended meanwhile does not belong to it: a file that grows faster than it is read would
    have no end. Files that tell no size, such as those of /proc, are read to their end.
    """

    def __init__(self, fd: int, size: int) -> None:
        super().__init__()
        self._fd = fd
        self._left = size or sys.maxsize

    def readable(self) -> bool:
        """True."""
        return True

    def fileno(self) -> int:
        """Its descriptor."""
        return self._fd

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, empty at the end; at most a block where no size is given."""
        data = os.read(self._fd, min(size if size >= 0 else BLOCK_BYTES, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        """Close its descriptor."""
        if not self.closed:
            os.close(self._fd)
        super().close()


def _open_path(path: Path) -> BinaryIO:
    try:
        # Looked at before it is opened: opening a device can do something.
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            # Without waiting: it may have become a pipe by now.
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
            found = os.fstat(fd)
            mode = found.st_mode
            if stat.S_ISREG(mode):
                return cast("BinaryIO", OpenedFile(fd, found.st_size))
            os.close(fd)
    except FileNotFoundError as error:
        raise InvalidValueError(
            f"the file to keep, {str(path)!r}, does not exist: give the path of a file"
        ) from error
    except (OSError, ValueError) as error:
        raise InvalidValueError(
            f"the file to keep, {str(path)!r}, cannot be read: {error}; give the path of a "
            "readable file"
        ) from error
    kind = "a folder" if stat.S_ISDIR(mode) else "no regular file (a pipe, socket or device)"
    raise InvalidValueError(f"the file to keep, {str(path)!r}, is {kind}: give the path of a file")
