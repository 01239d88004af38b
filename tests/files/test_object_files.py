import io
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import pytest
from blake3 import blake3

from headway.errors import (
    ConfigurationError,
    NotFoundError,
    StorageBusyError,
    StorageError,
    StorageFullError,
)
from headway.files.base import BLOCK_BYTES, FileStorage
from headway.files.object_files import ObjectFiles
from headway.files.object_store import ObjectStore, open_store
from headway.service.storage import check_object_storage
from headway.testing.files_contract import FilesContract

if TYPE_CHECKING:
    from tests.files.conftest import FailingStore

MEMORY = """
import resource, sys
from headway.files.object_files import ObjectFiles
from headway.files.object_store import open_store

class Zeros:
    left = 400 << 20
    def read(self, size):
        count = min(size, self.left)
        self.left -= count
        return bytes(count)

def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

files = ObjectFiles(open_store(sys.argv[1]), "runs")
small = files.write("run-1", __import__("io").BytesIO(b"x" * (6 << 20)))
before = peak_mib()
stored = files.write("run-1", Zeros())
with files.open("run-1", stored.key) as stream:
    while stream.read(1 << 20):
        pass
print(stored.size_bytes, peak_mib() - before)
"""


class TestFilesInMemory(FilesContract):
    @pytest.fixture
    def storage(self) -> FileStorage:
        return ObjectFiles(open_store("memory://"), "runs")

    # In this process the store itself holds what was written; measured in a folder instead.
    test_memory_does_not_grow_with_the_size = None  # pyright: ignore[reportAssignmentType]


