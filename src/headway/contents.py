"""The parts of the seam that carry bytes: files of runs, their sources, and what comes by parts.

``headway.api`` has what they are parts of, and what holds for all verbs.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from headway.model import FileEntry


class Content(msgspec.Struct, frozen=True):
    """Bytes, known by their hash."""

    blake3: str
    """64 hexadecimal digits."""
    size_bytes: int


class NewUpload(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file to be brought in by parts. The caller chooses the id."""

    id: str
    size_bytes: int
    blake3: str | None = None
    """What the whole must have; None where it is not known before."""


class Files(Protocol):
    """Files that belong to a run."""

    def put(
        self, run_id: str, path: str, source: Path | BinaryIO, *, overwrite: bool = False
    ) -> FileEntry:
        """Keep a file under a name of the run.

        Memory use does not depend on the size. A name that is taken raises ``RunFileExistsError``
        unless ``overwrite`` is set; what the run writes itself under ``outputs/`` and ``logs/``
        does not take names, and stands behind what is kept under them. Names are relative, with
        forward slashes, without ``..``.
        """
        ...

    def put_many(
        self, run_id: str, sources: Mapping[str, Path], *, overwrite: bool = False
    ) -> "list[FileEntry]":
        """Keep several files by their names as ``put`` does, all or none."""
        ...

    def append(
        self, run_id: str, path: str, offset: int, data: bytes, *, written_at: int | None = None
    ) -> int:
        """Take in what a log gained that the run's process keeps, and return its size.

        Readers see it at once. Exactly once: of a stretch that begins before the end of what is
        there, only the rest is taken; one that begins behind it is refused with
        ``InvalidValueError``.

        Args:
            run_id: The run, also one that has ended.
            path: A name under ``logs/``; of a run that is executed elsewhere also under
                ``user_logs/`` and ``system_logs/``.
            offset: Where in the log the stretch begins, in bytes.
            data: The stretch.
            written_at: The time at which it had been written; None for now.
        """
        ...

    def clean(self, run_id: str) -> "list[str]":
        """Remove what a run that has ended does not need any more, and return its names.

        That is the copy of its source in which it was executed; its snapshot, files, logs and
        outputs stay. A run that has not ended raises ``RunStateError``.
        """
        ...

    def list(self, run_id: str, prefix: str = "") -> list[FileEntry]:
        """Files by name, ascending; logs are among them, with the size they have now.

        So is what a submitted run wrote into ``outputs/`` and ``logs/`` of its working directory
        by now; what lay there with the source is not.

        Args:
            run_id: The run.
            prefix: Only names that begin with this.
        """
        ...

    def open(self, run_id: str, path: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of a file or a log, to be read in order.

        Where the end of a file that was put is reached and its bytes are not those that were put,
        ``StorageCorruptError`` is raised.
        """
        ...


class Snapshots(Protocol):
    """Source directories, kept as they were."""

    def take(self, run_id: str, source: Path) -> str:
        """Keep a directory, or one file, as what a run was made from, and return the id.

        Equal trees have equal ids and are kept once. A run that has a snapshot raises
        ``ConflictError``; a directory that is too large, or unreadable, ``SnapshotError``.
        """
        ...

    def write_zip(self, snapshot_id: str, target: Path) -> None:
        """Write a snapshot as a zip file; an absent id raises ``NotFoundError``."""
        ...

    def diff(self, before: str, after: str) -> Iterator[str]:
        """What changed from one snapshot to another, as lines of a patch that git can read."""
        ...

    # A snapshot comes from elsewhere as its list of files, and the contents that are lacking here.

    def missing(self, contents: Sequence[Content]) -> list[str]:
        """The hashes of those contents that are not kept here; the others stay for a day at least.

        At most as many at once as a snapshot may have files.
        """
        ...

    def put_blob(self, blake3: str, source: Path | BinaryIO) -> None:
        """Keep a content of a snapshot under its hash; again, it does nothing.

        Bytes that have another hash are refused with ``InvalidValueError``, as are more bytes than
        a snapshot may have.
        """
        ...

    def put_blobs(self, blobs: Mapping[str, bytes]) -> None:
        """Keep many short contents under their hashes, as ``put_blob`` does.

        Where one is refused, others may be kept.
        """
        ...

    def open_blob(self, blake3: str) -> AbstractContextManager[BinaryIO]:
        """A content of a snapshot, to be read in order; an absent one raises ``NotFoundError``."""
        ...

    def manifest(self, snapshot_id: str) -> bytes:
        """The list of files of a snapshot, as ``headway.snapshots.tree`` defines it."""
        ...

    def commit(self, manifest: bytes, run_id: str | None = None) -> str:
        """Keep a snapshot whose contents are kept already, and return its id.

        A list that cannot be read, or is larger than a snapshot may be, raises
        ``InvalidValueError``; one that names a content that is not here ``ConflictError``.

        Args:
            manifest: The list of files.
            run_id: The run that was made from it, which then has it as its snapshot; as for
                ``take``, it may have no other one.
        """
        ...


class Uploads(Protocol):
    """Files brought in by parts, each exactly once, to be given a place when they are whole.

    What is given no place within a day is removed.
    """

    def begin(self, new: NewUpload) -> int:
        """Announce a file, and return how many bytes of it are here.

        Again with an equal request, it says where to go on; with another one it raises
        ``ConflictError``.
        """
        ...

    def append(self, upload_id: str, offset: int, data: bytes) -> int:
        """Take in a part, and return how many bytes are here.

        Of a part that begins before the end of what is here, only the rest is taken; one that
        begins behind it, or reaches beyond the size that was announced, is refused with
        ``InvalidValueError``.
        """
        ...

    def put_file(
        self, run_id: str, path: str, upload_id: str, data: bytes, *, overwrite: bool = False
    ) -> FileEntry:
        """Keep a short file under a name of a run: begin, append and put_files in one request.

        Args:
            run_id: The run.
            path: The name.
            upload_id: Made for this request, which may then be repeated.
            data: The content.
            overwrite: Whether to replace a file of this name.
        """
        ...

    def put_files(
        self, run_id: str, files: Mapping[str, str], *, overwrite: bool = False
    ) -> list[FileEntry]:
        """Keep uploads under names of a run, as ``Files.put_many`` does, all or none.

        May be repeated: a name that the same upload was kept under is not taken. An upload that is
        not whole raises ``ConflictError``; one whose bytes do not have the hash that was announced
        ``InvalidValueError``.

        Args:
            run_id: The run.
            files: Ids of uploads by the names under which to keep them.
            overwrite: Whether to replace files of these names.
        """
        ...

    def put_blob(self, upload_id: str) -> None:
        """Keep an upload as a content of a snapshot; its hash must have been announced."""
        ...

    def abandon(self, upload_id: str) -> None:
        """Remove an upload; one that is not here is no error."""
        ...
