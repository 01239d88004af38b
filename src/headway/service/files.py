"""Files and logs of runs in an embedded workspace.

Uploaded files are in the file storage, with a row each. What a run writes itself is read where it
stands, and what is sent of its logs is kept as it comes (``run_logs``). Where both have a name, the
uploaded one counts.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import repeat
from pathlib import Path
from typing import BinaryIO, Final

from headway.checks import check_file_path
from headway.errors import RunFileExistsError, RunFileNotFoundError, RunStateError
from headway.files.base import FileStorage, Logs, StoredFile
from headway.files.checking import checked_stream
from headway.hosting.layout import Layout
from headway.hosting.live_files import PROGRAM_LOGS, RECORDS, LiveFiles
from headway.model import FileEntry, LogPart
from headway.service.lookup import find_rid, find_run
from headway.service.run_logs import RunLogs
from headway.settings import Settings
from headway.store import files
from headway.store.base import Database, Transaction
from headway.store.files import StoredFileRow

_WRITERS: Final = 8


class FileService:
    """Implements ``headway.api.Files``."""

    def __init__(
        self,
        database: Database,
        layout: Layout,
        storage: FileStorage,
        logs: Logs,
        settings: Settings,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._layout = layout
        self._storage = storage
        self._logs = RunLogs(layout, logs, clock)
        self._settings = settings
        self._clock = clock

    def put(
        self, run_id: str, path: str, source: Path | BinaryIO, *, overwrite: bool = False
    ) -> FileEntry:
        """Keep a file under a name of the run."""
        return self._put(run_id, {path: source}, overwrite)[0]

    def put_many(
        self, run_id: str, sources: Mapping[str, Path], *, overwrite: bool = False
    ) -> list[FileEntry]:
        """Keep several files, all or none."""
        return self._put(run_id, sources, overwrite)

    def append(
        self, run_id: str, path: str, offset: int, data: bytes, *, written_at: int | None = None
    ) -> int:
        """Take in a stretch of a log that the run's process keeps; the size after it."""
        check_file_path(path, self._settings.max_file_path_chars)
        with self._database.read() as tx:
            find_rid(tx, run_id)
        return self._logs.append(run_id, path, offset, data, written_at)

    def put_stored(
        self, run_id: str, stored: Mapping[str, StoredFile], *, overwrite: bool, again: set[str]
    ) -> list[FileEntry]:
        """Give names to files that the storage has, all or none.

        Args:
            run_id: The run.
            stored: The files by their names.
            overwrite: Whether to replace files of these names.
            again: Names that may have been given to their files by the same request before.
        """
        rows = {path: self._row(path, one) for path, one in stored.items()}
        with self._database.write() as tx:
            rid = find_rid(tx, run_id)
            for path, row in rows.items():
                known = files.by_path(tx, rid, path)
                if path in again and known and known.entry.blake3 == row.entry.blake3:
                    rows[path] = known
                    continue
                self._check_free(tx, run_id, [path], overwrite)
                files.put(tx, rid, row)
        return [row.entry for row in rows.values()]

    def check_names(self, run_id: str, paths: Iterable[str]) -> None:
        """Refuse what no file of a run can be called, and a run that is not there."""
        for path in paths:
            check_file_path(path, self._settings.max_file_path_chars)
        with self._database.read() as tx:
            find_rid(tx, run_id)

    def open(self, run_id: str, path: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of a file or a log, to be read in order."""
        with self._database.read() as tx:
            row = files.by_path(tx, find_rid(tx, run_id), path)
        if row is not None:
            stored = self._storage.open(run_id, row.storage_key)
            return checked_stream(stored, row.entry.blake3, f"the file {path!r} of run {run_id}")
        found = self._logs.open(run_id, path)
        if found is not None:
            return found
        names = ", ".join(entry.path for entry in self.list(run_id)[:20]) or "none"
        raise RunFileNotFoundError(f"run {run_id} has no file {path!r}; its files are: {names}")

    def kept(self, run_id: str, path: str) -> StoredFileRow | None:
        """A file that is kept for good; None for one that the run itself may still write to."""
        with self._database.read() as tx:
            return files.by_path(tx, find_rid(tx, run_id), path)

    def list(self, run_id: str, prefix: str = "") -> list[FileEntry]:
        """Files by name, ascending; logs are among them, with the size they have now."""
        with self._database.read() as tx:
            entries = {entry.path: entry for entry in files.of_run(tx, find_rid(tx, run_id))}
        for entry in self._logs.all(run_id):
            entries.setdefault(entry.path, entry)
        return [entries[path] for path in sorted(entries) if path.startswith(prefix)]

    def clean(self, run_id: str) -> "list[str]":
        """Remove the source from the working directory of a run that has ended."""
        with self._database.read() as tx:
            run = find_run(tx, run_id).run
        if not run.status.ended:
            raise RunStateError(
                f"run {run_id} is {run.status}: its working directory is removed when it has "
                "ended; cancel it, or wait for it"
            )
        return self._live(run_id).clean()

    def read_log(self, run_id: str, path: str, offset: int, limit: int) -> LogPart:
        """A stretch of a log; empty where it does not exist yet or has nothing more."""
        check_file_path(path, self._settings.max_file_path_chars)
        return self._logs.read(run_id, path, offset, limit)

    def log_offset(self, run_id: str, path: str, at: int) -> int:
        """Where in a log that stands which was written after a time."""
        check_file_path(path, self._settings.max_file_path_chars)
        return self._logs.offset_at(run_id, path, at)

    def _put(
        self, run_id: str, sources: Mapping[str, Path | BinaryIO], overwrite: bool
    ) -> "list[FileEntry]":
        for path in sources:
            check_file_path(path, self._settings.max_file_path_chars)
        with self._database.read() as tx:
            self._check_free(tx, run_id, sources, overwrite)
        if len(sources) > 1:
            # Each waits for the disk most of the time, and what waits together is written together.
            with ThreadPoolExecutor(_WRITERS, thread_name_prefix="headway-files") as pool:
                stored = pool.map(self._store, repeat(run_id), sources, sources.values())
                rows = list(stored)
        else:
            rows = [self._store(run_id, *one) for one in sources.items()]
        with self._database.write() as tx:
            rid = self._check_free(tx, run_id, sources, overwrite)
            for row in rows:
                files.put(tx, rid, row)
        return [row.entry for row in rows]

    def _store(self, run_id: str, path: str, source: Path | BinaryIO) -> StoredFileRow:
        return self._row(path, self._storage.write(run_id, source))

    def _row(self, path: str, stored: StoredFile) -> StoredFileRow:
        check_file_path(path, self._settings.max_file_path_chars)
        entry = FileEntry(
            path=path,
            size_bytes=stored.size_bytes,
            blake3=stored.blake3,
            created_at=self._clock(),
        )
        return StoredFileRow(entry, stored.key)

    def _check_free(
        self,
        tx: Transaction,
        run_id: str,
        sources: Iterable[str],
        overwrite: bool,
    ) -> int:
        """The key of the run's rows, if all names may be used."""
        rid = find_rid(tx, run_id)
        for path in () if overwrite else sources:
            if files.by_path(tx, rid, path) is not None or self._is_record(run_id, path):
                raise RunFileExistsError(
                    f"run {run_id} has a file {path!r} already: choose another name, or pass "
                    "overwrite=True"
                )
        return rid

    def _is_record(self, run_id: str, path: str) -> bool:
        """Whether a file of this name was written by whoever executes the run."""
        mine = path.startswith((PROGRAM_LOGS, RECORDS))
        return mine and self._logs.has(run_id, path)

    def _live(self, run_id: str) -> LiveFiles:
        return LiveFiles(self._layout.run(run_id))
