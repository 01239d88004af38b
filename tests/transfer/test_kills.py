"""kill -9 in the middle: what was there before is there, or what was to be; never between."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.transfer.conftest import Make, fill
from tests.transfer.move_contract import counts, moved
from tests.transfer.test_backups import bring_back, save
from tests.transfer.test_exports import send, take_in, told

from headway.errors import RunNotFoundError
from headway.hosting.layout import Layout
from headway.model import Status
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.store.sqlite import SqliteDatabase
from headway.transfer.parcel import Parcel
from headway.transfer.vault import Vault
from headway.upkeep import PurgeOrder

ROOT = Path(__file__).resolve().parents[2]
RUNS = ("parent", "child", "failed")

at_any_time = pytest.mark.parametrize("part", [0.1, 0.5, 0.85, 1.0])
"""Of all steps so many are done when it is killed."""

Prepare = Callable[[str], list[str]]
"""From a word to the arguments of the operation, on files made for that word."""


def run(step: int, operation: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.transfer.killed", str(step), operation, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )


def kill(operation: str, part: float, prepare: Prepare) -> None:
    """Do it once to count its steps, and once to be killed at one of them."""
    whole = run(0, operation, prepare("whole"))
    assert whole.returncode == 0, whole.stderr
    steps = int(whole.stdout)
    assert steps > 10
    killed = run(max(1, round(part * steps)), operation, prepare("killed"))
    assert killed.returncode == -signal.SIGKILL, killed.stderr


def opened(folder: Path) -> EmbeddedWorkspace:
    return open_workspace(folder, load_settings({}))


def location(api: EmbeddedWorkspace) -> Path:
    return Path(api.info().location)


@at_any_time
def test_a_killed_purge_leaves_runs_whole_or_gone(tmp_path: Path, part: float) -> None:
    def prepare(word: str) -> list[str]:
        with closing(opened(tmp_path / word)) as api:
            fill(api)
            api.runs.delete(["parent", "failed"])
        return [str(tmp_path / word)]

    kill("purge", part, prepare)
    layout = Layout(tmp_path / "killed")
    with closing(opened(layout.root)) as api:
        for run_id in RUNS:
            try:
                found = api.runs.get(run_id)
            except RunNotFoundError:
                continue
            assert found.deleted_at is not None
            entries = api.files.list(run_id)
            assert bool(entries) == (run_id != "failed")
            assert told(api, run_id)["files"].keys() == {entry.path for entry in entries}
        api.upkeep.purge(PurgeOrder())
        assert sorted(os.listdir(layout.runs)) == []
        assert api.upkeep.collect() == []


@at_any_time
def test_a_killed_backup_leaves_those_of_before(make: Make, tmp_path: Path, part: float) -> None:
    api = make()
    fill(api)

    def prepare(word: str) -> list[str]:
        save(api, Vault(tmp_path / word))
        api.files.put("failed", f"{word}.bin", io.BytesIO(word.encode()))
        return [str(location(api)), str(tmp_path / word)]

    kill("backup", part, prepare)
    vault = Vault(tmp_path / "killed")
    assert len(vault.names()) in {1, 2}
    for number, name in enumerate(vault.names()):
        assert list(vault.damages(vault.load(name), lambda done, count: None)) == []
        assert bring_back(vault, tmp_path / f"copy-{number}", name).runs == 4
    again = save(api, vault, keep=1, at=9)
    assert vault.names() == [again.name]
    assert list(vault.damages(vault.load(), lambda done, count: None)) == []
    assert os.listdir(vault.incoming) == []


@at_any_time
def test_a_killed_restore_leaves_nothing_or_all(make: Make, tmp_path: Path, part: float) -> None:
    api = make()
    fill(api)
    vault = Vault(tmp_path / "backups")
    save(api, vault)

    def prepare(word: str) -> list[str]:
        return [str(vault.folder), str(tmp_path / word)]

    kill("restore", part, prepare)
    if not (tmp_path / "killed").exists():
        bring_back(vault, tmp_path / "killed")
    assert not (tmp_path / ".killed.restoring").exists()
    with closing(opened(tmp_path / "killed")) as copy:
        for run_id in RUNS:
            assert told(copy, run_id) == told(api, run_id)
        assert copy.runs.get("living").status is Status.FAILED


@at_any_time
def test_a_killed_export_leaves_nothing_or_all(make: Make, tmp_path: Path, part: float) -> None:
    api = make()
    fill(api)

    def prepare(word: str) -> list[str]:
        return [str(location(api)), str(tmp_path / word)]

    kill("export", part, prepare)
    if not (tmp_path / "killed").exists():
        send(api, tmp_path / "killed", "csv")
    Parcel(tmp_path / "killed").check(lambda done, count: None)
    assert not (tmp_path / ".killed.exporting").exists()


@at_any_time
def test_a_killed_import_goes_on_where_it_was(make: Make, tmp_path: Path, part: float) -> None:
    api = make()
    fill(api)
    source = send(api, tmp_path / "out", "csv")

    def prepare(word: str) -> list[str]:
        return [str(source), str(tmp_path / word)]

    kill("import", part, prepare)
    with closing(opened(tmp_path / "killed")) as target:
        take_in(target, source)
        for run_id in RUNS:
            assert told(target, run_id) == told(api, run_id)


@at_any_time
def test_a_killed_move_leaves_nothing_or_all(make: Make, tmp_path: Path, part: float) -> None:
    api = make()
    fill(api)
    api.runs.end("living", Status.CANCELED)
    source = Layout(location(api)).database

    def prepare(word: str) -> list[str]:
        return [str(source), str(tmp_path / f"{word}.db")]

    kill("move", part, prepare)
    with (
        closing(SqliteDatabase(source)) as origin,
        closing(SqliteDatabase(tmp_path / "killed.db")) as target,
    ):
        if not any(counts(target).values()):
            moved(origin, target)
        assert counts(target) == counts(origin)
