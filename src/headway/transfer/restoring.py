"""A workspace made of a backup: whole or not at all, checked against what was kept."""

import os
import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from headway.engines import document
from headway.errors import ConflictError, StorageCorruptError
from headway.hosting.layout import Layout
from headway.hosting.live_files import LiveFiles
from headway.model import RunError, Status
from headway.snapshots.blobs import hash_blocks
from headway.snapshots.tree import unescape
from headway.store import runs, schema
from headway.store.sqlite import SqliteDatabase
from headway.transfer.backup import DATABASE, Progress
from headway.transfer.vault import Entry, Manifest, Vault, copied

_ACTOR: Final = "backup"
_LOST: Final = RunError(
    code="Restored", message="it was going on when the backup was made, and is not going on here"
)


class Restored(msgspec.Struct, frozen=True):
    """What was made of a backup."""

    files: int
    size_bytes: int
    runs: int
    ended: list[str]
    """Runs that were going on when the backup was made; they are Failed now."""


def restore(
    vault: Vault,
    manifest: Manifest,
    folder: Path,
    *,
    clock: Callable[[], int],
    progress: Progress,
) -> Restored:
    """Make a workspace in a folder that is not there or empty.

    Raises:
        ConflictError: There is something in the folder.
        StorageCorruptError: A content is missing or damaged; nothing was made.
        StorageFullError: No space is left; nothing was made.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConflictError(
            f"{folder} is not empty: give a folder that does not exist, and use it with "
            "HEADWAY_WORKSPACE afterwards"
        )
    part = folder.parent / f".{folder.name}.restoring"
    try:
        shutil.rmtree(part, ignore_errors=True)  # what a killed one left
        part.mkdir(parents=True, mode=0o700)
        try:
            restored = _fill(vault, manifest, part, clock, progress)
            os.sync()
            part.rename(folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise
    except OSError as error:
        raise document.storage_error(folder, error) from error
    return restored


def _fill(
    vault: Vault, manifest: Manifest, part: Path, clock: Callable[[], int], progress: Progress
) -> Restored:
    for done, entry in enumerate(manifest.entries):
        progress(done, len(manifest.entries))
        if not entry.link:
            _make(vault, entry, part)
    for entry in manifest.entries:  # links last: nothing is ever written through one
        if entry.link:
            place = _place(part, entry)
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            place.symlink_to(unescape(entry.link))
    layout = Layout(part)
    layout.create()
    with closing(SqliteDatabase(part / DATABASE)) as database:
        ended = _check(database, manifest, clock())
    for path in layout.runs.iterdir():
        LiveFiles(path).renew_marks()
    return Restored(
        files=len(manifest.entries),
        size_bytes=manifest.size_bytes,
        runs=manifest.rows.get("runs", 0),
        ended=ended,
    )


def _make(vault: Vault, entry: Entry, part: Path) -> None:
    place = _place(part, entry)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        source = vault.place(entry.blake3).open("rb", buffering=0)
    except FileNotFoundError as error:
        raise _damaged(vault, entry, "is missing") from error
    with source, place.open("xb", buffering=0) as target:
        found = hash_blocks(copied(source.fileno(), target.fileno(), sys.maxsize))
        target.truncate(found[1])
    if found != (entry.blake3, entry.size_bytes):
        raise _damaged(vault, entry, "is not what was put there")
    place.chmod(entry.mode)
    os.utime(place, ns=(entry.mtime_ns, entry.mtime_ns))


def _place(part: Path, entry: Entry) -> Path:
    """Where an entry belongs; a list that was tampered with leads nowhere else."""
    path = unescape(entry.path)
    if path.startswith("/") or "\0" in path or {"..", ".", ""} & set(path.split("/")):
        raise StorageCorruptError(
            f"the backup names the file {entry.path!r}, which lies in no workspace: it was changed "
            "by hand; use another one"
        )
    return part / path


def _check(database: SqliteDatabase, manifest: Manifest, now: int) -> list[str]:
    """Compare what the database holds with the list, and end what does not go on here."""
    with database.read() as tx:
        problems = [str(row[0]) for row in tx.all("pragma quick_check(5)")]
        rows = schema.count_rows(tx)
    wrong = {table for table, count in manifest.rows.items() if rows.get(table) != count}
    if problems != ["ok"] or wrong:
        what = "; ".join(problems) if problems != ["ok"] else f"other rows in {sorted(wrong)}"
        raise StorageCorruptError(f"the database of the backup is damaged: {what}; use another one")
    ended: list[str] = []
    with database.write() as tx:
        for run_id, _ in runs.live(tx):
            stored = runs.by_id(tx, run_id)
            if stored is None:
                continue
            run = replace(stored.run, status=Status.FAILED, ended_at=now, error=_LOST)
            runs.move(tx, stored.rid, stored.run.status, run)
            runs.add_event(
                tx,
                stored.rid,
                at=now,
                status=Status.FAILED,
                previous=stored.run.status,
                actor=_ACTOR,
                reason=_LOST.message,
            )
            ended.append(run_id)
    return ended


def _damaged(vault: Vault, entry: Entry, what: str) -> StorageCorruptError:
    return StorageCorruptError(
        f"the content of {entry.path!r} in the backup {what} ({vault.place(entry.blake3)}): "
        "'headway backup --check' shows what else is; restore another one with --at"
    )
