"""What a snapshot goes through: kills, power cuts, full disks, files that grow."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from headway.errors import SnapshotError, StorageCorruptError, StorageFullError
from headway.snapshots import SnapshotPlan, SnapshotStore, plan_snapshot

MIB = 1 << 20


def plan(source: Path, *, max_bytes: int = 10 * MIB) -> SnapshotPlan:
    return plan_snapshot(source, max_bytes=max_bytes, max_files=5_000)


def kept_blobs(folder: Path) -> list[Path]:
    return list((folder / "blobs").rglob("?" * 64))


# ---------------------------------------------------------------- files that grow


def test_a_file_that_grew_beyond_the_limit_since_the_plan_is_refused(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    (source / "log").write_bytes(b"1")
    (source / "train.py").write_bytes(b"2")
    taken = plan(source, max_bytes=5_000)
    (source / "log").write_bytes(bytes(6_000))
    with pytest.raises(SnapshotError, match=r"holds 5\.9 KiB: at most 4\.9 KiB") as caught:
        store.take(taken)
    assert caught.value.message.splitlines()[1].split() == ["5.9", "KiB", "log"]
    assert kept_blobs(tmp_path / "kept") == []
    assert os.listdir(tmp_path / "kept" / "incoming") == []


def test_what_others_gave_up_is_room_to_grow(source: Path, store: SnapshotStore) -> None:
    (source / "a").write_bytes(bytes(3_000))
    (source / "b").write_bytes(bytes(1_000))
    taken = plan(source, max_bytes=4_500)
    (source / "a").write_bytes(bytes(100))
    (source / "b").write_bytes(bytes(4_000))
    assert store.take(taken).size_bytes == 4_100


def test_many_files_that_grow_a_little_are_too_large_together(
    source: Path, store: SnapshotStore
) -> None:
    for i in range(10):
        (source / f"{i}").write_bytes(f"{i}".encode() * 100)
    taken = plan(source, max_bytes=1_500)
    for i in range(10):
        (source / f"{i}").write_bytes(f"{i}".encode() * 200)
    with pytest.raises(SnapshotError, match=r"at most 1\.5 KiB"):
        store.take(taken)


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize("size", [7, 3 * MIB + 1])
def test_a_content_that_rotted_is_not_handed_out(
    source: Path, store: SnapshotStore, tmp_path: Path, size: int
) -> None:
    (source / "a").write_bytes(os.urandom(size))
    manifest = store.take(plan(source))
    [blob] = kept_blobs(tmp_path / "kept")
    content = bytearray(blob.read_bytes())
    content[size // 2] ^= 1
    blob.chmod(0o644)
    blob.write_bytes(content)
    with pytest.raises(StorageCorruptError, match=r"not what was put there.*remove that file"):
        store.materialize(manifest.id, tmp_path / "again")
    assert not (tmp_path / "again").exists()
    blob.unlink()  # what the message says
    assert store.take(plan(source)) == manifest
    store.materialize(manifest.id, tmp_path / "again")


# ---------------------------------------------------------------- power cuts


def test_nothing_is_put_in_place_before_it_is_durable(
    source: Path, store: SnapshotStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(100):
        (source / f"f{i}").write_text(f"{i % 70}")
    synced: set[int] = set()
    placed: list[Path] = []
    fsync, rename, replace = os.fsync, os.rename, os.replace

    def watched_fsync(fd: int) -> None:
        fsync(fd)
        synced.add(os.fstat(fd).st_ino)

    def watched_rename(
        old: Path, new: str, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        assert old.stat().st_ino in synced
        rename(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        placed.append(tmp_path / "kept" / "blobs" / new)

    def watched_replace(old: Path, new: Path) -> None:
        if new.suffix == ".json":
            assert old.stat().st_ino in synced
            assert {blob.parent.stat().st_ino for blob in placed} <= synced
            assert (tmp_path / "kept" / "blobs").stat().st_ino in synced
        replace(old, new)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "rename", watched_rename)
    monkeypatch.setattr(os, "replace", watched_replace)
    manifest = store.take(plan(source))
    assert len(placed) == 70
    assert (tmp_path / "kept" / "trees").stat().st_ino in synced
    placed.clear()
    synced.clear()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "same").write_text("7")
    store.take(plan(tmp_path / "other"))  # relies on what somebody else put there
    digest = blake3(b"7").hexdigest()
    assert (tmp_path / "kept" / "blobs" / digest[:2]).stat().st_ino in synced
    assert store.load(manifest.id) == manifest


# ---------------------------------------------------------------- kills

TAKE_ON = """
import itertools, os, sys
from pathlib import Path
from headway.snapshots import SnapshotStore, plan_snapshot
source, kept = map(Path, sys.argv[1:])
store = SnapshotStore(kept)
for i in itertools.count():
    for j in range(10):
        (source / f"f{j}").write_text(f"{os.getpid()} {i} {j}" * 1000)
    store.take(plan_snapshot(source, max_bytes=1 << 20, max_files=100))
    print(i, flush=True)
"""


def test_after_kill_every_snapshot_there_is_whole(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    rng = random.Random()
    for _ in range(5):
        command = [sys.executable, "-c", TAKE_ON, source, tmp_path / "kept"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as taking:
            assert taking.stdout is not None
            assert taking.stdout.readline()
            time.sleep(rng.uniform(0, 0.05))
            taking.send_signal(signal.SIGKILL)
    trees = list((tmp_path / "kept" / "trees").glob("*.json"))
    assert len(trees) >= 5
    for tree in trees:
        with store.contents() as blobs:
            for entry in store.load(tree.stem).entries:
                blobs.read(entry)
    again = store.take(plan(source))  # no lock is left behind
    store.materialize(again.id, tmp_path / "again")


# ---------------------------------------------------------------- full disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "headway-test", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs root, to mount a small file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_is_told_and_nothing_half_made_stays(
    source: Path, store: SnapshotStore, small_disk: Path
) -> None:
    for i in range(4):
        (source / f"{i}").write_bytes(os.urandom(400_000))
    full = SnapshotStore(small_disk / "kept")
    with pytest.raises(StorageFullError, match="no space is left"):
        full.take(plan(source))
    assert os.listdir(small_disk / "kept" / "incoming") == []
    assert kept_blobs(small_disk / "kept") == []
    manifest = store.take(plan(source))
    with pytest.raises(StorageFullError, match="no space is left"):
        store.materialize(manifest.id, small_disk / "again")
    assert sorted(os.listdir(small_disk)) == ["kept"]
