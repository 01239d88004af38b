"""Files brought in by parts.

An upload is a holder of three logs: what was announced, what has come of the content, and, as soon
as it was kept, what it is then. So each part counts once, whichever process it is sent to, and a
request to keep it may be repeated when its content is gone already.
"""

from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from typing import BinaryIO, Final, NamedTuple, TypeVar

import msgspec

from headway.checks import check_run_id
from headway.contents import NewUpload
from headway.errors import ConflictError, InvalidValueError, NotFoundError, TooLargeError
from headway.files.base import FileStorage, Logs, StoredFile, check_expected
from headway.files.log_reading import open_log
from headway.model import FileEntry
from headway.service.files import FileService
from headway.settings import Settings
from headway.snapshots.arriving import check_hash
from headway.snapshots.base import SnapshotStorage

_T = TypeVar("_T")
_ANNOUNCED: Final = "announced"
_CONTENT: Final = "content"
_KEPT: Final = "kept"
_MOST_BYTES: Final = 1 << 50
_LITTLE: Final = 1 << 20
"""As much as anything but a content has."""


class Abandoned(NamedTuple):
    """An upload that nobody has finished."""

    upload_id: str
    size_bytes: int


class UploadService:
    """Implements ``headway.api.Uploads``.

    Args:
        parts: Where parts are kept.
        files: Of runs.
        storage: Keeps the files of runs.
        snapshots: Keeps the contents of snapshots.
        settings: The limits.
    """

    def __init__(
        self,
        parts: Logs,
        files: FileService,
        storage: FileStorage,
        snapshots: SnapshotStorage,
        settings: Settings,
    ) -> None:
        self._parts = parts
        self._files = files
        self._storage = storage
        self._snapshots = snapshots
        self._settings = settings

    def begin(self, new: NewUpload) -> int:
        """Announce a file, and return how many bytes of it are here."""
        check_run_id(new.id)
        if not 0 <= new.size_bytes <= _MOST_BYTES:
            raise TooLargeError(
                f"the size of upload {new.id} was given as {new.size_bytes} bytes: give 0 to "
                f"{_MOST_BYTES}"
            )
        if new.blake3 is not None:
            check_hash(new.blake3)
        known = self._find(new.id)
        if known is None:
            self._parts.append(new.id, _ANNOUNCED, 0, msgspec.json.encode(new))
        elif known != new:
            raise ConflictError(
                f"upload {new.id} was announced with {known.size_bytes} bytes and the BLAKE3 hash "
                f"{known.blake3}: choose another id"
            )
        if self._kept(new.id) is not None:
            return new.size_bytes
        return self._parts.size(new.id, _CONTENT) or 0

    def append(self, upload_id: str, offset: int, data: bytes) -> int:
        """Take in a part, and return how many bytes are here."""
        announced = self._get(upload_id)
        if offset + len(data) > announced.size_bytes:
            raise InvalidValueError(
                f"a part of upload {upload_id} ends at {offset + len(data)}, but "
                f"{announced.size_bytes} bytes were announced: send no more than these"
            )
        if self._kept(upload_id) is not None:
            return announced.size_bytes
        return self._parts.append(upload_id, _CONTENT, offset, data)

    def put_file(
        self, run_id: str, path: str, upload_id: str, data: bytes, *, overwrite: bool = False
    ) -> FileEntry:
        """Keep a short file under a name of a run."""
        check_run_id(upload_id)
        self._files.check_names(run_id, [path])
        stored = self._storage.write(run_id, BytesIO(data))
        again = {path} if self._kept(upload_id) is not None else set[str]()
        if not again:
            self._note(upload_id, stored)
        names = {path: stored}
        return self._files.put_stored(run_id, names, overwrite=overwrite, again=again)[0]

    def put_files(
        self, run_id: str, files: Mapping[str, str], *, overwrite: bool = False
    ) -> list[FileEntry]:
        """Keep uploads under names of a run, all or none."""
        self._files.check_names(run_id, files)
        again = {path for path, upload_id in files.items() if self._kept(upload_id) is not None}
        stored = {
            path: self.keep(upload_id, self._storage, run_id) for path, upload_id in files.items()
        }
        entries = self._files.put_stored(run_id, stored, overwrite=overwrite, again=again)
        self.release(files.values())
        return entries

    def put_blob(self, upload_id: str) -> None:
        """Keep an upload as a content of a snapshot."""
        blake3 = self._get(upload_id).blake3
        if blake3 is None:
            raise InvalidValueError(
                f"upload {upload_id} was announced without a hash: announce contents of snapshots "
                "with theirs"
            )
        if self._kept(upload_id) is None:
            with self._whole(upload_id) as stream:
                most = self._settings.max_snapshot_bytes
                self._snapshots.put_blob(blake3, stream, max_bytes=most)
            size = self._get(upload_id).size_bytes
            self._note(upload_id, StoredFile(key=blake3, size_bytes=size, blake3=blake3))
        self.release([upload_id])

    def abandon(self, upload_id: str) -> None:
        """Remove an upload; one that is not here is no error."""
        self._parts.remove(check_run_id(upload_id))

    # ------------------------------------------------------------ for those who give it a place

    def keep(self, upload_id: str, storage: FileStorage, holder: str) -> StoredFile:
        """Keep an upload in a storage; again, it says what was kept.

        Raises:
            NotFoundError: There is no such upload.
            ConflictError: It is not whole.
            InvalidValueError: Its bytes do not have the hash that was announced.
        """
        announced = self._get(upload_id)
        kept = self._kept(upload_id)
        if kept is not None and storage.find(holder, kept.key) is not None:
            return kept
        with self._whole(upload_id) as stream:
            stored = storage.write(holder, stream, expected=announced.blake3)
        check_expected(announced.blake3, stored.blake3)
        self._note(upload_id, stored)
        return stored

    def release(self, upload_ids: Iterable[str]) -> None:
        """Remove the contents of uploads that have their place now."""
        for upload_id in upload_ids:
            self._parts.remove(upload_id, _CONTENT)

    def collect(self, before: int, *, dry_run: bool) -> Iterator[Abandoned]:
        """Remove uploads that nobody has added to since a time.

        Args:
            before: The time, in microseconds since the epoch.
            dry_run: Only say which.
        """
        for upload_id in self._parts.holders():
            logs = self._parts.list(upload_id)
            if all(log.modified_at <= before for log in logs):
                yield Abandoned(upload_id, sum(log.size_bytes for log in logs))
                if not dry_run:
                    self._parts.remove(upload_id)

    # ------------------------------------------------------------

    def _find(self, upload_id: str) -> NewUpload | None:
        content = self._parts.read(upload_id, _ANNOUNCED, 0, _LITTLE)
        return _decoded(content, NewUpload)

    def _get(self, upload_id: str) -> NewUpload:
        found = self._find(check_run_id(upload_id))
        if found is None:
            raise NotFoundError(
                f"there is no upload {upload_id!r}: it was not announced, was abandoned, or lay "
                "untouched for more than a day; announce it, and send it again"
            )
        return found

    def _whole(self, upload_id: str) -> BinaryIO:
        announced = self._get(upload_id)
        size = self._parts.size(upload_id, _CONTENT) or 0
        if size != announced.size_bytes:
            raise ConflictError(
                f"upload {upload_id} has {size} of {announced.size_bytes} bytes: send the rest "
                "first"
            )
        return open_log(self._parts, upload_id, _CONTENT)

    def _kept(self, upload_id: str) -> StoredFile | None:
        content = self._parts.read(upload_id, _KEPT, 0, _LITTLE)
        return _decoded(content, StoredFile)

    def _note(self, upload_id: str, stored: StoredFile) -> None:
        self._parts.append(upload_id, _KEPT, 0, msgspec.json.encode(stored))


def _decoded(content: bytes, kind: type[_T]) -> _T | None:
    """What was noted; None where that was not, or in part only: it is noted again then."""
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError:
        return None
