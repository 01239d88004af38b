import os
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from headway.errors import NotFoundError, StorageCorruptError, StorageError
from headway.snapshots import Manifest, SnapshotStore, plan_snapshot
from headway.snapshots.archive import write_zip


def take(store: SnapshotStore, source: Path) -> Manifest:
    return store.take(plan_snapshot(source, max_bytes=1 << 26, max_files=1_000))


def test_a_zip_file_holds_the_whole_snapshot(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    (source / "pkg" / "empty").mkdir(parents=True)
    (source / "pkg" / "run.sh").write_bytes(b"#!/bin/sh\n")
    (source / "pkg" / "run.sh").chmod(0o755)
    (source / "ü\\ \n").write_bytes(b"\0" * 3_000_000)
    (source / "link").symlink_to(os.fsdecode(b"pkg/\xe9"))
    manifest = take(store, source)
    path = tmp_path / "out" / f"{manifest.id}.zip"
    write_zip(store, manifest.id, path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        infos = {info.filename: info for info in archive.infolist()}
        assert list(infos) == ["link", "pkg/", "pkg/empty/", "pkg/run.sh", "ü\\ \n"]
        modes = {name: info.external_attr >> 16 for name, info in infos.items()}
        assert stat.S_ISLNK(modes["link"])
        assert archive.read("link") == b"pkg/\xe9"
        assert infos["pkg/empty/"].is_dir()
        assert modes["pkg/run.sh"] == stat.S_IFREG | 0o755
        assert archive.read("ü\\ \n") == b"\0" * 3_000_000
    assert path.stat().st_size < 10_000
    assert os.listdir(path.parent) == [path.name]


def test_unzip_makes_the_directory_again(
    source: Path, store: SnapshotStore, tmp_path: Path, require_program: Callable[[str], str]
) -> None:
    unzip = require_program("unzip")
    (source / "sub").mkdir()
    (source / "sub" / "a").write_bytes(b"1")
    (source / "sub" / "a").chmod(0o640)
    (source / "link").symlink_to("sub/a")
    manifest = take(store, source)
    write_zip(store, manifest.id, tmp_path / "a.zip")
    subprocess.run([unzip, "-q", tmp_path / "a.zip", "-d", tmp_path / "again"], check=True)
    assert take(store, tmp_path / "again").id == manifest.id


def test_the_same_snapshot_becomes_the_same_bytes(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    for name in ("b", "a", "c"):
        (source / name).write_bytes(name.encode() * 1_000)
    manifest = take(store, source)
    for name in ("one", "two"):
        write_zip(store, manifest.id, tmp_path / name)
    write_zip(store, manifest.id, tmp_path / "two")  # one that is there is replaced
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_names_that_are_no_text_are_written_as_text_and_apart(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    (source / os.fsdecode(b"\xe9")).write_bytes(b"bytes")
    (source / "\\xe9").write_bytes(b"text")
    manifest = take(store, source)
    write_zip(store, manifest.id, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.read("\\xe9") == b"text"
        assert archive.read("\\xe9_") == b"bytes"


def test_a_zip_file_appears_whole_or_not_at_all(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    (source / "a").write_bytes(b"content")
    manifest = take(store, source)
    blob = next((tmp_path / "kept" / "blobs").rglob("?" * 64))
    blob.chmod(0o644)
    blob.write_bytes(b"CONTENT")
    (tmp_path / "a.zip").write_bytes(b"before")
    with pytest.raises(StorageCorruptError, match="is not what was put there"):
        write_zip(store, manifest.id, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == b"before"
    with pytest.raises(NotFoundError):
        write_zip(store, "0" * 64, tmp_path / "b.zip")
    with pytest.raises(StorageError, match="cannot be written"):
        write_zip(store, manifest.id, tmp_path / "a.zip" / "c.zip")
    assert not list(tmp_path.glob(".part-*"))
    assert not (tmp_path / "b.zip").exists()
