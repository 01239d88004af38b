"""Files of runs, and uploads."""

from typing import Final

from headway.model import FileEntry
from headway.server.context import Context
from headway.server.handlers.binding import bind, bind_stream
from headway.wire import files as row
from headway.wire.operation import Done
from headway.wire.runs import Offset


def _put(context: Context, ask: row.PutFile) -> FileEntry:
    return context.api.uploads.put_file(
        ask.run_id, ask.path, ask.upload_id, ask.data, overwrite=ask.overwrite
    )


def _put_many(context: Context, ask: row.PutFiles) -> list[FileEntry]:
    return context.api.uploads.put_files(ask.run_id, ask.files, overwrite=ask.overwrite)


def _append(context: Context, ask: row.AppendLog) -> Offset:
    files = context.api.files
    size = files.append(ask.run_id, ask.path, ask.offset, ask.data, written_at=ask.written_at)
    return Offset(size)


def _append_upload(context: Context, ask: row.AppendUpload) -> Offset:
    return Offset(context.api.uploads.append(ask.upload_id, ask.offset, ask.data))


def _put_blob(context: Context, ask: row.UploadRequest) -> Done:
    context.api.uploads.put_blob(ask.upload_id)
    return Done()


def _abandon(context: Context, ask: row.UploadRequest) -> Done:
    context.api.uploads.abandon(ask.upload_id)
    return Done()


HANDLERS: Final = (
    bind(row.PUT, _put),
    bind(row.PUT_MANY, _put_many),
    bind(row.APPEND, _append),
    bind(row.CLEAN, lambda c, ask: c.api.files.clean(ask.run_id)),
    bind(row.LIST, lambda c, ask: c.api.files.list(ask.run_id, ask.prefix)),
    bind_stream(row.OPEN, lambda c, ask: c.api.files.open(ask.run_id, ask.path)),
    bind(row.BEGIN, lambda c, ask: Offset(c.api.uploads.begin(ask))),
    bind(row.APPEND_UPLOAD, _append_upload),
    bind(row.PUT_BLOB, _put_blob),
    bind(row.ABANDON, _abandon),
)
