import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headway.errors import SnapshotError
from headway.snapshots import SnapshotPlan, plan_snapshot

MIB = 1 << 20


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
