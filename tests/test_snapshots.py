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
from hypothesis import example, given
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


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "kept")


def plan(
    source: Path, *, max_bytes: int = 10 * MIB, max_files: int = 5_000, exclude: Path | None = None
) -> SnapshotPlan:
    excluded = [exclude] if exclude else []
    return plan_snapshot(source, max_bytes=max_bytes, max_files=max_files, exclude=excluded)


def planned(source: Path) -> set[str]:
    return {file.path for file in plan(source).files}


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


# ---------------------------------------------------------------- what is kept


def test_what_is_never_needed_is_left_out(source: Path) -> None:
    make(
        source,
        "train.py",
        "pkg/model.py",
        "pkg/.git",  # a worktree's or submodule's: a file, and small
        ".git/config",
        "sub/.hg/x",
        ".svn/x",
        "pkg/__pycache__/model.cpython-311.pyc",
        "old.pyc",
        "web/node_modules/a/index.js",
        ".venv/pyvenv.cfg",
        ".venv/lib/big.py",
        "deep/my-env/pyvenv.cfg",
        "deep/my-env/bin/python",
        ".ipynb_checkpoints/x.ipynb",
        ".pytest_cache/x",
        ".mypy_cache/x",
        ".ruff_cache/x",
        ".tox/x",
        ".nox/x",
        ".headway/x",
        ".DS_Store",
    )
    taken = plan(source)
    assert {file.path for file in taken.files} == {"train.py", "pkg/model.py", "pkg/.git"}
    assert set(taken.folders) == {"pkg", "sub", "web", "deep"}


def test_the_ignore_file_is_obeyed(source: Path) -> None:
    make(source, "train.py", "data/a.csv", "logs/a.log", "logs/keep.log", "out/x", "sub/out/x")
    lines = "# comment\n\ndata/\n*.log\n!keep.log\n/out\n!\n[z-a]\n/\n\\\n"
    (source / ".gitignore").write_text(lines)
    expected = {".gitignore", "train.py", "logs/keep.log", "sub/out/x"}
    assert planned(source) == expected


def test_amlignore_stands_in_place_of_gitignore(source: Path) -> None:
    make(source, "train.py", "a.csv", "b.log")
    (source / ".gitignore").write_text("*.csv\n")
    (source / ".amlignore").write_text("\ufeff*.log\r\n.gitignore\r\n.amlignore\r\n")
    assert planned(source) == {"train.py", "a.csv"}


def test_an_ignore_file_further_down_is_only_a_file(source: Path) -> None:
    make(source, "sub/.gitignore", content=b"*\n")
    make(source, "sub/a")
    assert planned(source) == {"sub/.gitignore", "sub/a"}


def test_an_ignore_file_that_is_a_pipe_does_not_block(source: Path) -> None:
    os.mkfifo(source / ".amlignore")
    make(source, ".gitignore", content=b"*.csv\n")
    make(source, "a.csv")
    assert planned(source) == {".gitignore"}


_GLOBS = ["a", "b", "*", "a*", "*.py", "?", "[ab]", "[!a-]", "[]b-a]", "a/b", "a/**", "**", "a/*"]
_MORE_GLOBS = ["**/b", "a/**/b", "\\a", "*/*", "[a", "ab ", "\\ ", ""]
_PATTERNS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "", "!", "/", "!/", "a/", "**/", "#"]),
    st.sampled_from([*_GLOBS, *_MORE_GLOBS]),
    st.sampled_from(["", "", "/", " ", "/**"]),
)


@pytest.fixture(scope="module")
def repository(
    tmp_path_factory: pytest.TempPathFactory, require_program: Callable[[str], str]
) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run([require_program("git"), "init", "-q", folder], check=True)
    for above in ("", "a/", "b/", "ab/a/", "a/b/a/", "b/b/"):
        make(folder, *(f"{above}{name}" for name in ("f", "a.py", "b.log", "ab.py")))
    return folder


