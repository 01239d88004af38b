"""Operations about snapshots: the contents that a server lacks, and lists of files."""

from typing import Final

import msgspec

from headway.accounts import Scope
from headway.contents import Content
from headway.wire.operation import PART_BYTES, Body, Done, Operation, Stream

MANIFEST_BYTES: Final = 32 << 20
"""The longest list of files of a snapshot that is taken in."""


class Contents(msgspec.Struct, frozen=True):
    """Contents by their hashes."""

    contents: list[Content]


class PutBlobs(msgspec.Struct, frozen=True):
    """Contents that are short."""

    blobs: dict[str, bytes]
    """By their hashes."""


class OpenBlob(msgspec.Struct, frozen=True):
    """The bytes of a content."""

    blake3: str
    offset: int = 0


class SnapshotRequest(msgspec.Struct, frozen=True):
    """One snapshot."""

    snapshot_id: str
    offset: int = 0
    """Where in what is sent to begin, in bytes."""


class Commit(msgspec.Struct, frozen=True):
    """A snapshot whose contents are there."""

    data: bytes
    """Its list of files."""
    run_id: str | None = None
    """The run that was made from it."""


class SnapshotId(msgspec.Struct, frozen=True):
    """The id of a snapshot."""

    snapshot_id: str


class Compare(msgspec.Struct, frozen=True):
    """Two snapshots."""

    before: str
    after: str
    offset: int = 0


MISSING: Final = Operation(
    name="snapshots.missing",
    method="POST",
    path="/blobs:missing",
    request=Contents,
    answer=list[str],
    scope=Scope.WRITE,
    most_bytes=MANIFEST_BYTES,
    help="The hashes of those contents that are not kept here.",
)
PUT_BLOBS: Final = Operation(
    name="snapshots.put_blob",
    method="POST",
    path="/blobs",
    request=PutBlobs,
    answer=Done,
    scope=Scope.WRITE,
    sends=Body.PACKED,
    most_bytes=2 * PART_BYTES,
    help="Keep short contents under their hashes; again, it does nothing.",
)
OPEN_BLOB: Final = Operation(
    name="snapshots.open_blob",
    method="GET",
    path="/blobs/{blake3}",
    request=OpenBlob,
    answer=Stream,
    scope=Scope.READ,
    gives=Body.BYTES,
    help="A content of a snapshot.",
)
MANIFEST: Final = Operation(
    name="snapshots.manifest",
    method="GET",
    path="/snapshots/{snapshot_id}",
    request=SnapshotRequest,
    answer=Stream,
    scope=Scope.READ,
    gives=Body.BYTES,
    help="The list of files of a snapshot.",
)
COMMIT: Final = Operation(
    name="snapshots.commit",
    method="POST",
    path="/snapshots",
    request=Commit,
    answer=SnapshotId,
    scope=Scope.WRITE,
    sends=Body.BYTES,
    most_bytes=MANIFEST_BYTES,
    help="Keep a snapshot whose contents are kept already, and return its id.",
)
ZIP: Final = Operation(
    name="snapshots.write_zip",
    method="GET",
    path="/snapshots/{snapshot_id}/zip",
    request=SnapshotRequest,
    answer=Stream,
    scope=Scope.READ,
    gives=Body.BYTES,
    help="A snapshot as a zip file.",
)
DIFF: Final = Operation(
    name="snapshots.diff",
    method="GET",
    path="/snapshots/{before}/diff/{after}",
    request=Compare,
    answer=Stream,
    scope=Scope.READ,
    gives=Body.BYTES,
    help="What changed from one snapshot to another, as a patch that git can read.",
)

OPERATIONS: Final = (
    MISSING,
    PUT_BLOBS,
    OPEN_BLOB,
    MANIFEST,
    COMMIT,
    ZIP,
    DIFF,
)
