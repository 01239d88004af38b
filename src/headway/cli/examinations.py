"""What ``headway doctor`` looks at; each examination says what it found and what to do about it."""

import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from headway.cli import times
from headway.engines import cgroup
from headway.engines.folder import RunFolder
from headway.errors import HeadwayError, StorageError
from headway.hosting import owners
from headway.hosting.claims import Claim
from headway.hosting.layout import Layout
from headway.metrics import drain
from headway.model import MetricQuery
from headway.service.workspace import open_workspace
from headway.settings import Settings
from headway.store import migrations, runs
from headway.store.filesystem import filesystem_of, refuse_network_filesystem
from headway.store.sqlite import SqliteDatabase

_PYTHON: Final = (3, 11)
_LITTLE_BYTES: Final = 1 << 30
_TOO_LITTLE_BYTES: Final = 64 << 20
_FRESH_S: Final = 60.0
"""A lock file younger than this may belong to a process that is just about to lock it."""
_FIX: Final = "mend it with 'headway doctor --fix'"


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(NamedTuple):
    """What an examination found."""

    name: str
    state: State
    text: str
    advice: str = ""


# ---------------------------------------------------------------- the machine


def python() -> Finding:
    """Whether this Python is new enough."""
    version = platform.python_version()
    if sys.version_info[:2] < _PYTHON:
        return Finding("python", State.FAIL, version, "install Python 3.11 or later")
    return Finding("python", State.OK, f"{version}, {sys.executable}")


