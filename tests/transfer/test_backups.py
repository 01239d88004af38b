"""Backups of a workspace in use, and workspaces made of them."""

import io
import os
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.transfer.conftest import Make, fill
from tests.transfer.test_exports import told

from headway.errors import (
    ConflictError,
    NotFoundError,
    StorageCorruptError,
    StorageError,
    StorageFullError,
)
from headway.hosting.layout import Layout
from headway.model import NewRun, RunQuery, Status
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.store.sqlite import SqliteDatabase
from headway.testing.api.requests import log
from headway.transfer import vault as vaults
from headway.transfer.backup import Report, back_up
from headway.transfer.restoring import Restored, restore
from headway.transfer.vault import Entry, Vault
from headway.upkeep import PurgeOrder


def save(api: EmbeddedWorkspace, vault: Vault, keep: int = 3, at: int = 1) -> Report:
    layout = Layout(Path(api.info().location))
    with closing(SqliteDatabase(layout.database)) as database:
        return back_up(
            layout,
            database,
            vault,
            drain=api.metrics.drain_all,
            clock=lambda: at,
            keep=keep,
            progress=lambda done, count: None,
        )


def bring_back(vault: Vault, folder: Path, name: str | None = None) -> Restored:
    return restore(
        vault, vault.load(name), folder, clock=lambda: 5, progress=lambda done, count: None
    )


def opened(folder: Path) -> EmbeddedWorkspace:
    return open_workspace(folder, load_settings({}))


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "backups")


