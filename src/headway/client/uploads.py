"""Files sent to a server in parts, each of which may be sent again."""

from collections.abc import Mapping

from headway.client.connection import Connection
from headway.contents import NewUpload
from headway.model import FileEntry
from headway.wire import files as row


class RemoteUploads:
    """Implements ``headway.api.Uploads``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, new: NewUpload) -> int:
        """Announce a file, and return how many bytes of it are here."""
        return self._connection.call(row.BEGIN, new).offset

    def append(self, upload_id: str, offset: int, data: bytes) -> int:
        """Take in a part, and return how many bytes are here."""
        ask = row.AppendUpload(upload_id, offset, data)
        return self._connection.call(row.APPEND_UPLOAD, ask).offset

    def put_file(
        self, run_id: str, path: str, upload_id: str, data: bytes, *, overwrite: bool = False
    ) -> FileEntry:
        """Keep a short file under a name of a run."""
        ask = row.PutFile(run_id, path, upload_id, data, overwrite)
        return self._connection.call(row.PUT, ask)

    def put_files(
        self, run_id: str, files: Mapping[str, str], *, overwrite: bool = False
    ) -> list[FileEntry]:
        """Keep uploads under names of a run, all or none."""
        ask = row.PutFiles(run_id, {**files}, overwrite)
        return self._connection.call(row.PUT_MANY, ask)

    def put_blob(self, upload_id: str) -> None:
        """Keep an upload as a content of a snapshot."""
        self._connection.call(row.PUT_BLOB, row.UploadRequest(upload_id))

    def abandon(self, upload_id: str) -> None:
        """Remove an upload; one that is not here is no error."""
        self._connection.call(row.ABANDON, row.UploadRequest(upload_id))
