"""Names inside of places, and what a pattern stands for."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.data.places import Folder, being_made, checked_name
from headway.errors import InvalidValueError

PARTS = st.sampled_from(["", ".", "..", "a", "b c", "ä", "-", "..."])


@given(st.lists(PARTS, max_size=6).map("/".join))
def test_a_name_stays_inside_or_is_refused(name: str) -> None:
    root = Path("/root/folder")
    try:
        checked = checked_name(name)
    except InvalidValueError:
        assert ".." in name.split("/")
        return
    assert not checked.startswith("/")
    assert ".." not in checked.split("/")
    assert (root / checked).is_relative_to(root)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    for name in ("a.csv", "deep/b.csv", "deep/c.txt", ".hidden", ".git/x", "half.headway-part"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return Folder(tmp_path)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("", ["a.csv", "deep/b.csv", "deep/c.txt"]),
        ("/deep/", ["deep/b.csv", "deep/c.txt"]),
        ("deep/b.csv", ["deep/b.csv"]),
        ("*.csv", ["a.csv"]),
        ("**/*.csv", ["a.csv", "deep/b.csv"]),
        ("d*", ["deep/b.csv", "deep/c.txt"]),
        ("*/[bc].csv", ["deep/b.csv"]),
    ],
)
def test_a_pattern_stands_for_files(folder: Folder, pattern: str, names: list[str]) -> None:
    assert folder.files(pattern) == names


def test_links_are_followed_and_circles_end(folder: Folder, tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    elsewhere.mkdir()
    (elsewhere / "d.csv").touch()
    (tmp_path / "linked").symlink_to(elsewhere)
    (tmp_path / "deep" / "circle").symlink_to(tmp_path)
    assert folder.files() == ["a.csv", "deep/b.csv", "deep/c.txt", "linked/d.csv"]


@pytest.mark.parametrize("pattern", ["x", "*.json", "../*", "deep/../../*"])
def test_what_stands_for_no_file_is_refused(folder: Folder, pattern: str) -> None:
    with pytest.raises(InvalidValueError, match="give"):
        folder.files(pattern)


def test_a_file_that_is_not_finished_is_never_seen(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file"
    with being_made(target) as part:
        part.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"

    def interrupted() -> None:
        with being_made(target) as part:
            part.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "whole"
    assert [path.name for path in target.parent.iterdir()] == ["file"]
