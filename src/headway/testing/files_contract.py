"""What every ``headway.files.base.FileStorage`` must do.

Subclass ``FilesContract`` in a test module and override the fixture ``storage``.
"""

import io
import os
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from blake3 import blake3

from headway.errors import InvalidValueError, RunFileNotFoundError
from headway.files.base import BLOCK_BYTES, FileStorage, StoredFile


class _Zeros(io.RawIOBase):
    """So many zero bytes, made as they are read."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1, /) -> bytes:
        count = min(size, self._left)
        self._left -= count
        return bytes(count)


class _Breaking(_Zeros):
    """So many zero bytes, and then an error."""

    def read(self, size: int = -1, /) -> bytes:
        data = super().read(size)
        if not data:
            raise RuntimeError("the user's own")
        return data


class FilesContract:
    """The suite."""

    @pytest.fixture
    def storage(self, tmp_path: Path) -> FileStorage:
        raise NotImplementedError("override the fixture 'storage'")

    @pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES, 3 * BLOCK_BYTES + 5])
    def test_a_file_is_kept_byte_for_byte(
        self, storage: FileStorage, tmp_path: Path, size: int
    ) -> None:
        content = os.urandom(size)
        source = tmp_path / "any name\nat all"
        source.write_bytes(content)
        stored = storage.write("run-1", source)
        assert (stored.size_bytes, stored.blake3) == (size, blake3(content).hexdigest())
        assert _read(storage, "run-1", stored.key) == content

    def test_a_stream_is_kept_from_where_it_stands_and_stays_open(
        self, storage: FileStorage
    ) -> None:
        stream = io.BytesIO(b"headbody")
        stream.seek(4)
        stored = storage.write("run-1", stream)
        assert _read(storage, "run-1", stored.key) == b"body"
        assert not stream.closed

    def test_reading_can_seek(self, storage: FileStorage) -> None:
        stored = storage.write("run-1", io.BytesIO(b"0123456789"))
        with storage.open("run-1", stored.key) as stream:
            stream.seek(7)
            assert stream.read() == b"789"

    def test_equal_content_has_one_key_within_a_run(self, storage: FileStorage) -> None:
        first, second = (storage.write("run-1", io.BytesIO(b"same")) for _ in range(2))
        assert first == second
        assert storage.write("run-1", io.BytesIO(b"other")).key != first.key

    def test_runs_do_not_share_files(self, storage: FileStorage) -> None:
        key = storage.write("run-1", io.BytesIO(b"same")).key
        assert storage.write("run-2", io.BytesIO(b"same")).key == key
        storage.remove("run-1", key)
        assert _read(storage, "run-2", key) == b"same"

    def test_a_removed_file_is_gone_and_can_be_written_again(self, storage: FileStorage) -> None:
        key = storage.write("run-1", io.BytesIO(b"x")).key
        storage.remove("run-1", key)
        storage.remove("run-1", key)
        with pytest.raises(RunFileNotFoundError, match="run-1"):
            _read(storage, "run-1", key)
        assert storage.write("run-1", io.BytesIO(b"x")).key == key
        assert _read(storage, "run-1", key) == b"x"

    def test_removing_does_not_disturb_an_open_reader(self, storage: FileStorage) -> None:
        content = os.urandom(2 * BLOCK_BYTES)
        key = storage.write("run-1", io.BytesIO(content)).key
        with storage.open("run-1", key) as stream:
            begin = stream.read(10)
            storage.remove("run-1", key)
            assert begin + stream.read() == content

    def test_a_key_of_another_storage_is_not_found(self, storage: FileStorage) -> None:
        with pytest.raises(RunFileNotFoundError):
            _read(storage, "run-1", "0" * 64)
        storage.remove("run-1", "0" * 64)

    @pytest.mark.parametrize("key", ["", "../secret", "/etc/passwd", "A" * 64, "0" * 63])
    def test_what_is_no_key_is_refused(self, storage: FileStorage, key: str) -> None:
        with pytest.raises(InvalidValueError, match="is no key"):
            _read(storage, "run-1", key)
        with pytest.raises(InvalidValueError, match="is no key"):
            storage.remove("run-1", key)

    @pytest.mark.parametrize("run_id", ["", "..", "a/b", "a\0"])
    def test_what_is_no_run_id_is_refused(self, storage: FileStorage, run_id: str) -> None:
        with pytest.raises(InvalidValueError, match="run id"):
            storage.write(run_id, io.BytesIO(b"x"))
        with pytest.raises(InvalidValueError, match="run id"):
            _read(storage, run_id, "0" * 64)

    def test_a_link_to_a_file_is_followed(self, storage: FileStorage, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"content")
        (tmp_path / "link").symlink_to("file")
        assert _read(storage, "run-1", storage.write("run-1", tmp_path / "link").key) == b"content"

    def test_a_missing_source_is_refused(self, storage: FileStorage, tmp_path: Path) -> None:
        (tmp_path / "dangling").symlink_to("nowhere")
        for name in ("absent", "dangling"):
            with pytest.raises(InvalidValueError, match=f"{name}.*does not exist"):
                storage.write("run-1", tmp_path / name)
        with pytest.raises(InvalidValueError, match="cannot be read"):
            storage.write("run-1", Path("nul\0byte"))

    def test_a_folder_is_refused(self, storage: FileStorage, tmp_path: Path) -> None:
        with pytest.raises(InvalidValueError, match="is a folder"):
            storage.write("run-1", tmp_path)

    def test_a_pipe_or_device_is_refused_without_waiting(
        self, storage: FileStorage, tmp_path: Path
    ) -> None:
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path / "pipe", Path("/dev/zero")):
            with pytest.raises(InvalidValueError, match="no regular file"):
                storage.write("run-1", path)

    def test_a_text_stream_is_refused(self, storage: FileStorage, tmp_path: Path) -> None:
        (tmp_path / "text").write_text("a")
        with (tmp_path / "text").open(encoding="utf-8") as stream:
            for text_stream in (stream, io.StringIO("a")):
                with pytest.raises(InvalidValueError, match="mode 'rb'"):
                    storage.write("run-1", cast("BinaryIO", text_stream))

    def test_what_is_no_source_is_refused(self, storage: FileStorage) -> None:
        for source in (None, 5, b"bytes"):
            with pytest.raises(InvalidValueError, match="give a path or a binary stream"):
                storage.write("run-1", cast("BinaryIO", source))

    def test_a_stream_that_cannot_be_read_is_refused(
        self, storage: FileStorage, tmp_path: Path
    ) -> None:
        stream = (tmp_path / "file").open("wb")
        with stream, pytest.raises(InvalidValueError, match="cannot be read"):
            storage.write("run-1", stream)
        with pytest.raises(InvalidValueError, match="cannot be read"):
            storage.write("run-1", stream)

    def test_memory_does_not_grow_with_the_size(self, storage: FileStorage) -> None:
        size = 24 * BLOCK_BYTES
        tracemalloc.start()
        try:
            stored = storage.write("run-1", cast("BinaryIO", _Zeros(size)))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert stored.size_bytes == size
        assert peak < 6 * BLOCK_BYTES

    def test_a_file_that_grows_is_kept_as_it_was_read(
        self, storage: FileStorage, tmp_path: Path
    ) -> None:
        path = tmp_path / "log"
        path.write_bytes(b"begin")
        with path.open("rb") as stream, path.open("ab") as writer:
            assert stream.read(2) == b"be"
            writer.write(b" more")
            writer.flush()
            stored = storage.write("run-1", stream)
        content = _read(storage, "run-1", stored.key)
        assert stored.blake3 == blake3(content).hexdigest()
        assert stored.size_bytes == len(content)

    def test_bytes_that_were_announced_are_kept_and_others_are_not(
        self, storage: FileStorage
    ) -> None:
        for content in (b"small", os.urandom(5 * BLOCK_BYTES)):
            digest = blake3(content).hexdigest()
            for _ in range(2):
                stored = storage.write("run-1", io.BytesIO(content), expected=digest)
                assert (stored.key, stored.size_bytes) == (digest, len(content))
            assert _read(storage, "run-1", digest) == content
            with pytest.raises(InvalidValueError, match="was announced"):
                storage.write("run-1", io.BytesIO(content), expected="0" * 64)
            with pytest.raises(RunFileNotFoundError):
                _read(storage, "run-1", "0" * 64)

    def test_what_is_kept_is_found(self, storage: FileStorage) -> None:
        assert list(storage.found("run-1")) == []
        assert list(storage.holders()) == []
        stored = [storage.write("run-1", io.BytesIO(content)) for content in (b"", b"12345")]
        storage.write("run-2", io.BytesIO(b"other"))
        found = sorted(storage.found("run-1"), key=lambda file: file.size_bytes)
        assert [(file.key, file.size_bytes) for file in found] == [
            (file.key, file.size_bytes) for file in stored
        ]
        assert all(file.modified_at > 1_000_000_000_000_000 for file in found)
        assert [storage.find("run-1", file.key) for file in found] == found
        assert sorted(storage.holders()) == ["run-1", "run-2"]
        assert storage.find("run-1", "0" * 64) is None

    def test_what_is_linked_is_kept_by_both(self, storage: FileStorage) -> None:
        key = storage.write("run-1", io.BytesIO(b"content")).key
        assert storage.link("assets", key, storage, "run-1")
        assert storage.link("assets", key, storage, "run-1")
        storage.remove("run-1", key)
        assert _read(storage, "assets", key) == b"content"
        assert not storage.link("assets", key, cast("FileStorage", object()), "run-1")

    def test_what_is_read_may_come_from_the_same_storage(self, storage: FileStorage) -> None:
        content = os.urandom(5 * BLOCK_BYTES)
        key = storage.write("run-1", io.BytesIO(content)).key
        with storage.open("run-1", key) as stream:
            assert storage.write("run-2", stream).key == key
        assert _read(storage, "run-2", key) == content

    def test_a_source_that_breaks_off_leaves_nothing(self, storage: FileStorage) -> None:
        for size in (1, 5 * BLOCK_BYTES):
            with pytest.raises(RuntimeError, match="the user's own"):
                storage.write("run-1", cast("BinaryIO", _Breaking(size)))
        assert list(storage.found("run-1")) == []

    def test_threads_write_one_run_at_once(self, storage: FileStorage) -> None:
        contents = [b"same", b"a", b"b", b"same"] * 4
        barrier = threading.Barrier(len(contents))

        def write(content: bytes) -> StoredFile:
            barrier.wait(10)
            return storage.write("run-1", io.BytesIO(content))

        with ThreadPoolExecutor(len(contents)) as pool:
            stored = list(pool.map(write, contents))
        assert len({file.key for file in stored}) == 3
        for file, content in zip(stored, contents, strict=True):
            assert _read(storage, "run-1", file.key) == content


def _read(storage: FileStorage, run_id: str, key: str) -> bytes:
    with storage.open(run_id, key) as stream:
        return stream.read()
