"""Files and logs of runs in an embedded workspace.

Uploaded files are in the file storage, with a row each. What a submitted run writes itself (its
logs, and ``outputs/`` in its working directory), and what was noted of it when it was submitted, is
read where it stands, so it is there while the run lives; only regular files that do not lead out
of their folder are seen.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from headway.checks import check_file_path
from headway.engines import log_times
from headway.engines.folder import RunFolder
from headway.errors import RunFileExistsError, RunFileNotFoundError
from headway.files.base import FileStorage
from headway.model import FileEntry, LogPart
from headway.service import logs
from headway.service.layout import Layout
from headway.service.lookup import find_rid
from headway.settings import Settings
from headway.store import files
from headway.store.base import Database, Transaction
from headway.store.files import StoredFileRow

LOGS = "user_logs"
RECORDS = "system_logs"
OUTPUTS = "outputs"


class FileService:
    """Implements ``headway.api.Files``."""

    def __init__(
        self,
        database: Database,
        layout: Layout,
        storage: FileStorage,
        settings: Settings,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._layout = layout
        self._storage = storage
        self._settings = settings
        self._clock = clock

    def put(
        self, run_id: str, path: str, source: Path | BinaryIO, *, overwrite: bool = False
    ) -> FileEntry:
        """Keep a file under a name of the run."""
        check_file_path(path, self._settings.max_file_path_chars)
        with self._database.read() as tx:
            self._check_free(tx, run_id, path, overwrite)
        stored = self._storage.write(run_id, source)
        entry = FileEntry(
            path=path,
            size_bytes=stored.size_bytes,
            blake3=stored.blake3,
            created_at=self._clock(),
        )
        with self._database.write() as tx:
            rid = self._check_free(tx, run_id, path, overwrite)
            files.put(tx, rid, StoredFileRow(entry, stored.key))
        return entry

    def open(self, run_id: str, path: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of a file or a log, to be read in order."""
        with self._database.read() as tx:
            row = files.by_path(tx, find_rid(tx, run_id), path)
        if row is not None:
            return self._storage.open(run_id, row.storage_key)
        for entry, where in self._live(run_id):
            if entry.path == path:
                if path.startswith(f"{LOGS}/"):
                    return logs.open_log(self._layout.run(run_id), where)
                return where.open("rb")
        names = ", ".join(entry.path for entry in self.list(run_id)[:20]) or "none"
        raise RunFileNotFoundError(f"run {run_id} has no file {path!r}; its files are: {names}")

    def list(self, run_id: str, prefix: str = "") -> list[FileEntry]:
        """Files by name, ascending; logs are among them, with the size they have now."""
        with self._database.read() as tx:
            entries = {entry.path: entry for entry in files.of_run(tx, find_rid(tx, run_id))}
        for entry, _ in self._live(run_id):
            entries.setdefault(entry.path, entry)
        return [entries[path] for path in sorted(entries) if path.startswith(prefix)]

    def read_log(self, run_id: str, path: str, offset: int, limit: int) -> LogPart:
        """A stretch of a log; empty where it does not exist yet or has nothing more."""
        return logs.read(self._layout.run(run_id), self._log_file(run_id, path), offset, limit)

    def log_offset(self, run_id: str, path: str, at: int) -> int:
        """Where in a log that stands which was written after a time."""
        name = self._log_file(run_id, path).name
        return log_times.offset_at(log_times.times_file(self._layout.run(run_id), name), at)

    def _log_file(self, run_id: str, path: str) -> Path:
        name = check_file_path(path, self._settings.max_file_path_chars)
        if not name.startswith(f"{LOGS}/"):
            raise RunFileNotFoundError(
                f"{path!r} is not a log: the logs of a run are under {LOGS}/"
            )
        return self._layout.run(run_id) / name

    def _check_free(self, tx: Transaction, run_id: str, path: str, overwrite: bool) -> int:
        rid = find_rid(tx, run_id)
        taken = files.by_path(tx, rid, path) is not None or any(
            entry.path == path for entry, _ in self._live(run_id)
        )
        if taken and not overwrite:
            raise RunFileExistsError(
                f"run {run_id} has a file {path!r} already: choose another name, or pass "
                "overwrite=True"
            )
        return rid

    def _live(self, run_id: str) -> Iterator[tuple[FileEntry, Path]]:
        """Files that a submitted run writes itself."""
        folder = RunFolder(self._layout.run(run_id))
        yield from _regular_files(folder.path / LOGS, LOGS)
        yield from _regular_files(folder.path / RECORDS, RECORDS)
        yield from _regular_files(folder.work_dir / OUTPUTS, OUTPUTS)


def _regular_files(root: Path, name: str) -> Iterator[tuple[FileEntry, Path]]:
    if root.is_symlink():
        return
    for folder, _, names in os.walk(root):
        for file in names:
            where = Path(folder, file)
            try:
                found = where.lstat()
            except FileNotFoundError:
                continue
            if stat.S_ISREG(found.st_mode):
                path = f"{name}/{where.relative_to(root).as_posix()}"
                yield (
                    FileEntry(
                        path=path,
                        size_bytes=found.st_size,
                        blake3=None,
                        created_at=found.st_mtime_ns // 1000,
                    ),
                    where,
                )
