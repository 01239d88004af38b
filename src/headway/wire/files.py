"""Operations about files of runs, and about uploads, by which longer ones come in."""

from typing import Final

import msgspec

from headway.accounts import Scope
from headway.contents import NewUpload
from headway.model import FileEntry
from headway.wire.operation import Body, Done, Operation, Stream
from headway.wire.runs import Offset, RunRequest


class PutFile(msgspec.Struct, frozen=True):
    """A file of one part to be kept under a name of a run."""

    run_id: str
    path: str
    upload_id: str
    """Chosen by the caller, so that the request may be repeated."""
    data: bytes
    overwrite: bool = False


class PutFiles(msgspec.Struct, frozen=True):
    """Uploads to be kept under names of a run, all or none."""

    run_id: str
    files: dict[str, str]
    """Ids of uploads by the names under which to keep them."""
    overwrite: bool = False


class AppendLog(msgspec.Struct, frozen=True):
    """What a log gained."""

    run_id: str
    path: str
    offset: int
    data: bytes
    written_at: int | None = None
    """When it had been written, in microseconds; null for now."""


class ListFiles(msgspec.Struct, frozen=True):
    """Files of a run by name."""

    run_id: str
    prefix: str = ""


class OpenFile(msgspec.Struct, frozen=True):
    """The bytes of a file of a run."""

    run_id: str
    path: str
    offset: int = 0
    """Where to begin, in bytes."""


class AppendUpload(msgspec.Struct, frozen=True):
    """A part of an upload."""

    upload_id: str
    offset: int
    data: bytes


class UploadRequest(msgspec.Struct, frozen=True):
    """One upload."""

    upload_id: str


PUT: Final = Operation(
    name="files.put",
    method="PUT",
    path="/runs/{run_id}/file",
    request=PutFile,
    answer=FileEntry,
    scope=Scope.WRITE,
    sends=Body.BYTES,
    help="Keep a file of one part under a name of a run.",
)
PUT_MANY: Final = Operation(
    name="files.put_many",
    method="POST",
    path="/runs/{run_id}/files",
    request=PutFiles,
    answer=list[FileEntry],
    scope=Scope.WRITE,
    help="Keep uploads under names of a run, all or none.",
)
APPEND: Final = Operation(
    name="files.append",
    method="POST",
    path="/runs/{run_id}/log",
    request=AppendLog,
    answer=Offset,
    scope=Scope.WRITE,
    sends=Body.BYTES,
    help="Take in what a log gained that the run's process keeps, and say how long it is now.",
)
CLEAN: Final = Operation(
    name="files.clean",
    method="POST",
    path="/runs/{run_id}/clean",
    request=RunRequest,
    answer=list[str],
    scope=Scope.WRITE,
    help="Remove what a run that has ended does not need any more, and say what that was.",
)
LIST: Final = Operation(
    name="files.list",
    method="GET",
    path="/runs/{run_id}/files",
    request=ListFiles,
    answer=list[FileEntry],
    scope=Scope.READ,
    help="Files of a run by name, ascending; logs are among them, with the size they have now.",
)
OPEN: Final = Operation(
    name="files.open",
    method="GET",
    path="/runs/{run_id}/file",
    request=OpenFile,
    answer=Stream,
    scope=Scope.READ,
    gives=Body.BYTES,
    help="The bytes of a file or a log.",
)

BEGIN: Final = Operation(
    name="uploads.begin",
    method="POST",
    path="/uploads",
    request=NewUpload,
    answer=Offset,
    scope=Scope.WRITE,
    help="Announce a file that comes in parts, and say how much of it is here.",
)
APPEND_UPLOAD: Final = Operation(
    name="uploads.append",
    method="POST",
    path="/uploads/{upload_id}",
    request=AppendUpload,
    answer=Offset,
    scope=Scope.WRITE,
    sends=Body.BYTES,
    help="Take in a part, exactly once, and say how much is here.",
)
PUT_BLOB: Final = Operation(
    name="uploads.put_blob",
    method="POST",
    path="/uploads/{upload_id}/blob",
    request=UploadRequest,
    answer=Done,
    scope=Scope.WRITE,
    help="Keep an upload as a content of a snapshot.",
)
ABANDON: Final = Operation(
    name="uploads.abandon",
    method="DELETE",
    path="/uploads/{upload_id}",
    request=UploadRequest,
    answer=Done,
    scope=Scope.WRITE,
    help="Remove an upload; one that is not here is no error.",
)

OPERATIONS: Final = (
    PUT,
    PUT_MANY,
    APPEND,
    CLEAN,
    LIST,
    OPEN,
    BEGIN,
    APPEND_UPLOAD,
    PUT_BLOB,
    ABANDON,
)
