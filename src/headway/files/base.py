"""The contracts of the places that keep bytes: whole files by their content, and logs that grow.

``headway.testing.files_contract`` and ``headway.testing.logs_contract`` hold every implementation
to them. Both keep what belongs together under a holder: the id of a run, or another such word.
"""

import io
import os
import stat
import sys
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

import msgspec

from headway.checks import check_file_path
from headway.errors import InvalidValueError

BLOCK_BYTES: Final = 1 << 20
"""How much of a file is in memory at a time."""
MOST_LOG_NAME_BYTES: Final = 500


class StoredFile(msgspec.Struct, frozen=True):
    """What was kept of one file."""

    key: str
    """What ``open`` and ``remove`` take; never a name given by a user."""
    size_bytes: int
    blake3: str
    """Hash of the content, 64 hexadecimal digits."""


class KeptFile(msgspec.Struct, frozen=True):
    """A file that is found in a storage."""

    key: str
    size_bytes: int
    modified_at: int
    """When it was last written, in microseconds since the epoch."""


class FileStorage(Protocol):
    """Keeps bytes by run and content. The user's name of a file is the database's business.

    * Any thread and any number of processes may call at once, for one run too.
    * The same content in the same run has the same key and is kept once.
    * A file is there whole or not at all, whatever ends the writer.
    * ``remove`` is for keys that no record names. A ``write`` of the same content that returns
      after it has put the file back.
    """

    def write(
        self, run_id: str, source: Path | BinaryIO, *, expected: str | None = None
    ) -> StoredFile:
        """Keep the bytes of a file, or of a stream from where it stands to its end.

        Memory use does not depend on the size. What was read is what is hashed and kept, also of
        a file that changes meanwhile. When this returns, a power cut does not undo it. The stream
        is not closed.

        Args:
            run_id: The holder.
            source: A path, or a stream.
            expected: The BLAKE3 hash that the bytes must have. Where such bytes are kept already,
                the source need not be read.

        Raises:
            InvalidValueError: The source is missing, a folder, no regular file, not readable or
                no binary stream; or its bytes do not have the hash that was expected, and are not
                kept.
            StorageFullError: No space is left; nothing half-made stays.
            StorageError: The storage cannot be written.
        """
        ...

    def open(self, run_id: str, key: str) -> AbstractContextManager[BinaryIO]:
        """The bytes, for reading; a key that is not there raises ``RunFileNotFoundError``."""
        ...

    def remove(self, run_id: str, key: str) -> None:
        """Delete the bytes; a key that is not there is no error.

        An open reader that reads on in order is not disturbed.
        """
        ...

    def link(self, run_id: str, key: str, source: "FileStorage", source_id: str) -> bool:
        """Keep what another storage keeps without reading it; whether that could be done.

        Neither changes what it keeps, so that both can have the same file.
        """
        ...

    def find(self, run_id: str, key: str) -> KeptFile | None:
        """What is kept under a key; None where nothing is."""
        ...

    def found(self, run_id: str) -> Iterator[KeptFile]:
        """Every file of a holder, in no order; none where there is no such holder."""
        ...

    def holders(self) -> Iterator[str]:
        """Everything that has files, in no order."""
        ...


class StoredLog(msgspec.Struct, frozen=True):
    """A log that is found in a storage."""

    name: str
    size_bytes: int
    modified_at: int
    """When it last grew, in microseconds since the epoch."""


class Logs(Protocol):
    """Keeps bytes that are appended, by holder and name.

    * A log has one writer, which may send any stretch again, to any process: at one offset it
      always has the same bytes. Any number of threads and processes read.
    * Names are those of ``headway.checks.check_file_path``, of at most 500 bytes in UTF-8.
    """

    def append(self, holder: str, name: str, offset: int, data: bytes) -> int:
        """Take in a stretch, and return the size that the log has at least.

        Of a stretch that begins before the end of what is there, only the rest is taken. When this
        returns, readers see it, whatever ends this process.

        Raises:
            InvalidValueError: The stretch begins behind the end of the log, or the name is no
                name for a log.
            StorageFullError: No space is left.
            StorageError: The storage cannot be written.
        """
        ...

    def read(self, holder: str, name: str, offset: int, limit: int) -> bytes:
        """Bytes from an offset on, at most ``limit``; empty where nothing stands there (yet).

        Fewer than ``limit`` bytes do not say that the end was reached.
        """
        ...

    def size(self, holder: str, name: str) -> int | None:
        """How long a log is; None where there is none."""
        ...

    def list(self, holder: str) -> list[StoredLog]:
        """The logs of a holder by name; none where there is no such holder."""
        ...

    def remove(self, holder: str, name: str | None = None) -> None:
        """Delete a log, or all logs of a holder; one that is not there is no error."""
        ...

    def holders(self) -> Iterator[str]:
        """Everything that has logs."""
        ...


def no_key(key: str) -> InvalidValueError:
    """What is raised for what cannot be a key."""
    return InvalidValueError(f"{key!r} is no key of a file: give what 'write' returned")


def check_expected(expected: str | None, digest: str) -> None:
    """Refuse bytes that are not those that were announced."""
    if expected is not None and digest != expected:
        raise InvalidValueError(
            f"the content has the BLAKE3 hash {digest}, but {expected} was announced: nothing was "
            "kept; send it again, whole"
        )


def check_log_name(name: object) -> str:
    """The name of a log: as that of a file, and at most 500 bytes in UTF-8."""
    text = check_file_path(name, MOST_LOG_NAME_BYTES)
    if len(text.encode()) > MOST_LOG_NAME_BYTES:
        raise InvalidValueError(
            f"the name of a log has {len(text.encode())} bytes in UTF-8, beginning {text[:40]!r}: "
            f"at most {MOST_LOG_NAME_BYTES} are accepted"
        )
    return text


def behind_the_end(name: str, offset: int, size: int) -> InvalidValueError:
    """What is raised for a stretch that nothing leads up to."""
    return InvalidValueError(
        f"the stretch of {name} begins at {offset}, but the log has {size} bytes: send what comes "
        "between first"
    )


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


class SizedStream(io.BufferedReader):
    """A stream of which it is known how many bytes it has."""

    def __init__(self, raw: io.RawIOBase, size_bytes: int) -> None:
        super().__init__(raw, BLOCK_BYTES)
        self.size_bytes = size_bytes


class OpenedFile(io.RawIOBase):
    """A regular file up to the size that it had when it was opened.

    What is appended meanwhile does not belong to it: a file that grows faster than it is read would
    have no end. Files that tell no size, such as those of /proc, are read to their end.
    """

    def __init__(self, fd: int, size: int) -> None:
        super().__init__()
        self.size_bytes = size
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
