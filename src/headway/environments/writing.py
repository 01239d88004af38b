"""Small files that appear as a whole or not at all."""

import errno
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from headway.errors import StorageError, StorageFullError

_FULL: Final = {errno.ENOSPC, errno.EDQUOT}


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in the place of another, durably. It may hold secrets, and is the user's own."""
    part = path.with_name(f".part-{secrets.token_hex(8)}")
    try:
        fd = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(fd)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def storage_errors(place: Path) -> Generator[None]:
    """Raise errors of the file system as Headway's own."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(
                f"no space is left under {place}: free some, then submit again; nothing half-made "
                "was left behind"
            ) from error
        raise StorageError(f"{place} cannot be read or written: {error}") from error
