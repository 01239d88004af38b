"""A backup of an embedded workspace that goes on being used meanwhile.

The database is copied first, as of one moment, then the files that it names. Where one of them was
removed in between, with its run, the database is copied again.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from headway.errors import StorageCorruptError
from headway.hosting.layout import Layout
from headway.snapshots.tree import escape
from headway.store import migrations, schema
from headway.store.sqlite import SqliteDatabase
from headway.transfer.vault import Entry, Manifest, Vault

DATABASE: Final = "headway.db"
_MOST_REPEATS: Final = 4
_SKIPPED: Final = frozenset(
    {
        DATABASE,
        "headway.db-wal",
        "headway.db-shm",
        "migrate.lock",
        "journals",  # taken in before the database is copied
        "owners",
        "uploads",  # of files that are not whole yet
        "snapshots/seen",
        "snapshots/incoming",
    }
)
_UNFINISHED: Final = (".part-", "headway.before-")
_LIVE: Final = frozenset({"lock", "tree.json", "ticket.json"})
"""What means something only on the machine and in the folder where a run lives."""

Progress = Callable[[int, int], None]
"""Told how many files are done, of how many."""


class Report(msgspec.Struct, frozen=True):
    """What a backup came to."""

    name: str
    manifest: Manifest
    copied: int
    """Files that were not there from a backup before."""
    copied_bytes: int
    removed: list[str]
    """Older backups that made room."""


def back_up(
    layout: Layout,
    database: SqliteDatabase,
    vault: Vault,
    *,
    drain: Callable[[], None],
    clock: Callable[[], int],
    keep: int,
    progress: Progress,
) -> Report:
    """Write a backup of a workspace.

    Args:
        layout: The workspace's folder.
        database: Its database.
        vault: Where backups are.
        drain: Takes in what was logged by now.
        clock: The time, in microseconds.
        keep: So many of the newest backups stay.
        progress: Told how far it is.

    Raises:
        ConflictError: Another one is being written there.
        StorageFullError: No space is left; the backups of before are untouched.
        StorageError: The folder cannot be written.
    """
    with vault.writing():
        work = _Work(layout, database, vault, _last(vault), progress)
        manifest = _as_of_now(work, drain, clock)
        for _ in range(_MOST_REPEATS):
            if not manifest.missing or work.are_missing_still(manifest.missing):
                break
            manifest = _as_of_now(work, drain, clock)
        name = vault.commit(manifest)
        removed = vault.remove_older(keep)
    return Report(name, manifest, work.copied, work.copied_bytes, removed)


class _Work:
    """One backup while it is made."""

    def __init__(
        self,
        layout: Layout,
        database: SqliteDatabase,
        vault: Vault,
        last: Manifest | None,
        progress: Progress,
    ) -> None:
        self._layout = layout
        self._database = database
        self._vault = vault
        self._known = {one.path: one for one in last.entries} if last else {}
        self._progress = progress
        self.copied = 0
        self.copied_bytes = 0

    def attempt(self, now: int) -> Manifest:
        """Keep the database as it is now, and then all files."""
        copy = self._vault.incoming / DATABASE
        copy.unlink(missing_ok=True)
        self._database.copy_to(copy, lambda left, total: self._progress(total - left, total))
        with closing(SqliteDatabase(copy)) as opened, opened.read() as tx:
            described = Manifest(
                format="headway-backup",
                version=1,
                created_at=now,
                workspace=schema.workspace_name(tx),
                schema=migrations.current(tx),
                rows=schema.count_rows(tx),
                entries=[],
            )
            named = set(schema.named_files(tx))
            run_ids = set(schema.run_ids(tx))
        for suffix in ("-wal", "-shm"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)
        content = self._vault.keep(copy)
        copy.unlink()
        (self._vault.incoming / "migrate.lock").unlink(missing_ok=True)
        database = Entry(DATABASE, content.blake3, content.size_bytes, now * 1000)
        entries = [database, *self._files(run_ids)]
        missing = sorted(named - {entry.path for entry in entries})
        return replace(described, entries=entries, missing=missing)

    def are_missing_still(self, paths: list[str]) -> bool:
        """Whether the database names these files also now, and they are not there."""
        with self._database.read() as tx:
            named = set(schema.named_files(tx))
        return any(path in named and not (self._layout.root / path).exists() for path in paths)

    def _files(self, run_ids: set[str]) -> Iterator[Entry]:
        paths = list(_paths(self._layout.root, run_ids))
        for done, path in enumerate(paths):
            self._progress(done, len(paths))
            with suppress(FileNotFoundError, NotADirectoryError):
                entry = self._entry(path)
                if entry is not None:
                    yield entry

    def _entry(self, path: str) -> Entry | None:
        place = self._layout.root / path
        found = place.lstat()
        if stat.S_ISLNK(found.st_mode):
            return Entry(escape(path), link=escape(os.readlink(place)))  # noqa: PTH115  (a text)
        if not stat.S_ISREG(found.st_mode):
            return None
        mode = stat.S_IMODE(found.st_mode)
        before = self._known.get(escape(path))
        if (
            before is not None
            and (before.size_bytes, before.mtime_ns) == (found.st_size, found.st_mtime_ns)
            and self._vault.has(before.blake3, before.size_bytes)
        ):
            return replace(before, mode=mode)
        content = self._vault.keep(place)
        self.copied += content.copied
        self.copied_bytes += content.size_bytes if content.copied else 0
        return Entry(escape(path), content.blake3, content.size_bytes, found.st_mtime_ns, mode)


def _as_of_now(work: _Work, drain: Callable[[], None], clock: Callable[[], int]) -> Manifest:
    drain()
    return work.attempt(clock())


def _last(vault: Vault) -> Manifest | None:
    for name in reversed(vault.names()):
        with suppress(StorageCorruptError):
            return vault.load(name)
    return None


def _paths(root: Path, run_ids: set[str]) -> Iterator[str]:
    """Every file that may belong to a backup, relative to the workspace."""
    for folder, folders, names in os.walk(root):
        below = Path(folder).relative_to(root).as_posix()
        prefix = "" if below == "." else f"{below}/"
        in_runs = below == "runs"
        folders[:] = sorted(
            name
            for name in folders
            if f"{prefix}{name}" not in _SKIPPED
            and not name.startswith(_UNFINISHED)
            and (not in_runs or name in run_ids)
        )
        is_run = below.startswith("runs/") and below.count("/") == 1
        for name in sorted(names) + [one for one in folders if Path(folder, one).is_symlink()]:
            path = f"{prefix}{name}"
            if path in _SKIPPED or name.startswith(_UNFINISHED) or (is_run and name in _LIVE):
                continue
            yield path
