"""Small JSON files that appear as a whole or not at all, and are checked when they are read."""

import errno
import itertools
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypeGuard, cast

from headway.errors import StorageCorruptError, StorageError, StorageFullError

_serial = itertools.count()


class Fields:
    """The members of a JSON object, each checked for its type as it is taken."""

    def __init__(self, path: Path, content: Mapping[str, object]) -> None:
        self._path = path
        self._content = content

    def wrong(self, name: str, accepted: str) -> StorageCorruptError:
        """The error for a member that is not what is accepted."""
        return StorageCorruptError(
            f"{self._path} is damaged: {name} is {self._content.get(name)!r}, accepted is "
            f"{accepted}"
        )

    def text_or_none(self, name: str) -> str | None:
        """A text or nothing."""
        value = self._content.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self.wrong(name, "a text")

    def text(self, name: str) -> str:
        """A text."""
        value = self.text_or_none(name)
        if value is None:
            raise self.wrong(name, "a text")
        return value

    def one_of_or_none(self, name: str, choices: tuple[str, ...]) -> str | None:
        """One of a few words or nothing."""
        value = self.text_or_none(name)
        if value is None or value in choices:
            return value
        raise self.wrong(name, f"one of {', '.join(choices)}")

    def one_of(self, name: str, choices: tuple[str, ...]) -> str:
        """One of a few words."""
        value = self.one_of_or_none(name, choices)
        if value is None:
            raise self.wrong(name, f"one of {', '.join(choices)}")
        return value

    def number_or_none(self, name: str) -> float | None:
        """A number or nothing."""
        value = self._content.get(name)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        raise self.wrong(name, "a number")

    def number(self, name: str) -> float:
        """A number."""
        value = self.number_or_none(name)
        if value is None:
            raise self.wrong(name, "a number")
        return value

    def whole_or_none(self, name: str) -> int | None:
        """A whole number or nothing."""
        value = self._content.get(name)
        if value is None or _is_whole(value):
            return value
        raise self.wrong(name, "a whole number")

    def whole(self, name: str) -> int:
        """A whole number."""
        value = self.whole_or_none(name)
        if value is None:
            raise self.wrong(name, "a whole number")
        return value

    def truth(self, name: str) -> bool:
        """True or false."""
        value = self._content.get(name)
        if not isinstance(value, bool):
            raise self.wrong(name, "true or false")
        return value

    def items(self, name: str) -> list[object]:
        """A list of anything."""
        value = self._content.get(name)
        if not isinstance(value, list):
            raise self.wrong(name, "a list")
        return cast("list[object]", value)

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        texts = [item for item in self.items(name) if isinstance(item, str)]
        if len(texts) != len(self.items(name)):
            raise self.wrong(name, "a list of texts")
        return texts

    def texts_or_none(self, name: str) -> list[str] | None:
        """A list of texts or nothing."""
        return None if self._content.get(name) is None else self.texts(name)

    def wholes(self, name: str) -> list[int]:
        """A list of whole numbers."""
        wholes = [item for item in self.items(name) if _is_whole(item)]
        if len(wholes) != len(self.items(name)):
            raise self.wrong(name, "a list of whole numbers")
        return wholes

    def mapping(self, name: str) -> dict[str, str]:
        """Texts by name."""
        value = self._content.get(name)
        if isinstance(value, dict):
            items = cast("dict[str, object]", value).items()
            texts = {key: item for key, item in items if isinstance(item, str)}
            if len(texts) == len(items):
                return texts
        raise self.wrong(name, "texts by name")


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def read(path: Path) -> Fields | None:
    """The object in a file; None where there is no such file.

    Raises:
        StorageCorruptError: It holds something else than a JSON object.
        StorageError: It cannot be read.
    """
    try:
        content: object = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(path, error) from error
    except ValueError as error:
        raise StorageCorruptError(
            f"{path} is damaged, it cannot be read as JSON: {error}"
        ) from error
    if not isinstance(content, dict):
        raise StorageCorruptError(f"{path} is damaged: it holds no JSON object")
    return Fields(path, cast("dict[str, object]", content))


def replace(path: Path, content: Mapping[str, object], *, durable: bool) -> None:
    """Put new content in the place of a file's; readers see either the one or the other.

    Args:
        path: The file, which need not exist.
        content: What to write.
        durable: Whether it must outlive a power cut.

    Raises:
        StorageFullError: No space is left; the file is as it was.
        StorageError: It cannot be written.
    """
    temporary = write_beside(path, content, durable=durable)
    try:
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(path, error) from error
    if durable:
        sync_directory(path.parent)


def write_beside(path: Path, content: Mapping[str, object], *, durable: bool) -> Path:
    """Write a new file next to ``path``, under a name that nobody else uses."""
    temporary = _unused_name(path)
    try:
        with temporary.open("xb") as file:
            file.write(json.dumps(content).encode())
            if durable:
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(path, error) from error
    return temporary


def write_into(reserve: Path, path: Path, content: Mapping[str, object]) -> Path:
    """Like a durable ``write_beside``, in the blocks of a file that was written for this.

    It can be done once. What cannot be used anyhow raises the error of the full disk.
    """
    temporary = _unused_name(path)
    try:
        size_bytes = reserve.stat().st_size
        reserve.rename(temporary)  # of several who try, one gets it
        with temporary.open("r+b") as file:  # not truncated, or the blocks would be given back
            file.write(json.dumps(content).encode().ljust(size_bytes))
            file.flush()
            os.fsync(file.fileno())
    except FileNotFoundError as error:
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise storage_error(path, full) from error
    except OSError as error:
        raise storage_error(path, error) from error
    return temporary


def _unused_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}-{time.time_ns()}-{next(_serial)}")


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot sync a directory
            raise storage_error(path, error) from error
    finally:
        os.close(fd)


def storage_error(path: Path, error: OSError) -> StorageError:
    """What Headway raises for an error of the file system."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageFullError(f"no space is left to write {path}: free some, then try again")
    return StorageError(f"{path} cannot be read or written: {error.strerror}")