@given(st.lists(_PATTERNS, min_size=1, max_size=5))
@example(["*", "!*/", "!*.py"])
@example(["/*", "!/a"])
@example(["a/**", "!a/b/", "!a.py"])
def test_patterns_mean_what_git_says(repository: Path, patterns: list[str]) -> None:
    (repository / ".gitignore").write_text("\n".join(patterns))
    listed = subprocess.run(
        ["git", "-C", repository, "ls-files", "-z", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert planned(repository) == set(listed.split("\0")) - {""}


def test_the_workspace_inside_the_source_is_left_out(source: Path) -> None:
    make(source, "train.py", "work/space/db", "work/notes")
    (source.parent / "alias").symlink_to(source)
    for place in (source, source.parent / "alias"):
        taken = plan(source, exclude=place / "work" / "space")
        assert {file.path for file in taken.files} == {"train.py", "work/notes"}
    assert len(plan(source, exclude=source.parent / "elsewhere").files) == 3


def test_the_workspace_itself_is_no_source(source: Path) -> None:
    with pytest.raises(SnapshotError, match="workspace itself"):
        plan(source, exclude=source)


def test_pipes_are_skipped_and_listed(source: Path) -> None:
    os.mkfifo(source / "pipe")
    make(source, "a")
    taken = plan(source)
    assert [(skipped.path, skipped.reason) for skipped in taken.skipped] == [
        ("pipe", "a pipe, socket or device")
    ]
    assert [file.path for file in taken.files] == ["a"]


@pytest.mark.parametrize("name", ["missing", "file"])
def test_a_source_that_is_no_directory_is_refused(source: Path, name: str) -> None:
    make(source, "file")
    with pytest.raises(SnapshotError, match=f"{name}' (does not exist|is no directory)"):
        plan(source / name)


def test_too_much_names_the_largest_and_the_ways_out(source: Path) -> None:
    make(source, "train.py")
    make(source, *(f"data/{i}.bin" for i in range(8)), content=bytes(1000))
    make(source, "deep/down/model.pt", content=bytes(5000))
    with pytest.raises(SnapshotError) as caught:
        plan(source, max_bytes=10_000)
    lines = caught.value.message.splitlines()
    assert "12.7 KiB: at most 9.8 KiB" in lines[0]
    assert [line.split() for line in lines[1:4]] == [
        ["7.8", "KiB", "data/"],
        ["4.9", "KiB", "deep/down/model.pt"],
        ["8", "bytes", "train.py"],
    ]
    assert ".amlignore" in lines[-1]
    assert "HEADWAY_MAX_SNAPSHOT_BYTES" in lines[-1]
    assert plan(source, max_bytes=13_008).size_bytes == 13_008


def test_too_many_names_where_they_are(source: Path) -> None:
    make(source, *(f"data/{kind}/{i}" for kind in ("train", "test") for i in range(15)))
    make(source, *(f"f{i:02}" for i in range(20)))
    with pytest.raises(SnapshotError, match=r"holds 53 files and folders: at most 50") as caught:
        plan(source, max_files=50)
    lines = caught.value.message.splitlines()
    assert lines[1].split() == ["33", "data/"] or lines[1].split() == ["32", "data/"]
    assert "HEADWAY_MAX_SNAPSHOT_FILES" in lines[-1]
    assert len(lines) == 12
    assert len(plan(source, max_files=53).files) == 50


def test_the_walk_of_a_huge_tree_is_given_up(source: Path) -> None:
    for i in range(600):
        (source / f"{i}" / "a").mkdir(parents=True)
        (source / f"{i}" / "b").mkdir()
    with pytest.raises(SnapshotError, match="holds more than 1,0"):
        plan(source, max_files=1)


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


def test_folders_that_come_and_go_do_not_disturb_the_walk(source: Path) -> None:
    make(source, "stays")
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            for i in range(20):
                make(source, f"{i}/sub/file")
            for i in range(20):
                shutil.rmtree(source / str(i))

    with ThreadPoolExecutor(1) as pool:
        churning = pool.submit(churn)
        for _ in range(100):
            assert "stays" in planned(source)
        stop.set()
        churning.result(10)


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
    assert fastest < 0.5  # measured: about 0.05; the bound is for busy machines


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
            len(msgspec.msgpack.decode(path.read_bytes(), type=dict[str, object]))
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
