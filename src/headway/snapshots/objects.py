"""Snapshots among files that are kept by their content, as in an object store.

The list of files of a snapshot is a content too, and the snapshot's id is its hash. Nothing can be
locked there, so age stands for it: what was asked for or kept within half a day is there for
whoever commits a snapshot, and only what is a day old is ever removed.
"""

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from io import BytesIO
from typing import BinaryIO, Final, Protocol, cast

from blake3 import blake3

from headway.contents import Content
from headway.errors import NotFoundError, StorageCorruptError
from headway.snapshots.arriving import (
    absent_blob,
    bounded,
    check_hash,
    contents_of,
    refuse_absent,
)
from headway.snapshots.base import DAY_S, Contents
from headway.snapshots.blobs import Blob, read_blocks, write_all
from headway.snapshots.tree import HASH, Entry, Manifest, decode
from headway.snapshots.unused import References

_BLOBS: Final = "blobs"
_TREES: Final = "trees"
_FRESH_US: Final = DAY_S * 1_000_000 // 2
_FEW: Final = 50
"""So many contents are asked for one by one; for more, all that there are are listed."""


class Kept(Protocol):
    """A file that is found."""

    @property
    def key(self) -> str:
        """The hash of its content."""
        ...

    @property
    def size_bytes(self) -> int:
        """Its size."""
        ...

    @property
    def modified_at(self) -> int:
        """When it was kept last, in microseconds since the epoch."""
        ...


class Keeper(Protocol):
    """The part of ``headway.files.base.FileStorage`` that is used."""

    def write(self, run_id: str, source: BinaryIO, *, expected: str | None = None) -> object:
        """Keep a content."""
        ...

    def open(self, run_id: str, key: str) -> AbstractContextManager[BinaryIO]:
        """A content."""
        ...

    def remove(self, run_id: str, key: str) -> None:
        """Remove a content."""
        ...

    def find(self, run_id: str, key: str) -> Kept | None:
        """What is known of a content."""
        ...

    def found(self, run_id: str) -> Iterator[Kept]:
        """Every content."""
        ...


def _now() -> int:
    return time.time_ns() // 1000


class KeptSnapshots:
    """A ``SnapshotStorage`` over files that are kept by their content.

    Args:
        keeper: Keeps them.
        clock: The time now, in microseconds since the epoch.
    """

    def __init__(self, keeper: Keeper, *, clock: Callable[[], int] = _now) -> None:
        self._keeper = keeper
        self._clock = clock

    def load(self, snapshot_id: str) -> Manifest:
        """See ``SnapshotStorage.load``."""
        try:
            if not HASH.fullmatch(snapshot_id):
                raise NotFoundError("it is no id")
            with self._keeper.open(_TREES, snapshot_id) as stream:
                return decode(snapshot_id, stream.read())
        except NotFoundError as error:
            raise NotFoundError(
                f"there is no snapshot {snapshot_id!r} in this workspace: give the snapshot_id of "
                "a submitted run"
            ) from error

    @contextmanager
    def contents(self) -> Generator[Contents]:
        """See ``SnapshotStorage.contents``."""
        yield _Contents(self._keeper)

    def missing(self, contents: Sequence[Content]) -> list[str]:
        """See ``SnapshotStorage.missing``."""
        sizes = self._sizes([check_hash(one.blake3) for one in contents], self._clock() - _FRESH_US)
        return [one.blake3 for one in contents if sizes.get(one.blake3) != one.size_bytes]

    def put_blob(self, blake3: str, source: BinaryIO, *, max_bytes: int) -> None:
        """See ``SnapshotStorage.put_blob``."""
        check_hash(blake3)
        stream = cast("BinaryIO", _Bounded(bounded(source, max_bytes)))
        self._keeper.write(_BLOBS, stream, expected=blake3)

    @contextmanager
    def open_blob(self, blake3: str) -> Generator[BinaryIO]:
        """See ``SnapshotStorage.open_blob``."""
        with ExitStack() as stack:
            try:
                stream = stack.enter_context(self._keeper.open(_BLOBS, check_hash(blake3)))
            except NotFoundError as error:
                raise absent_blob(blake3) from error
            yield stream

    def commit(self, manifest: Manifest, content: bytes) -> None:
        """See ``SnapshotStorage.commit``."""
        wanted = contents_of(manifest)
        sizes = self._sizes([one.blake3 for one in wanted], 0)
        absent = [one.blake3 for one in wanted if sizes.get(one.blake3) != one.size_bytes]
        refuse_absent(manifest, absent)
        self._keeper.write(_TREES, BytesIO(content), expected=manifest.id)

    def unused(self, kept_ids: Iterable[str], *, min_age_s: float = DAY_S) -> list[Blob]:
        """See ``SnapshotStorage.unused``."""
        return self._unused(set(kept_ids), min_age_s)[1]

    def remove_unused(self, kept_ids: Iterable[str], *, min_age_s: float = DAY_S) -> list[Blob]:
        """See ``SnapshotStorage.remove_unused``."""
        trees, gone = self._unused(set(kept_ids), min_age_s)
        for snapshot_id in trees:
            self._keeper.remove(_TREES, snapshot_id)
        for blob in gone:
            self._keeper.remove(_BLOBS, blob.blake3)
        return gone

    def _unused(self, kept_ids: set[str], min_age_s: float) -> tuple[list[str], list[Blob]]:
        """The lists of files, and the contents, that nobody needs."""
        before = self._clock() - int(min_age_s * 1e6)
        # Contents first: one that a list names which is written meanwhile is younger.
        old = [one for one in self._keeper.found(_BLOBS) if one.modified_at <= before]
        references = References()
        gone: list[str] = []
        for tree in self._keeper.found(_TREES):
            if tree.key in kept_ids or tree.modified_at > before:
                references.add(self.load(tree.key))
            else:
                gone.append(tree.key)
        return gone, [
            Blob(one.key, one.size_bytes) for one in old if one.key not in references.digests
        ]

    def _sizes(self, digests: Sequence[str], since: int) -> dict[str, int]:
        """The sizes of those contents that are here, and were wanted since then."""
        if len(digests) <= _FEW:
            asked = (self._keeper.find(_BLOBS, digest) for digest in digests)
            found = [one for one in asked if one is not None]
        else:
            found = self._keeper.found(_BLOBS)
        return {one.key: one.size_bytes for one in found if one.modified_at >= since}


class _Contents:
    """Implements ``Contents``."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    def read(self, entry: Entry) -> bytes:
        return b"".join(self.blocks(entry))

    def blocks(self, entry: Entry) -> Generator[bytes]:
        hasher = blake3()
        try:
            with self._keeper.open(_BLOBS, entry.blake3) as stream:
                for block in read_blocks(stream, entry.size_bytes + 1):
                    hasher.update(block)
                    yield block
        except NotFoundError as error:
            raise _damaged(entry) from error
        if hasher.hexdigest() != entry.blake3:
            raise _damaged(entry)

    def copy(self, entry: Entry, out: int) -> None:
        for block in self.blocks(entry):
            write_all(out, block)


def _damaged(entry: Entry) -> StorageCorruptError:
    return StorageCorruptError(
        f"the kept content of {entry.path!r} ({entry.blake3}) is missing or is not what was put "
        "there: submit the run again from its source directory, which keeps it anew"
    )


class _Bounded:
    """Blocks as a stream to read."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks

    def read(self, _: int = -1) -> bytes:
        return next(self._blocks, b"")
