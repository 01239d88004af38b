import itertools
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InvalidValueError, NotFoundError, StorageBusyError
from headway.files.base import Logs
from headway.files.log_folder import FolderLogs
from headway.files.log_objects import ObjectLogs
from headway.files.object_store import ObjectStore, open_store
from headway.testing.logs_contract import NAME, LogsContract, whole


class TestFolderLogs(LogsContract):
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Callable[[], Logs]:
        return lambda: FolderLogs(tmp_path / "logs", durable=True)


class TestFolderLogsBesideOtherThings(LogsContract):
    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Callable[[], Logs]:
        return lambda: FolderLogs(tmp_path / "runs", only=("logs", "user_logs"))


class TestLogsInMemory(LogsContract):
    @pytest.fixture
    def reopen(self) -> Callable[[], Logs]:
        store = open_store("memory://")
        return lambda: ObjectLogs(store, "logs")


@pytest.mark.enable_socket
class TestLogsInS3(LogsContract):
    @pytest.fixture
    def reopen(self, bucket: str) -> Callable[[], Logs]:
        return lambda: ObjectLogs(open_store(bucket), "logs")


# ---------------------------------------------------------------- in a folder


@pytest.mark.parametrize("flags", [0, os.O_DIRECTORY])
def test_no_link_is_followed_to_a_log(tmp_path: Path, flags: int) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"secret")
    (tmp_path / "root" / "run-1").mkdir(parents=True)
    if flags:
        (tmp_path / "root" / "run-1" / "logs").symlink_to(outside)
    else:
        (tmp_path / "root" / "run-1" / "logs").mkdir()
        (tmp_path / "root" / "run-1" / "logs" / "file").symlink_to(outside / "file")
    logs = FolderLogs(tmp_path / "root")
    assert logs.read("run-1", "logs/file", 0, 10) == b""
    assert logs.size("run-1", "logs/file") is None
    assert logs.list("run-1") == []
    with pytest.raises(InvalidValueError, match="cannot be the name of a log"):
        logs.append("run-1", "logs/file", 0, b"x")
    assert (outside / "file").read_bytes() == b"secret"


def test_a_pipe_is_neither_read_nor_waited_for(tmp_path: Path) -> None:
    (tmp_path / "run-1").mkdir()
    os.mkfifo(tmp_path / "run-1" / "pipe")
    logs = FolderLogs(tmp_path)
    assert logs.list("run-1") == []
    assert logs.read("run-1", "pipe", 0, 1) == b""
    with pytest.raises(InvalidValueError):
        logs.append("run-1", "pipe", 0, b"x")


def test_what_a_file_system_takes_for_no_name_is_refused(tmp_path: Path) -> None:
    logs = FolderLogs(tmp_path)
    logs.append("run-1", "logs/a", 0, b"x")
    for name in ("logs/a/b", "logs", "x" * 300):
        with pytest.raises(InvalidValueError, match="give another name"):
            logs.append("run-1", name, 0, b"x")
    assert [log.name for log in logs.list("run-1")] == ["logs/a"]


def test_only_the_folders_of_logs_are_touched(tmp_path: Path) -> None:
    other = tmp_path / "run-1" / "files" / "key"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"kept")
    logs = FolderLogs(tmp_path, only=("logs",))
    assert list(logs.holders()) == []
    with pytest.raises(InvalidValueError, match="under logs/"):
        logs.append("run-1", "files/key", 0, b"x")
    logs.append("run-1", "logs/a", 0, b"x")
    logs.remove("run-1")
    assert other.read_bytes() == b"kept"


# ---------------------------------------------------------------- in an object store


class KilledError(Exception):
    """Where a process was killed."""


class FaultyStore(ObjectStore):
    """Stops for good after so many operations that change something."""

    def __init__(self, store: ObjectStore, left: int) -> None:
        self._client = store._client
        self._address = store._address
        self._obstore = store._obstore
        self.left = left

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KilledError

    def put(self, path: str, blocks: Iterable[bytes], *, size: int = 0) -> None:
        self._count()
        super().put(path, blocks, size=size)

    def put_whole(self, path: str, content: bytes) -> None:
        self._count()
        super().put_whole(path, content)

    def delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            self._count()
            super().delete([path])


