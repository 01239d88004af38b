import os
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.snapshots import Manifest, SnapshotStore, plan_snapshot
from headway.snapshots.diff import FileChange, diff, unified
from headway.snapshots.lines import hunks

MIB = 1 << 20


class Trees:
    """Two states of a source directory."""

    def __init__(self, folder: Path) -> None:
        self.before = folder / "before"
        self.after = folder / "after"
        self.before.mkdir()
        self.after.mkdir()
        self.store = SnapshotStore(folder / "kept")

    def put(self, path: str, before: bytes | None, after: bytes | None) -> None:
        for folder, content in ((self.before, before), (self.after, after)):
            if content is not None:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)

    def take(self, folder: Path) -> Manifest:
        return self.store.take(plan_snapshot(folder, max_bytes=100 * MIB, max_files=5_000))

    def diff(self) -> list[FileChange]:
        return diff(self.take(self.before), self.take(self.after))

    def kinds(self) -> list[tuple[str, str]]:
        return [(change.kind, change.path) for change in self.diff()]

    def lines(self, max_bytes: int = MIB) -> list[str]:
        return list(unified(self.diff(), self.store, max_bytes=max_bytes))


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


# ---------------------------------------------------------------- which files


def test_equal_trees_have_no_changes(trees: Trees) -> None:
    trees.put("pkg/a", b"1", b"1")
    assert trees.diff() == []
    assert trees.lines() == []


def test_each_kind_of_change_is_told(trees: Trees) -> None:
    trees.put("same", b"1", b"1")
    trees.put("changed", b"1", b"2")
    trees.put("gone", b"3", None)
    trees.put("new/deep", None, b"4")
    trees.put("script", b"5", b"5")
    (trees.after / "script").chmod(0o755)
    trees.put("old.py", b"6", None)
    trees.put("lib/new.py", None, b"6")
    (trees.after / "only a folder").mkdir()
    assert trees.kinds() == [
        ("changed", "changed"),
        ("removed", "gone"),
        ("renamed", "lib/new.py"),
        ("added", "new/deep"),
        ("mode changed", "script"),
    ]
    renamed = trees.diff()[2]
    assert renamed.before is not None
    assert renamed.before.path == "old.py"


def test_a_rename_prefers_the_same_name_and_empty_files_are_not_renamed(trees: Trees) -> None:
    trees.put("x/model.py", b"same", None)
    trees.put("a/other.py", None, b"same")
    trees.put("b/model.py", None, b"same")
    trees.put("empty", b"", None)
    trees.put("void", None, b"")
    assert trees.kinds() == [
        ("added", "a/other.py"),
        ("renamed", "b/model.py"),
        ("removed", "empty"),
        ("added", "void"),
    ]


def test_a_file_that_became_a_link_was_removed_and_added(trees: Trees) -> None:
    trees.put("a", b"text\n", None)
    (trees.after / "a").symlink_to("elsewhere")
    (trees.before / "link").symlink_to("one")
    (trees.after / "link").symlink_to("two")
    assert trees.kinds() == [("removed", "a"), ("added", "a"), ("changed", "link")]
    assert trees.lines()[6:] == [
        "diff --git a/a b/a",
        "new file mode 120000",
        "--- /dev/null",
        "+++ b/a",
        "@@ -0,0 +1 @@",
        "+elsewhere",
        "\\ No newline at end of file",
        "diff --git a/link b/link",
        "--- a/link",
        "+++ b/link",
        "@@ -1 +1 @@",
        "-one",
        "\\ No newline at end of file",
        "+two",
        "\\ No newline at end of file",
    ]


# ---------------------------------------------------------------- which lines


def test_the_lines_are_those_of_git(trees: Trees) -> None:
    trees.put("train.py", b"a\nb\nc\nd\ne\nf\ng\n", b"a\nb\nc\nd\nE\nf\ng\n")
    assert trees.lines() == [
        "diff --git a/train.py b/train.py",
        "--- a/train.py",
        "+++ b/train.py",
        "@@ -2,6 +2,6 @@",
        " b",
        " c",
        " d",
        "-e",
        "+E",
        " f",
        " g",
    ]


