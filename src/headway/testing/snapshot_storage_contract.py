"""What every ``headway.snapshots.base.SnapshotStorage`` must do.

Subclass ``SnapshotStorageContract`` in a test module and override the fixture ``open_at``.
"""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3

from headway.contents import Content
from headway.errors import (
    ConflictError,
    InvalidValueError,
    NotFoundError,
)
from headway.snapshots import SnapshotStore, plan_snapshot
from headway.snapshots.archive import write_zip
from headway.snapshots.base import SnapshotStorage
from headway.snapshots.carrying import carry
from headway.snapshots.diff import diff, unified
from headway.snapshots.tree import Entry, encode

DAY_S = 86_400
OpenAt = Callable[[float], SnapshotStorage]


class SnapshotStorageContract:
    """The suite."""

    @pytest.fixture
    def open_at(self) -> OpenAt:
        """Opens one storage, empty at first, with a clock that is so many seconds ahead."""
        raise NotImplementedError("override the fixture 'open_at'")

    @pytest.fixture
    def storage(self, open_at: OpenAt) -> SnapshotStorage:
        return open_at(0)

    def test_contents_come_back_as_they_were(self, storage: SnapshotStorage) -> None:
        contents = [b"", b"small", os.urandom(5 << 20)]
        snapshot_id = keep(storage, contents)
        with storage.contents() as blobs:
            for entry in storage.load(snapshot_id).entries:
                content = blobs.read(entry)
                assert content in contents
                assert b"".join(blobs.blocks(entry)) == content
                with storage.open_blob(entry.blake3) as stream:
                    assert stream.read() == content

    def test_a_content_is_written_to_an_open_file(
        self, storage: SnapshotStorage, tmp_path: Path
    ) -> None:
        content = os.urandom(1 << 20)
        [entry] = storage.load(keep(storage, [content])).entries
        with (tmp_path / "out").open("wb") as out, storage.contents() as blobs:
            blobs.copy(entry, out.fileno())
        assert (tmp_path / "out").read_bytes() == content

    @pytest.mark.parametrize("count", [3, 120])
    def test_what_is_lacking_is_said(self, storage: SnapshotStorage, count: int) -> None:
        contents = [b"%d" % number for number in range(count)]
        asked = [Content(blake3(one).hexdigest(), len(one)) for one in contents]
        assert storage.missing(asked) == [one.blake3 for one in asked]
        for content in contents[1:]:
            _put(storage, content)
        assert storage.missing(asked) == [asked[0].blake3]
        other_size = [Content(one.blake3, one.size_bytes + 1) for one in asked]
        assert storage.missing(other_size) == [one.blake3 for one in asked]
        assert storage.missing([]) == []

    def test_what_is_not_what_it_should_be_is_not_kept(self, storage: SnapshotStorage) -> None:
        for content in (b"content", os.urandom(5 << 20)):
            digest = blake3(content + b"x").hexdigest()
            with pytest.raises(InvalidValueError, match=digest):
                storage.put_blob(digest, io.BytesIO(content), max_bytes=1 << 30)
            digest = blake3(content).hexdigest()
            with pytest.raises(InvalidValueError, match="the most that a snapshot may have"):
                storage.put_blob(digest, io.BytesIO(content), max_bytes=len(content) - 1)
            assert storage.missing([Content(digest, len(content))]) == [digest]
            with pytest.raises(NotFoundError):
                storage.open_blob(digest).__enter__()

    @pytest.mark.parametrize("digest", ["", "..", "../" + "0" * 61, "A" * 64, "0" * 65])
    def test_what_is_no_hash_is_refused(self, storage: SnapshotStorage, digest: str) -> None:
        with pytest.raises(InvalidValueError, match="no BLAKE3 hash"):
            storage.missing([Content(digest, 0)])
        with pytest.raises(InvalidValueError, match="no BLAKE3 hash"):
            storage.put_blob(digest, io.BytesIO(), max_bytes=10)
        with pytest.raises(InvalidValueError, match="no BLAKE3 hash"):
            storage.open_blob(digest).__enter__()
        with pytest.raises(NotFoundError, match="no snapshot"):
            storage.load(digest)

    def test_a_snapshot_without_its_contents_is_not_kept(self, storage: SnapshotStorage) -> None:
        manifest, content = encode([_entry("a", b"1"), _entry("b", b"2")])
        _put(storage, b"1")
        with pytest.raises(ConflictError, match="'b'"):
            storage.commit(manifest, content)
        with pytest.raises(NotFoundError):
            storage.load(manifest.id)
        _put(storage, b"2")
        for _ in range(2):
            storage.commit(manifest, content)
        assert storage.load(manifest.id) == manifest

    def test_snapshots_are_packed_and_compared(
        self, storage: SnapshotStorage, tmp_path: Path
    ) -> None:
        before, after = (keep(storage, [b"a = %d\n" % number]) for number in (1, 2))
        write_zip(storage, before, tmp_path / "out.zip")
        assert (tmp_path / "out.zip").stat().st_size > 0
        lines = list(unified(diff(storage.load(before), storage.load(after)), storage))
        assert {"-a = 1", "+a = 2"} <= {*lines}

    def test_a_snapshot_is_carried_here_and_away(
        self, storage: SnapshotStorage, tmp_path: Path
    ) -> None:
        source = tmp_path / "source"
        (source / "deep").mkdir(parents=True)
        for number in range(60):
            (source / "deep" / str(number)).write_text(f"content {number % 50}")
        (source / "link").symlink_to("deep")
        here, there = SnapshotStore(tmp_path / "here"), SnapshotStore(tmp_path / "there")
        snapshot_id = here.take(plan_snapshot(source, max_bytes=1 << 20, max_files=100)).id
        for _ in range(2):
            carry(snapshot_id, here, storage)
        carry(snapshot_id, storage, there)
        there.materialize(snapshot_id, tmp_path / "again")
        assert (tmp_path / "again" / "deep" / "59").read_text() == "content 9"
        assert (tmp_path / "again" / "link").readlink() == Path("deep")

    def test_what_no_run_has_goes_when_it_is_a_day_old(self, open_at: OpenAt) -> None:
        now, late = open_at(0), open_at(2 * DAY_S)
        first, second = keep(now, [b"first", b"both"]), keep(now, [b"second", b"both"])
        assert now.remove_unused([]) == []
        assert [blob.size_bytes for blob in late.unused([second])] == [5]
        assert [blob.size_bytes for blob in late.remove_unused([second, "0" * 64])] == [5]
        with pytest.raises(NotFoundError):
            now.load(first)
        assert now.load(second).size_bytes == 10
        assert late.remove_unused([second]) == []

    def test_a_content_on_its_way_to_a_snapshot_stays(self, open_at: OpenAt) -> None:
        now = open_at(0)
        _put(now, b"content")
        assert now.remove_unused([]) == []
        manifest, content = encode([_entry("a", b"content")])
        now.commit(manifest, content)
        assert now.load(manifest.id) == manifest


def _entry(path: str, content: bytes) -> Entry:
    return Entry(path, "file", 0o644, len(content), blake3(content).hexdigest())


def _put(storage: SnapshotStorage, content: bytes) -> None:
    storage.put_blob(blake3(content).hexdigest(), io.BytesIO(content), max_bytes=len(content))


def keep(storage: SnapshotStorage, contents: list[bytes]) -> str:
    """A snapshot of files with these contents."""
    for content in contents:
        _put(storage, content)
    entries = [_entry(f"file-{number}", content) for number, content in enumerate(contents)]
    manifest, listed = encode(entries)
    storage.commit(manifest, listed)
    return manifest.id
