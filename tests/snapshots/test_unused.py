import fcntl
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headway.errors import NotFoundError, StorageBusyError, StorageCorruptError
from headway.snapshots import Manifest, SnapshotStore, plan_snapshot
from headway.snapshots.unused import exclusive_lock

DAY_S = 86_400


def ahead(seconds: float) -> Callable[[], int]:
    return lambda: time.time_ns() + int(seconds * 1e9)


def take(store: SnapshotStore, folder: Path, **files: str) -> Manifest:
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_text(content)
    return store.take(plan_snapshot(folder, max_bytes=1 << 20, max_files=1_000))


def blobs(tmp_path: Path) -> set[str]:
    return {path.read_text() for path in (tmp_path / "kept" / "blobs").rglob("?" * 64)}


def test_what_no_run_has_is_removed_and_what_one_has_stays(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    first = take(store, source, a="only first", b="both")
    second = take(store, source, a="only second", b="both")
    late = SnapshotStore(tmp_path / "kept", clock_ns=ahead(2 * DAY_S))
    assert [blob.size_bytes for blob in late.unused([second.id, "no such"])] == [10]
    assert blobs(tmp_path) == {"only first", "only second", "both"}
    assert [blob.size_bytes for blob in late.remove_unused([second.id])] == [10]
    assert blobs(tmp_path) == {"only second", "both"}
    with pytest.raises(NotFoundError):
        store.load(first.id)
    store.materialize(second.id, tmp_path / "again")
    assert late.remove_unused([second.id]) == []


def test_what_was_taken_lately_stays_though_no_run_has_it_yet(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    manifest = take(store, source, a="1")
    assert store.unused([]) == store.remove_unused([]) == []
    tree = tmp_path / "kept" / "trees" / f"{manifest.id}.json"
    [blob] = (tmp_path / "kept" / "blobs").rglob("?" * 64)
    os.utime(tree, (1, 1))
    assert store.unused([]) == []  # the content itself is young
    os.utime(blob, (1, 1))
    assert len(store.unused([])) == 1
    assert take(store, source, a="1") == manifest  # taken again, it is young again
    assert store.remove_unused([]) == []
    store.materialize(manifest.id, tmp_path / "again")


def test_what_was_removed_is_taken_anew(source: Path, tmp_path: Path) -> None:
    late = SnapshotStore(tmp_path / "kept", clock_ns=ahead(2 * DAY_S))
    manifest = take(late, source, a="1")  # remembered as seen, so it need not be read again
    assert late.unused([manifest.id]) == []
    assert len(late.remove_unused([])) == 1
    assert late.take(plan_snapshot(source, max_bytes=100, max_files=10)) == manifest
    late.materialize(manifest.id, tmp_path / "again")
    assert (tmp_path / "again" / "a").read_text() == "1"


def test_an_empty_folder_has_nothing_unused(store: SnapshotStore) -> None:
    assert store.unused([]) == []
    assert store.remove_unused(["0" * 64]) == []


def test_a_damaged_list_of_files_that_is_needed_stops_the_removal(
    source: Path, store: SnapshotStore, tmp_path: Path
) -> None:
    kept = take(store, source, a="1")
    take(store, source, a="2")
    tree = tmp_path / "kept" / "trees" / f"{kept.id}.json"
    tree.write_bytes(tree.read_bytes()[:-1])
    late = SnapshotStore(tmp_path / "kept", clock_ns=ahead(2 * DAY_S))
    with pytest.raises(StorageCorruptError, match="damaged"):
        late.remove_unused([kept.id])
    assert blobs(tmp_path) == {"1", "2"}


def test_removing_while_others_take_leaves_every_snapshot_whole(
    store: SnapshotStore, tmp_path: Path
) -> None:
    stop = threading.Event()
    removed = 0

    def take_on(number: int) -> int:
        source = tmp_path / f"source-{number}"
        for i in range(60):
            # Few contents, so that the takers come upon each other's all the time.
            take(store, source, **{f"f{j}": f"{(i * j + number) % 7}" for j in range(5)})
        return 60

    def remove_on() -> int:
        count = 0
        while not stop.is_set():
            count += len(store.remove_unused([], min_age_s=-DAY_S))
            for tree in (tmp_path / "kept" / "trees").iterdir():
                with exclusive_lock(tmp_path / "kept" / "lock"):
                    if not tree.exists():
                        continue
                    held = {entry.blake3 for entry in store.load(tree.stem).entries}
                    assert held <= {path.name for path in (tmp_path / "kept").rglob("?" * 64)}
        return count

    with ThreadPoolExecutor(3) as pool:
        removing = pool.submit(remove_on)
        try:
            assert sum(pool.map(take_on, range(2))) == 120
        finally:
            stop.set()
        removed = removing.result(20)
    assert removed > 0


def test_removing_gives_up_where_snapshots_are_taken_all_the_time(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    slept: list[float] = []
    with lock.open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        with (
            pytest.raises(StorageBusyError, match="without a pause"),
            exclusive_lock(lock, sleep=slept.append, patience_s=0.01),
        ):
            pass
        assert slept
        fcntl.flock(other, fcntl.LOCK_UN)
        with exclusive_lock(lock):
            pass
