import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import (
    NotFoundError,
    SnapshotError,
    StorageCorruptError,
    StorageError,
    StorageVersionError,
)
from headway.snapshots import Manifest, SnapshotPlan, SnapshotStore, plan_snapshot
from headway.snapshots.tree import escape, unescape

MIB = 1 << 20


def plan(source: Path, *, max_bytes: int = 10 * MIB) -> SnapshotPlan:
    return plan_snapshot(source, max_bytes=max_bytes, max_files=5_000)


def make(source: Path, *paths: str, content: bytes = b"") -> None:
    for path in paths:
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(content or path.encode())


def look(folder: Path) -> dict[str, tuple[str, int, bytes]]:
    """Everything under a folder: kind, mode and content."""
    found: dict[str, tuple[str, int, bytes]] = {}
    for path in folder.rglob("*"):
        mode = stat.S_IMODE(path.lstat().st_mode)
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = ("link", 0, os.fsencode(path.readlink()))
        elif path.is_dir():
            found[name] = ("folder", mode, b"")
        else:
            found[name] = ("file", mode, path.read_bytes())
    return found


# ---------------------------------------------------------------- there and back


def test_a_hostile_tree_comes_back_as_it_was(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    make(source, "a\nb", "sp ace/ü.py", "back\\slash", "\\x41", "quote'\"", "-rf", "empty")
    (source / "empty").write_bytes(b"")
    (source / os.fsdecode(b"latin-\xe9")).write_bytes(b"\xff\x00")
    (source / "empty folder" / "nested").mkdir(parents=True)
    (source / "script.sh").write_bytes(b"#!/bin/sh\n")
    (source / "script.sh").chmod(0o755)
    (source / "read only").write_bytes(b"x")
    (source / "read only").chmod(0o444)
    (source / "sp ace").chmod(0o750)
    (source / "loop").symlink_to("loop")
    (source / "up").symlink_to(".")
    (source / "dangling").symlink_to("no\nwhere")
    (source / os.fsdecode(b"link-\xe9")).symlink_to(os.fsdecode(b"latin-\xe9"))
    (source / "absolute").symlink_to("/etc")
    manifest = store.take(plan(source))
    store.materialize(manifest.id, tmp_path / "again" / "here")
    assert look(tmp_path / "again" / "here") == look(source)
    assert store.load(manifest.id) == manifest
    assert sorted(os.listdir(tmp_path / "again")) == ["here"]


def test_a_relative_link_out_of_the_source_still_leads_there(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    make(tmp_path, "shared/data.csv", content=b"1,2")
    make(source, "sub/inside", content=b"inside")
    (source / "data").symlink_to("../shared")
    (source / "sub" / "data").symlink_to("../../shared/data.csv")
    (source / "sub" / "same").symlink_to("../sub/inside")
    manifest = store.take(plan(source))
    target = tmp_path / "far" / "away" / "code"
    store.materialize(manifest.id, target)
    assert (target / "data" / "data.csv").read_bytes() == b"1,2"
    assert (target / "sub" / "data").read_bytes() == b"1,2"
    assert str((target / "sub" / "same").readlink()) == "../sub/inside"


def test_equal_trees_have_one_id_and_one_set_of_blobs(store: SnapshotStore, tmp_path: Path) -> None:
    for name in ("one", "two"):
        make(tmp_path / name, "b", "a/c", "a/same", "a/same too", content=b"same")
    first, second = (store.take(plan(tmp_path / name)) for name in ("one", "two"))
    assert first == second
    assert len(list((tmp_path / "kept" / "blobs").rglob("*"))) == 2
    make(tmp_path / "two", "b", content=b"else")
    third = store.take(plan(tmp_path / "two"))
    assert third.id != first.id
    assert third.size_bytes == 16
    store.materialize(first.id, tmp_path / "again")
    assert (tmp_path / "again" / "b").read_bytes() == b"same"


def test_an_empty_source_is_a_snapshot(source: Path, store: SnapshotStore, tmp_path: Path) -> None:
    manifest = store.take(plan(source))
    (tmp_path / "again").mkdir()
    store.materialize(manifest.id, tmp_path / "again")
    assert look(tmp_path / "again") == {}


def test_a_copy_may_be_changed_without_harm(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    make(source, "a", content=b"before")
    manifest = store.take(plan(source))
    store.materialize(manifest.id, tmp_path / "first")
    (tmp_path / "first" / "a").write_bytes(b"after!")
    store.materialize(manifest.id, tmp_path / "second")
    assert (tmp_path / "second" / "a").read_bytes() == b"before"
    assert (source / "a").read_bytes() == b"before"


def test_copies_need_nothing_of_the_kernel(
    source: Path, store: SnapshotStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(3 * MIB + 1)
    make(source, "a", content=content)
    manifest = store.take(plan(source))
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    store.materialize(manifest.id, tmp_path / "again")
    assert (tmp_path / "again" / "a").read_bytes() == content


def test_a_folder_that_its_owner_may_not_enter_can_still_be_deleted(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    make(source, "locked/a")
    (source / "locked").chmod(0o500)
    manifest = store.take(plan(source))
    (source / "locked").chmod(0o700)
    store.materialize(manifest.id, tmp_path / "again")
    assert stat.S_IMODE((tmp_path / "again" / "locked").stat().st_mode) == 0o700


def test_something_at_the_target_is_left_alone(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    make(source, "a")
    manifest = store.take(plan(source))
    make(tmp_path, "folder/mine", "file")
    for name in ("folder", "file"):
        with pytest.raises(SnapshotError, match="something is already"):
            store.materialize(manifest.id, tmp_path / name)
    assert not list(tmp_path.glob(".part-*"))
    assert (tmp_path / "folder" / "mine").exists()


@given(
    st.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name and b"/" not in name)
)
def test_every_name_is_written_as_valid_text_and_read_again(name: bytes) -> None:
    text = escape(os.fsdecode(name))
    assert os.fsencode(unescape(text)) == name
    text.encode("utf-8")


# ---------------------------------------------------------------- what changes meanwhile


def test_what_vanished_since_the_plan_is_left_out(source: Path, store: SnapshotStore) -> None:
    make(source, "stays", "goes", "folder/goes", "becomes a link", "becomes a pipe", "becomes/x")
    taken = plan(source)
    for name in ("goes", "becomes a link", "becomes a pipe"):
        (source / name).unlink()
    (source / "becomes a link").symlink_to("/etc/passwd")
    os.mkfifo(source / "becomes a pipe")
    shutil.rmtree(source / "folder")
    shutil.rmtree(source / "becomes")
    make(source, "becomes")
    manifest = store.take(taken)
    assert [entry.path for entry in manifest.entries if entry.kind == "file"] == ["stays"]


def test_a_file_that_changes_while_it_is_read_is_kept_as_it_was_read(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    make(source, "log", content=b"begin")
    stop = threading.Event()

    def write_on() -> None:
        with (source / "log").open("ab", buffering=0) as log:
            while not stop.is_set() and log.tell() < 8 * MIB:
                log.write(b"one more line\n" * 100)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write_on)
        for _ in range(8):
            entry = store.take(plan(source, max_bytes=100 * MIB)).entries[0]
            blob = tmp_path / "kept" / "blobs" / entry.blake3[:2] / entry.blake3
            content = blob.read_bytes()
            assert len(content) == entry.size_bytes
            assert blake3(content).hexdigest() == entry.blake3
        stop.set()
        writing.result(10)


# ---------------------------------------------------------------- what did not change


def ahead(seconds: float) -> Callable[[], int]:
    return lambda: time.time_ns() + int(seconds * 1e9)


def test_a_tree_that_did_not_change_is_not_read_again(source: Path, tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "kept", clock_ns=ahead(10))
    make(source, *(f"pkg{i % 40}/module_{i}.py" for i in range(2_000)))
    first = store.take(plan(source))
    fastest = 10.0
    for _ in range(5):
        began = time.perf_counter()
        again = store.take(plan(source))
        fastest = min(fastest, time.perf_counter() - began)
        assert again == first
    assert fastest < 0.3  # measured: 0.02; the bound is for busy machines


def test_a_change_under_the_same_size_and_time_is_seen(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    make(source, "a", content=b"before")
    times = (source / "a").stat()
    first = store.take(plan(source))
    make(source, "a", content=b"after!")
    os.utime(source / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    second = store.take(plan(source))
    assert second.id != first.id
    late = SnapshotStore(tmp_path / "kept", clock_ns=ahead(10))
    assert late.take(plan(source)) == second
    make(source, "a", content=b"third!")
    os.utime(source / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert late.take(plan(source)).id not in {first.id, second.id}


def test_a_file_touched_just_now_is_not_taken_as_unchanged(source: Path, tmp_path: Path) -> None:
    make(source, "a")
    for seconds, remembered in ((0.0, 0), (10.0, 1)):
        SnapshotStore(tmp_path / "kept", clock_ns=ahead(seconds)).take(plan(source))
        found = [
            len(msgspec.msgpack.decode(path.read_bytes(), type=tuple[str, dict[str, object]])[1])
            for path in (tmp_path / "kept" / "seen").iterdir()
        ]
        assert sum(found) == remembered


@pytest.mark.parametrize("damage", ["seen", "blob", "both"])
def test_taking_again_mends_what_was_damaged(source: Path, tmp_path: Path, damage: str) -> None:
    store = SnapshotStore(tmp_path / "kept", clock_ns=ahead(10))
    make(source, "a", content=b"content")
    manifest = store.take(plan(source))
    if damage != "blob":
        next((tmp_path / "kept" / "seen").iterdir()).write_bytes(b"garbage")
    if damage != "seen":
        blob = next((tmp_path / "kept" / "blobs").rglob("?" * 64))
        blob.chmod(0o644)
        blob.write_bytes(b"")
    assert store.take(plan(source)) == manifest
    store.materialize(manifest.id, tmp_path / "again")
    assert (tmp_path / "again" / "a").read_bytes() == b"content"


def test_several_take_at_once(source: Path, store: SnapshotStore) -> None:
    make(source, *(f"f{i}" for i in range(50)))
    barrier = threading.Barrier(8)

    def take(_: int) -> Manifest:
        taken = plan(source)
        barrier.wait(10)
        return store.take(taken)

    with ThreadPoolExecutor(8) as pool:
        assert len({manifest.id for manifest in pool.map(take, range(8))}) == 1


def test_what_a_killed_process_left_goes_after_a_day(source: Path, tmp_path: Path) -> None:
    make(tmp_path, "kept/incoming/half-made")
    SnapshotStore(tmp_path / "kept").take(plan(source))
    assert (tmp_path / "kept" / "incoming" / "half-made").exists()
    SnapshotStore(tmp_path / "kept", clock_ns=ahead(100_000)).take(plan(source))
    assert os.listdir(tmp_path / "kept" / "incoming") == []


# ---------------------------------------------------------------- faults


@pytest.mark.parametrize("snapshot_id", ["0" * 64, "", "../../etc/passwd"])
def test_an_absent_snapshot_is_not_found(
    store: SnapshotStore, tmp_path: Path, snapshot_id: str
) -> None:
    with pytest.raises(NotFoundError, match="there is no snapshot"):
        store.load(snapshot_id)
    with pytest.raises(NotFoundError):
        store.materialize(snapshot_id, tmp_path / "again")


def test_damage_is_told_and_leaves_no_half_made_folder(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    make(source, "a", "b")
    manifest = store.take(plan(source))
    blob = next((tmp_path / "kept" / "blobs").rglob("?" * 64))
    blob.chmod(0o644)
    blob.write_bytes(b"torn, and longer than before")
    with pytest.raises(StorageCorruptError, match="instead of 1"):
        store.materialize(manifest.id, tmp_path / "again")
    blob.unlink()
    with pytest.raises(StorageCorruptError, match="is missing"):
        store.materialize(manifest.id, tmp_path / "again")
    tree = tmp_path / "kept" / "trees" / f"{manifest.id}.json"
    tree.write_bytes(tree.read_bytes()[:-10])
    with pytest.raises(StorageCorruptError, match="is damaged"):
        store.load(manifest.id)
    assert not list(tmp_path.glob(".part-*"))
    assert not (tmp_path / "again").exists()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b'{"format":1,"entries":[{"path":"../out"}]}', StorageCorruptError),
        (b'{"format":1,"entries":[{"path":"/etc/out"}]}', StorageCorruptError),
        (b'{"format":2,"entries":[]}', StorageVersionError),
    ],
)
def test_a_forged_or_newer_list_of_files_is_refused(
    store: SnapshotStore, tmp_path: Path, content: bytes, error: type[StorageError]
) -> None:
    snapshot_id = blake3(content).hexdigest()
    (tmp_path / "kept" / "trees").mkdir(parents=True)
    (tmp_path / "kept" / "trees" / f"{snapshot_id}.json").write_bytes(content)
    with pytest.raises(error):
        store.load(snapshot_id)


def test_a_folder_that_cannot_be_written_is_a_storage_error(source: Path, tmp_path: Path) -> None:
    make(tmp_path, "kept")
    with pytest.raises(StorageError, match="cannot be written"):
        SnapshotStore(tmp_path / "kept").take(plan(source))


TAKE = """
import sys
from pathlib import Path
from headway.errors import SnapshotError
from headway.snapshots import SnapshotStore, plan_snapshot
try:
    plan = plan_snapshot(Path(sys.argv[1]), max_bytes=1 << 20, max_files=100)
    SnapshotStore(Path(sys.argv[2])).take(plan)
except SnapshotError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["secret", "folder"])
def test_what_cannot_be_read_is_named_with_the_way_out(
    source: Path, tmp_path: Path, name: str, require_program: Callable[[str], str]
) -> None:
    make(source, "secret", "folder/a")
    (source / name).chmod(0)
    command = [sys.executable, "-c", TAKE, source, tmp_path / "kept"]
    if os.geteuid() == 0:
        # Root reads everything, unless it gives up the capabilities that let it.
        drop = "-dac_override,-dac_read_search"
        setpriv = require_program("setpriv")
        command = [setpriv, f"--bounding-set={drop}", f"--inh-caps={drop}", *command]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (source / name).chmod(0o700)
    assert f"{str(source / name)!r} cannot be read: Permission denied" in done.stdout
    assert ".amlignore" in done.stdout