def sqlite() -> Finding:
    """Whether SQLite works here: a database is made, written and thrown away."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            database = SqliteDatabase(Path(folder, "headway.db"))
            with closing(database), database.read() as tx:
                [[version]] = tx.all("select sqlite_version()")
    except (StorageError, OSError) as error:
        return Finding("sqlite", State.FAIL, str(error))
    return Finding("sqlite", State.OK, str(version))


def cgroups() -> Finding:
    """Whether runs can have control groups of their own."""
    made = cgroup.make("doctor")
    if made is None:
        text = "not available to this user: processes are found one by one, which works as well"
        return Finding("cgroup v2", State.OK, text)
    cgroup.remove(made)
    return Finding("cgroup v2", State.OK, "available: each run gets a group of its own")


# ---------------------------------------------------------------- the workspace


def future_workspace(layout: Layout) -> list[Finding]:
    """What can be said before there is a workspace."""
    text = f"none yet at {layout.root}; it is made when it is first used"
    folder = next(parent for parent in layout.root.parents if parent.is_dir())
    return [Finding("workspace", State.OK, text), *_disk(folder)]


def workspace(layout: Layout, settings: Settings, *, fix: bool) -> list[Finding]:
    """Everything about an existing workspace."""
    findings = [Finding("workspace", State.OK, str(layout.root)), *_disk(layout.root)]
    if any(finding.state is State.FAIL for finding in findings):
        return findings
    try:
        with closing(SqliteDatabase(layout.database, busy_timeout_s=5.0)) as database:
            findings += _database(database)
            with database.read() as tx:
                living = runs.live(tx)
            strays = list(_stray_folders(layout, database, remove=fix))
    except StorageError as error:
        advice = (
            "keep a copy of headway.db; logs and outputs under runs/ can be read without it. A "
            "copy made before a migration lies beside it as headway.before-N.db"
        )
        return [*findings, Finding("database", State.FAIL, error.message, advice)]
    return [
        *findings,
        _lost_runs(layout, settings, living, fix=fix),
        _journals(layout, settings, fix=fix),
        _owners(layout, fix=fix),
        _strays(layout, strays, fix=fix),
    ]


def _disk(folder: Path) -> Iterator[Finding]:
    yield _writable(folder)
    yield _filesystem(folder)
    yield _free_space(folder)


def _writable(folder: Path) -> Finding:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"headway")
    except OSError as error:
        text = f"{folder} cannot be written: {error.strerror}"
        advice = "mend its permissions, or choose another folder with HEADWAY_WORKSPACE"
        return Finding("writable", State.FAIL, text, advice)
    return Finding("writable", State.OK, f"{folder} can be written")


def _filesystem(folder: Path) -> Finding:
    try:
        kind = filesystem_of(folder, Path("/proc/self/mountinfo").read_text(encoding="utf-8"))
        refuse_network_filesystem(folder)
    except OSError:
        return Finding("file system", State.WARN, "unknown here", "keep it on a local disk")
    except StorageError as error:
        return Finding("file system", State.FAIL, error.message)
    return Finding("file system", State.OK, f"{kind}, local")


def _free_space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    text = f"{times.size(free)} free"
    advice = "free some, or move the workspace to a larger disk"
    if free < _TOO_LITTLE_BYTES:
        return Finding("disk space", State.FAIL, text, advice)
    return Finding("disk space", State.WARN if free < _LITTLE_BYTES else State.OK, text)


def _database(database: SqliteDatabase) -> Iterator[Finding]:
    with database.read() as tx:
        yield Finding("schema", State.OK, f"version {migrations.current(tx)}, current")
        problems = [str(row[0]) for row in tx.all("pragma quick_check(5)")]
    if problems == ["ok"]:
        yield Finding("database", State.OK, "quick_check found nothing wrong")
    else:
        text = f"quick_check found: {'; '.join(problems)}"
        advice = "keep a copy of headway.db, and export what can be read with --json"
        yield Finding("database", State.FAIL, text, advice)


def _lost_runs(
    layout: Layout, settings: Settings, living: list[tuple[str, str | None]], *, fix: bool
) -> Finding:
    lost = [run_id for run_id, owner in living if _is_lost(layout, run_id, owner)]
    if not lost:
        return Finding("runs", State.OK, f"{len(living)} live, all with their process")
    if not fix:
        text = f"{_count(lost, 'run')} not ended although the process is gone: {_few(lost)}"
        return Finding("runs", State.WARN, text, f"{_FIX}; so does whoever reads them")
    ended: list[str] = []
    with closing(open_workspace(layout.root, settings)) as api:
        problems = list(
            _attempts(lost, lambda run_id: ended.append(f"{run_id} {api.runs.get(run_id).status}"))
        )
    if problems:
        advice = f"look at the folder of that name in {layout.runs}"
        return Finding("runs", State.WARN, _few(problems), advice)
    return Finding("runs", State.OK, f"brought to their end: {_few(ended)}")


def _is_lost(layout: Layout, run_id: str, owner: str | None) -> bool:
    if owner is not None:
        return not owners.is_alive(layout.owners / owner)
    folder = RunFolder(layout.run(run_id))
    return folder.spec_file.exists() and not folder.alive()


def _journals(layout: Layout, settings: Settings, *, fix: bool) -> Finding:
    left = sorted({one.run_id for one in drain.journals(layout.journals) if not one.alive})
    if not left:
        return Finding("journals", State.OK, "nothing left over")
    if not fix:
        text = f"metrics of {_count(left, 'run')} not taken in yet: {_few(left)}"
        return Finding("journals", State.WARN, text, f"{_FIX}; so does whoever reads them")
    with closing(open_workspace(layout.root, settings)) as api:
        problems = list(_attempts(left, lambda run: api.metrics.summarize(MetricQuery(run_id=run))))
    if problems:
        advice = f"look at {layout.journals}; a folder there may be removed if its run is gone"
        return Finding("journals", State.WARN, _few(problems), advice)
    return Finding("journals", State.OK, f"took in what {_count(left, 'run')} had logged")


def _attempts(run_ids: list[str], act: Callable[[str], object]) -> Iterator[str]:
    """What went wrong where."""
    for run_id in run_ids:
        try:
            act(run_id)
        except HeadwayError as error:
            yield f"{run_id}: {error.message}"


def _owners(layout: Layout, *, fix: bool) -> Finding:
    stale = [path for path in layout.owners.iterdir() if _is_stale(path)]
    if not stale:
        return Finding("owner locks", State.OK, "each with its process")
    text = _count([path.name for path in stale], "lock file")
    if not fix:
        return Finding("owner locks", State.WARN, f"{text} of processes that are gone", _FIX)
    for path in stale:
        path.unlink(missing_ok=True)
    return Finding("owner locks", State.OK, f"removed {text} of processes that are gone")


def _is_stale(path: Path) -> bool:
    if owners.is_alive(path):
        return False
    try:
        return time.time() - path.stat().st_mtime > _FRESH_S
    except FileNotFoundError:
        return False


def _stray_folders(layout: Layout, database: SqliteDatabase, *, remove: bool) -> Iterator[str]:
    """What submitters left that were killed before their run existed.

    Who holds a folder may still make its run; so it is held here while that is looked up.
    """
    for path in filter(Path.is_dir, layout.runs.iterdir()):
        with database.read() as tx:
            if runs.rid_of(tx, path.name) is not None:
                continue
        claim = Claim.of(RunFolder(path))
        if claim is None:
            continue
        with closing(claim), database.read() as tx:
            if runs.rid_of(tx, path.name) is None:
                yield path.name
                if remove:
                    shutil.rmtree(path)


def _strays(layout: Layout, strays: list[str], *, fix: bool) -> Finding:
    if not strays:
        return Finding("run folders", State.OK, "each with its run")
    text = f"{_count(strays, 'folder')} of interrupted submissions in {layout.runs}"
    if not fix:
        return Finding("run folders", State.WARN, text, _FIX)
    return Finding("run folders", State.OK, f"removed {text}")


def _count(items: list[str], word: str) -> str:
    return f"{len(items)} {word}" if len(items) == 1 else f"{len(items)} {word}s"


def _few(items: list[str]) -> str:
    return ", ".join(items[:3]) + (f" and {len(items) - 3} more" if len(items) > 3 else "")
