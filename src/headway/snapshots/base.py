"""The contract of a place that keeps snapshots.

``headway.testing.snapshot_storage_contract`` holds every implementation to it.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Final, Protocol

from headway.contents import Content
from headway.snapshots.blobs import Blob
from headway.snapshots.tree import Entry, Manifest

DAY_S: Final = 86_400


class Contents(Protocol):
    """The contents of files, each checked as it is read."""

    def read(self, entry: Entry) -> bytes:
        """The whole content of a file."""
        ...

    def blocks(self, entry: Entry) -> Generator[bytes]:
        """The content of a file; that it is damaged is told when the last of it was read."""
        ...

    def copy(self, entry: Entry, out: int) -> None:
        """Write the content of a file to an open one."""
        ...


class SnapshotStorage(Protocol):
    """Keeps lists of files, and the contents of these, each once by its hash.

    Any thread and any number of processes may call at once. What is kept is durable when a call
    returns.
    """

    def load(self, snapshot_id: str) -> Manifest:
        """What belongs to a snapshot.

        Raises:
            NotFoundError: There is no such snapshot.
            StorageCorruptError: It is damaged.
        """
        ...

    def contents(self) -> AbstractContextManager[Contents]:
        """The contents of all files, to be read."""
        ...

    def missing(self, contents: Sequence[Content]) -> list[str]:
        """The hashes of contents that are lacking; the others stay for half a day at least."""
        ...

    def put_blob(self, blake3: str, source: BinaryIO, *, max_bytes: int) -> None:
        """Keep a content under its hash; what is kept already need not be read.

        Raises:
            InvalidValueError: It is no hash, not that of the content, or the content is larger
                than ``max_bytes``; nothing was kept.
        """
        ...

    def open_blob(self, blake3: str) -> AbstractContextManager[BinaryIO]:
        """A content, unchecked; an absent one raises ``NotFoundError``."""
        ...

    def commit(self, manifest: Manifest, content: bytes) -> None:
        """Keep a list of files, as ``headway.snapshots.tree`` encodes it.

        Raises:
            ConflictError: A content that it names is not kept.
        """
        ...

    def unused(self, kept_ids: Iterable[str], *, min_age_s: float = DAY_S) -> list[Blob]:
        """The contents that ``remove_unused`` would remove now."""
        ...

    def remove_unused(self, kept_ids: Iterable[str], *, min_age_s: float = DAY_S) -> list[Blob]:
        """Remove the snapshots that no run has, and the contents that no other snapshot holds.

        Args:
            kept_ids: The snapshots of all runs.
            min_age_s: What was taken, asked for or kept more recently stays: its run may not have
                been written down when ``kept_ids`` was read.

        Returns:
            The contents that were removed.
        """
        ...