class TestFilesInAFolder(FilesContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> FileStorage:
        return ObjectFiles(open_store(f"file://{tmp_path}/objects"), "runs")

    def test_memory_does_not_grow_with_the_size(  # pyright: ignore[reportIncompatibleMethodOverride]  # measured where nothing else is
        self, tmp_path: Path
    ) -> None:
        command = [sys.executable, "-c", MEMORY, f"file://{tmp_path}/objects"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        size, grown_mib = map(int, done.stdout.split())
        assert size == 400 << 20
        assert grown_mib < 64


@pytest.mark.enable_socket
class TestFilesInS3(FilesContract):
    @pytest.fixture
    def storage(self, bucket: str) -> FileStorage:
        return ObjectFiles(open_store(bucket), "runs")

    # In this process the store itself holds what was written; measured in a folder instead.
    test_memory_does_not_grow_with_the_size = None  # pyright: ignore[reportAssignmentType]


class SameStore(ObjectStore):
    """The objects of another one."""

    def __init__(self, store: ObjectStore) -> None:
        vars(self).update(vars(store))


def paths(store: ObjectStore) -> list[str]:
    return sorted(one.path for one in store.below("runs"))


# ---------------------------------------------------------------- what lies where


@pytest.mark.parametrize("size", [5, 5 * BLOCK_BYTES])
def test_a_file_lies_under_its_run_and_its_hash(size: int) -> None:
    store = open_store("memory://")
    stored = ObjectFiles(store, "runs").write("run-1", io.BytesIO(bytes(size)))
    assert paths(store) == [f"runs/run-1/files/{stored.blake3}"]


def test_what_is_kept_is_not_sent_again_unless_it_is_old() -> None:
    store = open_store("memory://")
    sent: list[str] = []

    class Told(SameStore):
        def put_whole(self, path: str, content: bytes) -> None:
            sent.append(path)
            super().put_whole(path, content)

    now = time.time_ns() // 1000
    told = Told(store)
    for hours in (0, 0, 2, 2):
        later = now + hours * 3_600_000_000
        ObjectFiles(told, "runs", clock=lambda at=later: at).write("run-1", io.BytesIO(b"content"))
    assert len(sent) == 3


def test_what_a_killed_writer_left_is_removed_after_a_day() -> None:
    store = open_store("memory://")
    store.put_whole("runs/incoming/left", b"12345")
    files = ObjectFiles(store, "runs")
    kept = files.write("run-1", io.BytesIO(b"x"))
    assert files.remove_abandoned() == 0
    later = time.time_ns() // 1000 + 25 * 3_600_000_000
    assert ObjectFiles(store, "runs", clock=lambda: later).remove_abandoned() == 5
    assert paths(store) == [f"runs/run-1/files/{kept.key}"]


def test_a_copy_that_the_store_refuses_passes_through_here() -> None:
    class Refusing(SameStore):
        def copy(self, path: str, target: str) -> None:
            raise StorageBusyError("the source is larger than 5 GB")

    files = ObjectFiles(Refusing(open_store("memory://")), "runs")
    content = os.urandom(5 * BLOCK_BYTES)
    stored = files.write("run-1", io.BytesIO(content))
    with files.open("run-1", stored.key) as stream:
        assert stream.read() == content
    assert not files.link("assets", stored.key, files, "run-1")


@pytest.mark.parametrize(
    "address", ["s3://", "ftp://host/x", "nonsense", "", "s3://no bucket/x", "http://x/y"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="s3://BUCKET/PATH"):
        open_store(address)


def test_an_azure_account_that_is_not_named_is_asked_for() -> None:
    with pytest.raises(ConfigurationError, match="Account must be specified"):
        open_store("az://container/path")


# ---------------------------------------------------------------- a store that fails


@pytest.mark.enable_socket
def test_a_store_is_checked_before_it_is_relied_upon(
    bucket: str, failing_store: "FailingStore", monkeypatch: pytest.MonkeyPatch, s3_endpoint: str
) -> None:
    failing_store.answers = [error_of(403, "AccessDenied")]
    with pytest.raises(StorageError, match="refused access"):
        check_object_storage(bucket)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    check_object_storage(bucket)
    assert list(open_store(bucket).below("")) == []


@pytest.mark.enable_socket
def test_a_bucket_that_is_not_there_is_named(bucket: str) -> None:
    files = ObjectFiles(open_store("s3://absent-bucket/x", patience_s=0), "runs")
    for act in (lambda: files.write("run-1", io.BytesIO(b"x")), lambda: list(files.found("run-1"))):
        with pytest.raises(StorageError, match=r"no bucket or container at s3://absent-bucket/x"):
            act()


@pytest.mark.enable_socket
def test_nothing_is_left_of_an_upload_that_breaks_off(bucket: str, s3_endpoint: str) -> None:
    files = ObjectFiles(open_store(bucket), "runs")

    class Breaking:
        left = 12

        def read(self, size: int) -> bytes:
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("the user's own")
            return bytes(size)

    with pytest.raises(RuntimeError, match="the user's own"):
        files.write("run-1", cast("BinaryIO", Breaking()))
    assert list(files.found("run-1")) == []
    name = bucket.split("/")[2]
    with urllib.request.urlopen(f"{s3_endpoint}/{name}?uploads") as answer:
        assert b"<UploadId>" not in answer.read()


def error_of(code: int, word: str) -> tuple[int, bytes, int]:
    body = f"<?xml version='1.0'?><Error><Code>{word}</Code><Message>m</Message></Error>".encode()
    return code, body, len(body)


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("status", "word", "kind", "says"),
    [
        (403, "AccessDenied", StorageError, "refused access.*credentials"),
        (403, "InvalidAccessKeyId", StorageError, "refused access.*credentials"),
        (401, "Unauthorized", StorageError, "refused access.*credentials"),
        (507, "InsufficientStorage", StorageFullError, "no space is left.*quota"),
        (400, "QuotaExceeded", StorageFullError, "no space is left"),
        (500, "InternalError", StorageBusyError, "did not answer.*do it again later"),
        (503, "SlowDown", StorageBusyError, "did not answer.*do it again later"),
    ],
)
def test_what_the_store_answers_is_told_with_what_to_do(
    failing_store: "FailingStore", status: int, word: str, kind: type[StorageError], says: str
) -> None:
    files = ObjectFiles(open_store("s3://bucket/x", patience_s=0), "runs")
    failing_store.answers = [error_of(404, ""), error_of(status, word)]
    with pytest.raises(kind, match=says) as raised:
        files.write("run-1", io.BytesIO(b"x"))
    assert type(raised.value) is kind
    assert "planted secret" not in raised.value.message
    assert "\n" not in raised.value.message
    failing_store.answers = [error_of(status, word)]
    with pytest.raises(kind, match=says):
        list(files.found("run-1"))


def test_a_store_that_is_not_there_is_told(s3_environment: "object") -> None:
    cast("type", s3_environment)("http://127.0.0.1:1")
    files = ObjectFiles(open_store("s3://bucket/x", patience_s=0), "runs")
    with pytest.raises(StorageBusyError, match="do it again later"):
        files.write("run-1", io.BytesIO(b"x"))


@pytest.mark.enable_socket
def test_a_download_that_breaks_off_goes_on_where_it_ended(failing_store: "FailingStore") -> None:
    content = bytes(range(256)) * 10_000
    digest = blake3(content).hexdigest()
    failing_store.answers = [(200, b"", len(content))]
    failing_store.content, failing_store.cuts = content, [1_000_000, 5, 0, 700_000]
    files = ObjectFiles(open_store("s3://bucket/x", patience_s=0), "runs")
    with files.open("run-1", digest) as stream:
        assert stream.read() == content
    assert failing_store.cuts == []


@pytest.mark.enable_socket
def test_a_download_that_breaks_off_each_time_is_told(failing_store: "FailingStore") -> None:
    failing_store.answers = [(200, b"", 1000), error_of(500, "InternalError")]
    files = ObjectFiles(open_store("s3://bucket/x", patience_s=0), "runs")
    with files.open("run-1", "0" * 64) as stream, pytest.raises(StorageBusyError):
        stream.read()
    assert len(failing_store.requests) <= 8


def test_reading_from_a_store_knows_the_ends() -> None:
    store = open_store("memory://")
    store.put_whole("a/object", b"0123456789")
    with store.open("a/object") as stream:
        assert stream.seek(-3, io.SEEK_END) == 7
        assert stream.read() == b"789"
        assert stream.seek(20) == 20
        assert stream.read() == b""
        with pytest.raises(ValueError, match="before the beginning"):
            stream.seek(-1)
    with pytest.raises(NotFoundError):
        store.open("a/nothing")
    assert store.read("a/object", 3, 4) == b"3456"
    assert store.folders("a") == []