def test_a_workspace_made_of_a_backup_is_as_it_was(
    filled: EmbeddedWorkspace, vault: Vault, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.py").write_text("1")
    filled.snapshots.take("parent", source)
    report = save(filled, vault)
    assert (report.manifest.rows["runs"], report.manifest.missing) == (4, [])
    restored = bring_back(vault, tmp_path / "copy")
    assert (restored.runs, restored.ended) == (4, ["living"])
    with closing(opened(tmp_path / "copy")) as copy:
        for run_id in ("parent", "child", "failed"):
            expected = told(filled, run_id)
            expected["run"] = filled.runs.get(run_id)
            assert {**told(copy, run_id), "run": copy.runs.get(run_id)} == expected
        living = copy.runs.get("living")
        assert living.error is not None
        assert (living.status, living.error.code) == (Status.FAILED, "Restored")
        snapshot_id = copy.runs.get("parent").snapshot_id
        assert snapshot_id is not None
        copy.snapshots.write_zip(snapshot_id, tmp_path / "a.zip")
    assert filled.runs.get("living").status is Status.RUNNING


def test_what_did_not_change_is_not_copied_again(filled: EmbeddedWorkspace, vault: Vault) -> None:
    first = save(filled, vault, at=1)
    assert first.copied > 0
    second = save(filled, vault, at=2)
    assert second.copied == 0
    filled.files.put("failed", "new.bin", io.BytesIO(b"new"))
    assert save(filled, vault, at=3).copied == 1


def test_older_backups_and_what_only_they_hold_are_removed(
    filled: EmbeddedWorkspace, vault: Vault, tmp_path: Path
) -> None:
    filled.files.put("failed", "big.bin", io.BytesIO(os.urandom(50_000)))
    first = save(filled, vault, keep=2, at=1)
    filled.runs.delete(["failed"])
    filled.upkeep.purge(PurgeOrder())
    second = save(filled, vault, keep=2, at=2)
    assert second.removed == []
    assert bring_back(vault, tmp_path / "first", first.name).runs == 4
    assert bring_back(vault, tmp_path / "second").runs == 3
    size = _size(vault.folder)
    third = save(filled, vault, keep=1, at=3)
    assert third.removed == [first.name, second.name]
    assert _size(vault.folder) < size - 50_000
    assert list(vault.damages(vault.load(), lambda done, count: None)) == []


def test_a_backup_under_load_is_as_of_one_moment(make: Make, vault: Vault, tmp_path: Path) -> None:
    api = make()
    experiment_id = api.experiments.ensure("e").id
    stop = threading.Event()
    made: list[str] = []

    def work() -> None:
        while not stop.is_set():
            run_id = f"r-{len(made)}"
            api.runs.create([NewRun(run_id, experiment_id, started=True)])
            api.files.put(run_id, "a", io.BytesIO(run_id.encode()))
            log(api, run_id, lambda writer: writer.log("x", 1))
            api.runs.end(run_id, Status.COMPLETED)
            made.append(run_id)
            if len(made) % 3 == 0:
                api.runs.delete([run_id])
                api.upkeep.purge(PurgeOrder())

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(4):
            assert save(api, vault, keep=9, at=number + 1).manifest.missing == []
    finally:
        stop.set()
        worker.join()
    for number, name in enumerate(vault.names()):
        folder = tmp_path / f"copy-{number}"
        bring_back(vault, folder, name)
        with closing(opened(folder)) as copy:
            for run in copy.runs.list(RunQuery(filter="status = 'Completed'", limit=9999)).runs:
                with copy.files.open(run.id, "a") as stream:
                    assert stream.read() == run.id.encode()


def test_a_backup_goes_to_a_folder_of_its_own(filled: EmbeddedWorkspace, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(ConflictError, match="something else than backups"):
        save(filled, Vault(tmp_path / "mine"))
    assert os.listdir(tmp_path / "mine") == ["thesis.tex"]


def test_two_backups_to_one_folder_do_not_mix(filled: EmbeddedWorkspace, vault: Vault) -> None:
    with vault.writing(), pytest.raises(ConflictError, match="wait for its end"):
        save(filled, vault)
    save(filled, vault)


def test_a_backup_on_a_full_disk_leaves_those_of_before(
    filled: EmbeddedWorkspace, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = save(filled, vault).name

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(vaults, "write_all", full)
        filled.files.put("failed", "new.bin", io.BytesIO(b"new"))
        with pytest.raises(StorageFullError, match="free some"):
            save(filled, vault, at=2)
    assert vault.names() == [before]
    assert bring_back(vault, tmp_path / "copy").runs == 4


def test_a_restore_on_a_full_disk_leaves_nothing(
    filled: EmbeddedWorkspace, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(filled, vault)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(vaults, "write_all", full)
    with pytest.raises(StorageFullError):
        bring_back(vault, tmp_path / "copy")
    assert not [name for name in os.listdir(tmp_path) if "copy" in name]


def test_a_restore_needs_an_empty_folder(
    filled: EmbeddedWorkspace, vault: Vault, tmp_path: Path
) -> None:
    save(filled, vault)
    with pytest.raises(ConflictError, match="not empty"):
        bring_back(vault, Path(filled.info().location))
    (tmp_path / "empty").mkdir()
    assert bring_back(vault, tmp_path / "empty").runs == 4


def _damage_object(vault: Vault) -> None:
    entry = max(vault.load().entries, key=lambda one: one.size_bytes)
    place = vault.place(entry.blake3)
    data = bytearray(place.read_bytes())
    data[len(data) // 2] ^= 1
    place.write_bytes(data)


def _remove_object(vault: Vault) -> None:
    vault.place(vault.load().entries[-1].blake3).unlink()


def _change_list(vault: Vault) -> None:
    path = vault.folder / "backups" / vault.names()[0]
    path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":2'))


@pytest.mark.parametrize("harm", [_damage_object, _remove_object, _change_list])
def test_a_damaged_backup_makes_no_workspace(
    filled: EmbeddedWorkspace, vault: Vault, tmp_path: Path, harm: Callable[[Vault], None]
) -> None:
    save(filled, vault)
    harm(vault)
    with pytest.raises(StorageCorruptError):
        bring_back(vault, tmp_path / "copy")
    assert not [name for name in os.listdir(tmp_path) if "copy" in name]


@pytest.mark.parametrize(("harm", "word"), [(_damage_object, "damaged"), (_remove_object, "miss")])
def test_a_check_names_what_is_damaged(
    filled: EmbeddedWorkspace, vault: Vault, harm: Callable[[Vault], None], word: str
) -> None:
    save(filled, vault)
    assert list(vault.damages(vault.load(), lambda done, count: None)) == []
    harm(vault)
    damages = list(vault.damages(vault.load(), lambda done, count: None))
    assert damages
    assert all(word in one for one in damages)


@pytest.mark.parametrize("path", ["../out", "/etc/x", "a/../../out", "", "a//b", "runs/\0"])
def test_a_list_that_was_made_by_hand_leads_nowhere_else(
    filled: EmbeddedWorkspace, vault: Vault, tmp_path: Path, path: str
) -> None:
    report = save(filled, vault)
    [content] = {vault.keep(_file(tmp_path))}
    entry = Entry(path, content.blake3, content.size_bytes)
    manifest: Any = report.manifest
    manifest.entries.append(entry)
    with pytest.raises(StorageError):
        restore(
            vault, manifest, tmp_path / "copy", clock=lambda: 5, progress=lambda done, count: None
        )
    assert not [name for name in os.listdir(tmp_path) if name.endswith(("copy", "out"))]


def test_no_backup_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="headway backup"):
        Vault(tmp_path).load()


def test_holes_links_and_pipes_in_a_working_directory(
    make: Make, vault: Vault, tmp_path: Path
) -> None:
    api = make()
    fill(api)
    work = Path(api.info().location) / "runs" / "parent" / "work"
    work.mkdir(parents=True)
    with (work / "sparse").open("wb") as stream:
        stream.seek(50 << 20)
        stream.write(b"end")
    (work / "link").symlink_to("/etc/passwd")
    (work / "folder").symlink_to("/etc")
    os.mkfifo(work / "pipe")
    (work / os.fsdecode(b"odd-\xff\\")).write_bytes(b"odd")
    save(api, vault)
    bring_back(vault, tmp_path / "copy")
    copy = tmp_path / "copy" / "runs" / "parent" / "work"
    assert sorted(os.listdir(copy)) == sorted({*os.listdir(work)} - {"pipe"})
    assert (copy / "sparse").stat().st_size == (50 << 20) + 3
    assert (copy / "sparse").stat().st_blocks < 1000
    assert os.readlink(copy / "folder") == "/etc"


def _file(folder: Path) -> Path:
    path = folder / "file"
    path.write_bytes(b"x")
    return path


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_file_that_was_missing_before_is_named_and_the_rest_is_kept(
    filled: EmbeddedWorkspace, vault: Vault, tmp_path: Path
) -> None:
    folder = Path(filled.info().location)
    [lost] = (folder / "runs" / "child" / "files").iterdir()
    lost.unlink()
    report = save(filled, vault)
    assert report.manifest.missing == [lost.relative_to(folder).as_posix()]
    assert bring_back(vault, tmp_path / "copy").runs == 4
