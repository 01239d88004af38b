"""Files of runs in an object store: ``<root>/<holder>/files/<hash>``.

The name of an object is the hash of its content, which is known when all of it was read. So a
large file goes to ``<root>/incoming/`` first and is copied within the store; a small one, and one
whose hash was announced, goes to its place at once.
"""

import re
import secrets
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, cast

from blake3 import blake3

from headway.checks import check_run_id
from headway.errors import NotFoundError, RunFileNotFoundError, StorageBusyError
from headway.files.base import (
    FileStorage,
    KeptFile,
    OpenedFile,
    SizedStream,
    StoredFile,
    check_expected,
    no_key,
    open_source,
    read_block,
)
from headway.files.object_store import ObjectStore

_KEY: Final = re.compile(r"[0-9a-f]{64}")
_INCOMING: Final = "incoming"
_SMALL_BLOCKS: Final = 3
"""So many blocks are held, to be sent to their place in one request."""
_FRESH_US: Final = 3_600_000_000
"""What is older is sent again, so that its age tells whoever collects when it was last wanted."""
_LEFT_US: Final = 86_400_000_000
"""What has been in ``incoming`` for longer belongs to nobody."""


def _now() -> int:
    return time.time_ns() // 1000


class ObjectFiles:
    """A ``FileStorage`` in an object store.

    Args:
        store: The store.
        root: The path below which all objects lie.
        clock: The time now, in microseconds since the epoch.
    """

    def __init__(self, store: ObjectStore, root: str, *, clock: Callable[[], int] = _now) -> None:
        self._store = store
        self._root = root
        self._clock = clock

    def write(
        self, run_id: str, source: Path | BinaryIO, *, expected: str | None = None
    ) -> StoredFile:
        """See ``FileStorage.write``."""
        check_run_id(run_id)
        with open_source(source) as stream:
            if expected is not None and not _KEY.fullmatch(expected):
                raise no_key(expected)
            kept = expected and self._fresh(run_id, expected)
            if kept:
                return kept
            return self._write(run_id, stream, expected)

    @contextmanager
    def open(self, run_id: str, key: str) -> Generator[BinaryIO]:
        """See ``FileStorage.open``."""
        path = self._path(run_id, key)
        try:
            stream = self._store.open(path)
        except NotFoundError as error:
            raise RunFileNotFoundError(
                f"run {run_id} has no file with the key {key}: it was removed, or the object store "
                f"was changed by hand ({error.message})"
            ) from error
        with stream:
            yield stream

    def link(self, run_id: str, key: str, source: FileStorage, source_id: str) -> bool:
        """See ``FileStorage.link``."""
        if not isinstance(source, ObjectFiles) or source._store is not self._store:
            return False
        try:
            self._store.copy(source._path(source_id, key), self._path(run_id, key))
        except (NotFoundError, StorageBusyError):  # too large to be copied in one request, perhaps
            return False
        return True

    def remove(self, run_id: str, key: str) -> None:
        """See ``FileStorage.remove``."""
        self._store.delete([self._path(run_id, key)])

    def find(self, run_id: str, key: str) -> KeptFile | None:
        """See ``FileStorage.find``."""
        found = self._store.find(self._path(run_id, key))
        return found and KeptFile(key, found.size_bytes, found.modified_at)

    def found(self, run_id: str) -> Iterator[KeptFile]:
        """See ``FileStorage.found``."""
        for one in self._store.below(self._folder(run_id)):
            key = one.path.rpartition("/")[2]
            if _KEY.fullmatch(key):
                yield KeptFile(key, one.size_bytes, one.modified_at)

    def holders(self) -> Iterator[str]:
        """See ``FileStorage.holders``."""
        yield from (name for name in self._store.folders(self._root) if name != _INCOMING)

    def remove_abandoned(self) -> int:
        """Remove what writers that were killed have left, and return its bytes."""
        before = self._clock() - _LEFT_US
        left = self._store.below(f"{self._root}/{_INCOMING}")
        gone = [one for one in left if one.modified_at < before]
        self._store.delete(one.path for one in gone)
        return sum(one.size_bytes for one in gone)

    # ------------------------------------------------------------

    def _write(self, run_id: str, stream: BinaryIO, expected: str | None) -> StoredFile:
        begin: list[bytes] = []
        while len(begin) < _SMALL_BLOCKS and (block := read_block(stream)):
            begin.append(block)
        if len(begin) < _SMALL_BLOCKS:
            return self._write_small(run_id, b"".join(begin), expected)
        hashing = _Hashing(chain(_drained(begin), iter(lambda: read_block(stream), b"")), expected)
        sized = cast("object", stream)
        size = sized.size_bytes if isinstance(sized, OpenedFile | SizedStream) else 0
        if expected is not None:
            self._store.put(self._path(run_id, expected), hashing, size=size)
            return hashing.stored
        part = f"{self._root}/{_INCOMING}/{secrets.token_hex(16)}"
        try:
            self._store.put(part, hashing, size=size)
            if self._fresh(run_id, hashing.stored.key) is None:
                self._move(part, self._path(run_id, hashing.stored.key), hashing.stored.size_bytes)
        finally:
            self._store.delete([part])
        return hashing.stored

    def _write_small(self, run_id: str, content: bytes, expected: str | None) -> StoredFile:
        digest = blake3(content).hexdigest()
        check_expected(expected, digest)
        if self._fresh(run_id, digest) is None:
            self._store.put_whole(self._path(run_id, digest), content)
        return StoredFile(key=digest, size_bytes=len(content), blake3=digest)

    def _move(self, part: str, target: str, size: int) -> None:
        try:
            self._store.copy(part, target)
        except StorageBusyError:
            # S3 copies up to 5 GB in one request; what is larger passes through here once more.
            self._store.put(target, self._store.blocks(part, 0), size=size)

    def _fresh(self, run_id: str, key: str) -> StoredFile | None:
        """A content that is kept already, and not so old that it might be collected now."""
        found = self.find(run_id, key)
        if found is None or found.modified_at < self._clock() - _FRESH_US:
            return None
        return StoredFile(key=key, size_bytes=found.size_bytes, blake3=key)

    def _path(self, run_id: str, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise no_key(key)
        return f"{self._folder(run_id)}/{key}"

    def _folder(self, run_id: str) -> str:
        return f"{self._root}/{check_run_id(run_id)}/files"


class _Hashing:
    """Blocks that are hashed as they pass; at their end, the hash must be the one expected."""

    def __init__(self, blocks: Iterator[bytes], expected: str | None) -> None:
        self._blocks = blocks
        self._expected = expected
        self._hasher = blake3()
        self._size = 0

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            self._hasher.update(block)
            self._size += len(block)
            yield block
        check_expected(self._expected, self._hasher.hexdigest())

    @property
    def stored(self) -> StoredFile:
        """What has passed."""
        digest = self._hasher.hexdigest()
        return StoredFile(key=digest, size_bytes=self._size, blake3=digest)


def _drained(blocks: list[bytes]) -> Iterator[bytes]:
    """The blocks, each let go as soon as it was given."""
    while blocks:
        yield blocks.pop(0)