def objects(store: ObjectStore) -> list[str]:
    return sorted(one.path for one in store.below("logs"))


def test_many_stretches_are_put_together() -> None:
    store = open_store("memory://")
    logs = ObjectLogs(store, "logs")
    for number in range(1_000):
        logs.append("run-1", NAME, 10 * number, b"%09d\n" % number)
    assert len(objects(store)) < 32
    assert logs.size("run-1", NAME) == 10_000
    text = whole(ObjectLogs(store, "logs"), NAME)
    assert text == b"".join(b"%09d\n" % number for number in range(1_000))


class CountingStore(FaultyStore):
    """Adds up what is written."""

    written = 0

    def put(self, path: str, blocks: Iterable[bytes], *, size: int = 0) -> None:
        self.written += size
        super().put(path, blocks, size=size)


@pytest.mark.parametrize(("block", "count"), [(100, 3_000), (5_000, 2_000), (1 << 16, 150)])
def test_a_byte_is_written_again_a_few_times_and_objects_stay_few(block: int, count: int) -> None:
    store = CountingStore(open_store("memory://"), 1 << 30)
    logs = ObjectLogs(store, "logs")
    for number in range(count):
        logs.append("run-1", NAME, number * block, bytes(block))
    assert len(objects(store)) <= 3 * 32
    assert sum(one.size_bytes for one in store.below("logs")) == count * block
    assert store.written < 12 * count * block


@pytest.mark.parametrize("survived", range(40))
def test_a_process_killed_at_any_step_of_putting_together_loses_nothing(survived: int) -> None:
    store = open_store("memory://")
    content = b"".join(b"%03d\n" % number for number in range(32))
    logs = ObjectLogs(FaultyStore(store, 31 + survived), "logs")
    try:
        for at in range(0, len(content), 4):
            logs.append("run-1", NAME, at, content[at : at + 4])
    except KilledError:
        pass
    after = ObjectLogs(store, "logs")
    kept = whole(after, NAME)
    assert content.startswith(kept)
    assert len(kept) >= 31 * 4
    after.append("run-1", NAME, len(kept), content[len(kept) :])
    for at in range(len(content), len(content) + 400, 4):
        content += b"more"
        after.append("run-1", NAME, at, b"more")
    assert whole(ObjectLogs(store, "logs"), NAME) == content


@given(
    cuts=st.lists(st.integers(1, 199), max_size=12),
    copies=st.lists(st.tuples(st.integers(0, 199), st.integers(0, 60)), max_size=8),
)
def test_it_does_not_matter_how_many_stretches_hold_the_bytes(
    cuts: list[int], copies: list[tuple[int, int]]
) -> None:
    content = bytes(range(200))
    store = open_store("memory://")
    edges = [0, *sorted(set(cuts)), 200]
    spans = list(itertools.pairwise(edges))
    for begin, end in [*spans, *((at, min(200, at + length)) for at, length in copies)]:
        store.put_whole(
            f"logs/run-1/{NAME.replace('/', '=2F')}/{begin:016d}-{end:016d}", content[begin:end]
        )
    logs = ObjectLogs(store, "logs")
    for offset in (0, 1, 57, 199):
        assert whole(logs, NAME, offset) == content[offset:]
    assert logs.size("run-1", NAME) == 200


def test_a_stretch_that_is_put_together_while_it_is_read_is_found_again() -> None:
    store = open_store("memory://")
    reader, writer = ObjectLogs(store, "logs"), ObjectLogs(store, "logs")
    for at in range(0, 20, 2):
        writer.append("run-1", NAME, at, b"ab")
    assert reader.read("run-1", NAME, 0, 2) == b"ab"
    for at in range(20, 200, 2):
        writer.append("run-1", NAME, at, b"ab")
    assert reader.read("run-1", NAME, 2, 2) == b"ab"


def test_a_log_whose_objects_vanish_each_time_is_told() -> None:
    class Vanishing(FaultyStore):
        def read(self, path: str, offset: int, size: int) -> bytes:
            raise NotFoundError(path)

    store = open_store("memory://")
    ObjectLogs(store, "logs").append("run-1", NAME, 0, b"x")
    with pytest.raises(StorageBusyError, match="do it again"):
        ObjectLogs(Vanishing(store, 0), "logs").read("run-1", NAME, 0, 1)
