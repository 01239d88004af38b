import fcntl
import gzip
import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from blake3 import blake3

from headway.errors import StorageCorruptError, StorageError
from headway.files.base import FileStorage, open_source, read_block
from headway.files.checking import checked_stream
from headway.files.local import LocalFiles
from headway.testing.files_contract import FilesContract

WRITE_STDIN = """
import sys
from pathlib import Path
from headway.files.local import LocalFiles
LocalFiles(Path(sys.argv[1])).write("run-1", sys.stdin.buffer.raw)
"""

FILL = """
import io, os, sys
from pathlib import Path
from headway.errors import StorageFullError
from headway.files.local import LocalFiles
root = Path(sys.argv[1])
storage = LocalFiles(root)
kept = storage.write("run-1", io.BytesIO(b"small"))
try:
    storage.write("run-1", io.BytesIO(bytes(4 << 20)))
except StorageFullError as error:
    print(error)
left = os.statvfs(root)
print(sorted(p.name for p in (root / "run-1" / "files").iterdir()) == [kept.key])
print(left.f_bavail * left.f_bsize > 900_000)
"""


class TestLocalFiles(FilesContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> FileStorage:
        return LocalFiles(tmp_path / "runs")


class TestLocalFilesWithoutUnnamedFiles(FilesContract):
    @pytest.fixture
    def storage(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileStorage:
        monkeypatch.delattr(os, "O_TMPFILE")
        return LocalFiles(tmp_path / "runs")


def test_a_file_lies_under_its_run_and_its_hash(tmp_path: Path) -> None:
    stored = LocalFiles(tmp_path).write("run-1", io.BytesIO(b"x"))
    LocalFiles(tmp_path).write("run-1", io.BytesIO(b"x"))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [tmp_path / "run-1" / "files" / stored.blake3]


def test_a_damaged_file_is_mended_by_writing_it_again(tmp_path: Path) -> None:
    storage = LocalFiles(tmp_path)
    stored = storage.write("run-1", io.BytesIO(b"content"))
    (tmp_path / "run-1" / "files" / stored.key).write_bytes(b"")
    storage.write("run-1", io.BytesIO(b"content"))
    with storage.open("run-1", stored.key) as stream:
        assert stream.read() == b"content"


@pytest.mark.parametrize("unnamed", [True, False])
def test_a_failing_source_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unnamed: bool
) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise RuntimeError("the user's own")
            return super().read(3)

    if not unnamed:
        monkeypatch.delattr(os, "O_TMPFILE")
    with pytest.raises(RuntimeError, match="the user's own"):
        LocalFiles(tmp_path).write("run-1", Failing(b"content"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_killed_writer_leaves_nothing(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITE_STDIN, str(tmp_path)], stdin=subprocess.PIPE, bufsize=0
    )
    assert writer.stdin is not None
    # More than a pipe holds: when the last of it is taken, the writer is in the midst of it.
    writer.stdin.write(bytes(2 << 20))
    assert (tmp_path / "run-1" / "files").is_dir()
    writer.kill()
    writer.wait(10)
    writer.stdin.close()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_root_that_is_no_folder_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "root").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot be written"):
        LocalFiles(tmp_path / "root").write("run-1", io.BytesIO(b"x"))
    with pytest.raises(StorageError, match="cannot be read"):
        LocalFiles(tmp_path / "root").open("run-1", "0" * 64).__enter__()


def test_a_full_disk_is_told_and_nothing_half_made_stays(
    tmp_path: Path, require_program: Callable[[str], str]
) -> None:
    unshare = require_program("unshare")
    mount = f"mount -t tmpfs -o size=1m tmpfs '{tmp_path}' && exec \"$@\""
    inside = [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if subprocess.run([*inside, "true"], check=False).returncode:
        pytest.skip("this machine lets no user mount a small file system")
    done = subprocess.run(
        [*inside, sys.executable, "-c", FILL, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
    )
    message, alone, space = done.stdout.splitlines()
    assert message.startswith("no space is left under ")
    assert (alone, space) == ("True", "True")


def test_a_file_that_grows_while_it_is_read_is_kept_as_it_was_when_it_was_opened(
    tmp_path: Path,
) -> None:
    growing = tmp_path / "growing"
    growing.write_bytes(b"begun")
    with open_source(growing) as stream:
        with growing.open("ab") as more:
            more.write(b" and more")
        assert read_block(stream) == b"begun"
        assert read_block(stream) == b""


def test_a_file_that_tells_no_size_is_read_to_its_end(tmp_path: Path) -> None:
    stored = LocalFiles(tmp_path).write("r", Path("/proc/self/status"))
    assert stored.size_bytes > 0


@pytest.mark.parametrize("expected", ["right", "wrong", None])
def test_a_stream_is_checked_at_its_end(expected: str | None) -> None:
    content = bytes(range(256)) * 10_000
    wanted = {"right": blake3(content).hexdigest(), "wrong": "0" * 64}.get(expected or "")
    with checked_stream(nullcontext(io.BytesIO(content)), wanted, "the file") as stream:
        assert stream.read(1000) == content[:1000]
        if expected == "wrong":
            with pytest.raises(StorageCorruptError, match="the file is damaged"):
                stream.read()
        else:
            assert stream.read() == content[1000:]


def test_a_path_is_shared_where_the_file_system_can_and_a_stream_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared: list[int] = []

    def share(target_fd: int, request: int, source_fd: int) -> None:
        assert request == 0x40049409
        shared.append(os.pwrite(target_fd, os.pread(source_fd, 1 << 20, 0), 0))

    monkeypatch.setattr(fcntl, "ioctl", share)
    storage = LocalFiles(tmp_path / "storage")
    packed = tmp_path / "packed.gz"
    with gzip.open(packed, "wb") as stream:
        stream.write(b"content")
    by_path = storage.write("r", packed)
    assert shared == [by_path.size_bytes] == [packed.stat().st_size]
    with gzip.open(packed) as stream:
        unpacked = storage.write("r", cast("BinaryIO", stream))
    assert len(shared) == 1
    for stored, content in ((by_path, packed.read_bytes()), (unpacked, b"content")):
        with storage.open("r", stored.key) as kept:
            assert kept.read() == content
        assert stored.blake3 == blake3(content).hexdigest()
