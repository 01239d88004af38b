"""Lists of files from strangers."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InvalidValueError
from headway.snapshots.arriving import check_manifest
from headway.snapshots.tree import Entry, encode, escape, unescape

HASHES = st.sampled_from(["", "0" * 64, "a" * 64, "../" + "0" * 61, "A" * 64])
ENTRIES = st.fixed_dictionaries(
    {
        "path": st.sampled_from(
            ["a", "a/b", "b", "../a", "/a", "a//b", "", ".", "\\x2e\\x2e/a", "ü"]
        )
    },
    optional={
        "kind": st.sampled_from(["file", "folder", "link", "device"]),
        "mode": st.integers(-1, 0o7777),
        "size_bytes": st.integers(-1, 1 << 70),
        "blake3": HASHES,
        "target": st.sampled_from(["", "b", "/etc/passwd", "\\x00"]),
    },
)


def check(content: bytes) -> list[Entry]:
    return list(check_manifest(content, max_bytes=1_000, max_files=20).entries)


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_bytes_come_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(InvalidValueError, match="the list of files is not accepted"):
        check(content)


@given(entries=st.lists(ENTRIES, max_size=6))
def test_what_is_accepted_stays_in_its_folder_and_within_its_bounds(
    entries: list[dict[str, object]],
) -> None:
    entries.sort(key=lambda entry: str(entry["path"]))
    try:
        accepted = check(msgspec.json.encode({"format": 1, "entries": entries}))
    except InvalidValueError:
        return
    paths = [unescape(entry.path) for entry in accepted]
    assert len(set(paths)) == len(paths)
    assert not any({"", ".", ".."} & {*path.split("/")} for path in paths)
    assert all(0 <= entry.mode <= 0o777 for entry in accepted)
    assert sum(entry.size_bytes for entry in accepted) <= 1_000


@given(
    names=st.sets(
        st.text(
            st.characters(exclude_categories=["Cs"], exclude_characters="/\0"),
            min_size=1,
            max_size=20,
        ),
        max_size=8,
    )
)
def test_what_taking_a_snapshot_gives_is_accepted(names: set[str]) -> None:
    entries = [Entry(escape(name), "file", 0o644, 1, "0" * 64) for name in names - {".", ".."}]
    manifest, content = encode(entries)
    assert check(content) == list(manifest.entries)


def test_bounds_are_named() -> None:
    many = encode([Entry(f"f{i}", "file", 0o644, 1, "0" * 64) for i in range(21)])[1]
    with pytest.raises(InvalidValueError, match="21 entries; at most 20"):
        check(many)
    large = encode([Entry("f", "file", 0o644, 1_001, "0" * 64)])[1]
    with pytest.raises(InvalidValueError, match="1001 bytes together; at most 1000"):
        check(large)
    with pytest.raises(InvalidValueError, match="more than 20 files need"):
        check(b" " * 200_001)
