"""Every place that keeps snapshots, and what only one of them can meet with."""

import os
import time
from pathlib import Path

import pytest

from headway.contents import Content
from headway.errors import StorageCorruptError
from headway.files.local import LocalFiles
from headway.files.object_files import ObjectFiles
from headway.files.object_store import open_store
from headway.snapshots import SnapshotStore
from headway.snapshots.objects import KeptSnapshots
from headway.testing.snapshot_storage_contract import (
    DAY_S,
    OpenAt,
    SnapshotStorageContract,
    keep,
)


def kept(files: ObjectFiles | LocalFiles, seconds: float) -> KeptSnapshots:
    return KeptSnapshots(files, clock=lambda: int((time.time() + seconds) * 1e6))


class TestFolder(SnapshotStorageContract):
    @pytest.fixture
    def open_at(self, tmp_path: Path) -> OpenAt:
        def at(seconds: float) -> SnapshotStore:
            return SnapshotStore(
                tmp_path / "snapshots", clock_ns=lambda: int((time.time() + seconds) * 1e9)
            )

        return at


class TestObjects(SnapshotStorageContract):
    @pytest.fixture
    def open_at(self) -> OpenAt:
        files = ObjectFiles(open_store("memory://"), "snapshots")
        return lambda seconds: kept(files, seconds)


class TestFiles(SnapshotStorageContract):
    @pytest.fixture
    def open_at(self, tmp_path: Path) -> OpenAt:
        files = LocalFiles(tmp_path / "snapshots")
        return lambda seconds: kept(files, seconds)


def test_an_old_content_that_is_asked_for_in_a_folder_is_young_again(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "snapshots")
    [entry] = store.load(keep(store, [b"content"])).entries
    for path in (tmp_path / "snapshots").rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))
    assert len(store.unused([])) == 1
    assert store.missing([Content(entry.blake3, entry.size_bytes)]) == []
    assert store.remove_unused([]) == []


def test_an_old_content_among_objects_is_asked_for_anew() -> None:
    files = ObjectFiles(open_store("memory://"), "snapshots")
    [entry] = kept(files, 0).load(keep(kept(files, 0), [b"content"])).entries
    asked = [Content(entry.blake3, entry.size_bytes)]
    assert kept(files, 0.4 * DAY_S).missing(asked) == []
    assert kept(files, 0.6 * DAY_S).missing(asked) == [entry.blake3]


def test_a_content_that_was_changed_is_told(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path / "snapshots")
    storage = kept(files, 0)
    [entry] = storage.load(keep(storage, [b"content"])).entries
    path = tmp_path / "snapshots" / "blobs" / "files" / entry.blake3
    for damage in (b"CONTENT", b"content and more", b""):
        path.write_bytes(damage)
        with storage.contents() as blobs, pytest.raises(StorageCorruptError, match="file-0"):
            blobs.read(entry)
    path.unlink()
    with storage.contents() as blobs, pytest.raises(StorageCorruptError, match="missing"):
        blobs.read(entry)