def test_git_can_apply_what_is_said(
    trees: Trees, tmp_path: Path, require_program: Callable[[str], str]
) -> None:
    rng = random.Random(1)
    text = [f"line {rng.randrange(40)}\n" for _ in range(300)]
    other = [line for line in text if rng.random() > 0.1]
    for _ in range(20):
        other.insert(rng.randrange(len(other)), f"new {rng.randrange(5)}\n")
    trees.put("pkg/model.py", "".join(text).encode(), "".join(other).encode())
    trees.put("windows.txt", b"a\r\nb\r\n", b"a\r\nc\r\n")
    trees.put("no end", b"a\nb", b"a\nb\nc")
    trees.put("gone", b"1\n", None)
    trees.put('new\tname\n"ü".py', None, b"2\n")
    trees.put("empty", None, b"")
    trees.put("moved", b"3\n", None)
    trees.put("sub/moved", None, b"3\n")
    trees.put("script", b"4\n", b"5\n")
    (trees.after / "script").chmod(0o755)
    patch = tmp_path / "patch"
    patch.write_text("".join(line + "\n" for line in trees.lines()), newline="")
    subprocess.run(
        [require_program("git"), "apply", patch], cwd=trees.before, check=True, timeout=20
    )
    assert trees.take(trees.before).id == trees.take(trees.after).id


def test_hostile_names_are_quoted(trees: Trees) -> None:
    trees.put('esc\x1b[2J\n"q"\\\u202e', None, b"")
    trees.put(os.fsdecode(b"latin-\xe9"), None, b"")
    trees.put("ü sp", None, b"")
    headings = [line for line in trees.lines() if line.startswith("diff")]
    assert headings == [
        r'diff --git "a/esc\033[2J\n\"q\"\\\342\200\256" "b/esc\033[2J\n\"q\"\\\342\200\256"',
        r'diff --git "a/latin-\351" "b/latin-\351"',
        "diff --git a/ü sp b/ü sp",
    ]


def test_hostile_content_is_made_visible(trees: Trees) -> None:
    content = "\x1b[31mred\x07 back\rover tab\t ü \u202e\u2028 end\r\n".encode() + b"\xff\x9b\n"
    trees.put("a", None, content)
    assert trees.lines()[-2:] == [
        "+\\x1b[31mred\\x07 back\\x0dover tab\t ü \\u202e\\u2028 end\r",
        "+\\xff\\x9b",
    ]


def test_binary_and_large_files_only_differ(trees: Trees) -> None:
    trees.put("model.bin", b"\0\1", b"\0\2")
    trees.put("data.csv", b"1" * 3_000, b"1" * 5_000)
    trees.put("new.bin", None, b"\0")
    assert [line for line in trees.lines(max_bytes=4_000) if "iffer" in line] == [
        "Files a/data.csv and b/data.csv differ, too large to compare (2.9 KiB and 4.9 KiB)",
        "Binary files a/model.bin and b/model.bin differ",
        "Binary files /dev/null and b/new.bin differ",
    ]


_LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "d\n", "\n"]), max_size=40)


@given(_LINES, _LINES, st.integers(0, 4))
def test_the_hunks_lead_from_one_text_to_the_other(
    old: list[str], new: list[str], context: int
) -> None:
    made: list[str] = []
    position = 0
    for line in hunks(old, new, context):
        if line.startswith("@@"):
            first, _, count = line.split()[1].removeprefix("-").partition(",")
            start = int(first) - (count != "0")
            made += old[position:start]
            position = start
            continue
        if line[0] in " -":
            assert old[position] == line[1:] + "\n"
            position += 1
        if line[0] in " +":
            made.append(line[1:] + "\n")
    assert made + old[position:] == new


def numbers(count: int, step: int) -> list[str]:
    return [f"{i if i % step else -i}\n" for i in range(count)]


def test_every_other_line_changed_is_found_exactly() -> None:
    changed = list(hunks(numbers(20_001, 1_000_000), numbers(20_001, 2), 0))
    assert sum(line.startswith("-") for line in changed) == 10_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["same\n"] * 30_000, ["same\n"] * 29_000 + ["other\n"] * 1_000),
        ([f"{i % 50}\n" for i in range(30_000)], [f"{i * 7 % 50}\n" for i in range(30_000)]),
        (
            [line for i in range(10_000) for line in (f"{i % 60}\n", f"old {i}\n")],
            [line for i in range(10_000) for line in (f"{i % 60}\n", f"new {i}\n")],
        ),
        ([f"{i}\n" for i in range(30_000)], [f"{i}\n" for i in reversed(range(30_000))]),
    ],
)
def test_no_text_takes_for_ever(old: list[str], new: list[str]) -> None:
    began = time.perf_counter()
    lines = list(hunks(old, new, 3))
    assert any(line.startswith("+") for line in lines)
    assert time.perf_counter() - began < 8  # measured: at most 0.1; difflib alone takes minutes
