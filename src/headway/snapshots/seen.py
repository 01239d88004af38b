"""What files looked like when they were hashed, so that what did not change is not read again."""

import os
from pathlib import Path
from typing import NamedTuple

import msgspec
from blake3 import blake3

from headway.snapshots.durable import write_whole
from headway.snapshots.plan import PlannedFile


class Seen(NamedTuple):
    """What a file looked like when it was hashed. Equal again, it has not changed.

    The first four are the last four of a ``PlannedFile``.
    """

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    blake3: str


class _Written(msgspec.Struct, frozen=True, array_like=True):
    snapshot_id: str
    files: dict[str, Seen]


class SeenFiles:
    """Hashes of the files of one source directory, so that what did not change is not read."""

    def __init__(self, folder: Path, source: Path) -> None:
        self._path = folder / f"{blake3(os.fsencode(source)).hexdigest()[:32]}.msgpack"
        self._now: dict[str, Seen] = {}
        try:
            self._before = msgspec.msgpack.decode(self._path.read_bytes(), type=_Written)
        except (OSError, msgspec.DecodeError):
            self._before = _Written("", {})  # it only saves time

    @property
    def snapshot_id(self) -> str:
        """The snapshot that was taken last, and is durable."""
        return self._before.snapshot_id

    def find(self, path: str, file: PlannedFile) -> str | None:
        """The hash of a file that has not changed, by its escaped path."""
        seen = self._before.files.get(path)
        if seen is None or seen[:4] != file[2:]:
            return None
        self._now[path] = seen
        return seen.blake3

    def add(self, path: str, seen: Seen) -> None:
        """Remember a file that was read, by its escaped path."""
        self._now[path] = seen

    def save(self, snapshot_id: str, incoming: Path) -> None:
        """Write down what was found and added, if that is something else than before."""
        now = _Written(snapshot_id, self._now)
        if now != self._before:
            write_whole(self._path, msgspec.msgpack.encode(now), incoming, durable=False)
