"""What files looked like when they were hashed, so that what did not change is not read again."""

import os
import secrets
from pathlib import Path
from typing import NamedTuple

import msgspec
from blake3 import blake3

from headway.snapshots.plan import PlannedFile
from headway.snapshots.tree import escape


class Seen(NamedTuple):
    """What a file looked like when it was hashed. Equal again, it has not changed."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    blake3: str


class SeenFiles:
    """Hashes of the files of one source directory, so that what did not change is not read."""

    def __init__(self, folder: Path, source: Path) -> None:
        self._path = folder / f"{blake3(os.fsencode(source)).hexdigest()[:32]}.msgpack"
        self._now: dict[str, Seen] = {}
        try:
            self._before = msgspec.msgpack.decode(self._path.read_bytes(), type=dict[str, Seen])
        except (OSError, msgspec.DecodeError):
            self._before = {}  # it only saves time

    def find(self, file: PlannedFile) -> str | None:
        """The hash of a file that has not changed."""
        path = escape(file.path)
        seen = self._before.get(path)
        looks = (file.size_bytes, file.mtime_ns, file.ctime_ns, file.inode)
        if seen is None or seen[:4] != looks:
            return None
        self._now[path] = seen
        return seen.blake3

    def add(self, path: str, seen: Seen) -> None:
        """Remember a file that was read."""
        self._now[escape(path)] = seen

    def save(self, incoming: Path) -> None:
        """Write down what was found and added, if that is something else than before."""
        if self._now != self._before:
            write_whole(self._path, msgspec.msgpack.encode(self._now), incoming)


def write_whole(path: Path, content: bytes, incoming: Path) -> None:
    """Write a file that appears whole or not at all; ``incoming`` is where it is made."""
    part = incoming / secrets.token_hex(16)
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
