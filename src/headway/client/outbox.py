"""Ends and files of runs that wait on this machine until the server has taken them in.

The end of a run is written here before the server is asked, with the time at which it came about,
and removed when the server has answered. So it is not lost with the process, and asking again does
no harm: a run that has ended so already is left as it is.
"""

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import msgspec

from headway.engines.document import storage_error
from headway.errors import StorageCorruptError
from headway.locks import try_lock
from headway.model import RunError, Status

_SUFFIX: Final = ".json"
_REFUSED: Final = ".refused"
_CONTENT: Final = "content"
_LOCK: Final = "lock"
_LOOK_S: Final = 0.05


class EndParcel(msgspec.Struct, frozen=True, tag="end"):
    """The end of a run, as it came about."""

    run_id: str
    status: Status
    at: int
    error: RunError | None = None
    reason: str = ""


class FileParcel(msgspec.Struct, frozen=True, tag="file"):
    """A file that a run left behind; its bytes stand beside it."""

    run_id: str
    path: str
    size_bytes: int


Parcel = EndParcel | FileParcel
_decoder: Final = msgspec.json.Decoder(EndParcel | FileParcel)


class Outbox:
    """The folder of parcels of one workspace of a server. Any number of processes may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, parcel: EndParcel) -> str:
        """Keep a parcel; it outlives this process from when this returns. Its name is returned.

        Raises:
            StorageError: It cannot be written.
        """
        return self._put(parcel, _new_name())

    def put_file(self, run_id: str, path: str, source: Path) -> str:
        """Keep a copy of a file, to be sent later.

        Raises:
            StorageError: It cannot be copied; nothing is left of it.
        """
        name = _new_name()
        content = self._content(name)
        try:
            content.parent.mkdir(exist_ok=True, mode=0o700)
            shutil.copyfile(source, content)
            return self._put(FileParcel(run_id, path, content.stat().st_size), name)
        except OSError as error:
            content.unlink(missing_ok=True)
            raise storage_error(content, error) from error

    def __iter__(self) -> Iterator[tuple[str, Parcel]]:
        """Names and parcels, the oldest first.

        Raises:
            StorageCorruptError: One of them cannot be read.
        """
        for name in sorted(os.listdir(self._folder)) if self._folder.is_dir() else ():  # noqa: PTH208 - names are wanted, not paths
            if name.endswith(_SUFFIX):
                with contextlib.suppress(FileNotFoundError):  # somebody has sent it meanwhile
                    yield name, self._read(name)

    def content(self, name: str) -> Path:
        """Where the bytes of a file are."""
        return self._content(name)

    def refused(self) -> int:
        """How many parcels the server will never take in."""
        return sum(1 for _ in self._folder.glob(f"*{_REFUSED}"))

    def remove(self, name: str) -> None:
        """The server has it. An empty name is that of none."""
        if name:
            (self._folder / name).unlink(missing_ok=True)
            self._content(name).unlink(missing_ok=True)

    def refuse(self, name: str) -> None:
        """The server will never take it in: it is put aside."""
        with contextlib.suppress(FileNotFoundError):
            (self._folder / name).rename(self._folder / f"{name}{_REFUSED}")

    @contextlib.contextmanager
    def turn(self, *, wait: bool) -> Generator[bool]:
        """Hold the lock that those who send take turns with; whether it is held.

        Args:
            wait: Whether to wait for whoever has it.
        """
        try:
            fd = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise storage_error(self._folder / _LOCK, error) from error
        try:
            held = try_lock(fd)
            while wait and not held:
                time.sleep(_LOOK_S)
                held = try_lock(fd)
            yield held
        finally:
            os.close(fd)

    def _put(self, parcel: Parcel, name: str) -> str:
        path = self._folder / name
        temporary = path.with_suffix(".new")
        try:
            temporary.write_bytes(msgspec.json.encode(parcel))
            temporary.rename(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise storage_error(path, error) from error
        return name

    def _read(self, name: str) -> Parcel:
        path = self._folder / name
        try:
            return _decoder.decode(path.read_bytes())
        except msgspec.MsgspecError as error:
            raise StorageCorruptError(
                f"{path} is damaged ({error}): remove it, and end the run by hand"
            ) from error

    def _content(self, name: str) -> Path:
        return self._folder / _CONTENT / name.removesuffix(_SUFFIX)


def _new_name() -> str:
    return f"{time.time_ns():020d}-{uuid.uuid4().hex}{_SUFFIX}"
