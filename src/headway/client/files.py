"""Files of runs of a workspace on a server."""

import uuid
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from headway.client.connection import Connection
from headway.client.downloads import opened
from headway.client.sending import send_file, send_files
from headway.client.uploads import RemoteUploads
from headway.hosting.layout import Layout
from headway.hosting.live_files import LiveFiles
from headway.model import FileEntry
from headway.wire import files as row
from headway.wire.runs import RunRequest


class RemoteFiles:
    """Implements ``headway.api.Files``.

    Args:
        connection: The way to the server.
        uploads: For files of more than one part.
        layout: Where runs are that are executed on this machine.
    """

    def __init__(self, connection: Connection, uploads: RemoteUploads, layout: Layout) -> None:
        self._connection = connection
        self._uploads = uploads
        self._layout = layout

    def put(
        self, run_id: str, path: str, source: Path | BinaryIO, *, overwrite: bool = False
    ) -> FileEntry:
        """Keep a file under a name of the run."""
        kept: list[FileEntry] = []

        def at_once(data: bytes) -> None:
            once = uuid.uuid4().hex
            kept.append(self._uploads.put_file(run_id, path, once, data, overwrite=overwrite))

        upload_id = send_file(self._uploads, source, at_once)
        if upload_id is not None:
            kept += self._uploads.put_files(run_id, {path: upload_id}, overwrite=overwrite)
        return kept[0]

    def put_many(
        self, run_id: str, sources: Mapping[str, Path], *, overwrite: bool = False
    ) -> "list[FileEntry]":
        """Keep several files by their names, all or none."""
        sent = send_files(self._uploads, sources)
        return self._uploads.put_files(run_id, sent, overwrite=overwrite)

    def append(
        self, run_id: str, path: str, offset: int, data: bytes, *, written_at: int | None = None
    ) -> int:
        """Take in what a log gained that the run's process keeps, and return its size."""
        ask = row.AppendLog(run_id, path, offset, data, written_at)
        return self._connection.call(row.APPEND, ask).offset

    def clean(self, run_id: str) -> "list[str]":
        """Remove what a run that has ended does not need any more, and return its names.

        The copy of its source is on the machine where it was executed.
        """
        there = self._connection.call(row.CLEAN, RunRequest(run_id))
        return [*there, *LiveFiles(self._layout.run(run_id)).clean()]

    def open(self, run_id: str, path: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of a file or a log, to be read in order."""
        return opened(self._connection, row.OPEN, row.OpenFile(run_id, path))

    def list(  # the last of the class: its name is that of the type
        self, run_id: str, prefix: str = ""
    ) -> list[FileEntry]:
        """Files by name, ascending."""
        return self._connection.call(row.LIST, row.ListFiles(run_id, prefix))
