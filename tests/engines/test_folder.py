"""The files of a run: whole or not there, and checked when they are read."""

import contextlib
import fcntl
import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.engines import document
from headway.engines.folder import Intent, RunFolder, RunSpec, ShimRecord
from headway.engines.processes import Process
from headway.errors import RunStateError, StorageCorruptError, StorageError

texts = st.text()  # surrogates included: names of files need not be UTF-8
counts = st.integers(0, 2**63)
records = st.builds(
    ShimRecord,
    sequence=counts,
    phase=st.sampled_from(["Starting", "Running", "Ending", "Ended"]),
    boot_id=texts,
    shim_pid=counts,
    shim_start=counts,
    main_pid=st.none() | counts,
    outcome=st.sampled_from([None, "Completed", "Failed", "Canceled"]),
    exit_code=st.none() | st.integers(0, 255),
    error_code=st.none() | texts,
    message=texts,
    clean=st.booleans(),
    survivors=st.lists(counts),
    by=st.none() | texts,
)
specs = st.builds(
    RunSpec,
    run_id=texts,
    command=st.lists(texts),
    cwd=texts,
    env=st.dictionaries(texts, texts),
    grace_s=st.floats(0, 1e9),
    max_run_duration_s=st.none() | st.floats(0, 1e9),
)
intents = st.builds(
    Intent,
    outcome=st.sampled_from(["Canceled", "Failed"]),
    at=counts,
    by=texts,
    grace_s=st.none() | st.floats(0, 1e9),
    code=st.none() | texts,
    message=texts,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return RunFolder(tmp_path_factory.mktemp("run"))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "a run")
    made.create(RunSpec(run_id="r", command=["true"], cwd="/"))
    return made


@given(record=records)
def test_a_state_reads_as_it_was_written(shared: RunFolder, record: ShimRecord) -> None:
    shared.write_state(record)
    assert shared.read_state() == record


@given(spec=specs)
def test_a_specification_reads_as_it_was_written(shared: RunFolder, spec: RunSpec) -> None:
    document.replace(shared.spec_file, asdict(spec), durable=False)
    assert shared.read_spec() == spec


@given(intent=intents)
def test_an_intent_reads_as_it_was_written(shared: RunFolder, intent: Intent) -> None:
    shared.intent_file.unlink(missing_ok=True)
    assert shared.write_intent(intent)
    assert shared.read_intent() == intent


@given(content=st.binary() | st.recursive(st.none() | st.floats(), st.lists).map(repr))
def test_garbage_is_an_error_that_names_the_file(shared: RunFolder, content: bytes | str) -> None:
    data = content.encode() if isinstance(content, str) else content
    for path, read in (
        (shared.state_file, shared.read_state),
        (shared.intent_file, shared.read_intent),
        (shared.spec_file, shared.read_spec),
    ):
        path.write_bytes(data)
        with pytest.raises(StorageCorruptError, match=path.name):
            read()
    shared.tree_file.write_bytes(data)
    assert shared.read_tree() == []


@given(
    record=records,
    name=st.sampled_from(list(ShimRecord.__dataclass_fields__)),
    value=st.none() | st.booleans() | st.text() | st.lists(st.text()) | st.floats(),
)
def test_a_member_of_another_type_is_an_error_or_accepted(
    shared: RunFolder, record: ShimRecord, name: str, value: object
) -> None:
    shared.state_file.write_text(json.dumps(asdict(record) | {name: value}))
    with contextlib.suppress(StorageCorruptError):
        read = shared.read_state()
        assert read is not None
        assert asdict(read)[name] == value


def test_what_a_newer_headway_adds_is_ignored(folder: RunFolder) -> None:
    content = json.loads(folder.spec_file.read_text())
    folder.spec_file.write_text(json.dumps(content | {"new": 1}))
    assert folder.read_spec().run_id == "r"


def test_a_new_folder_has_an_empty_log_and_no_state(folder: RunFolder) -> None:
    assert folder.log_file.read_bytes() == b""
    assert folder.work_dir.is_dir()
    assert folder.read_state() is None
    assert folder.read_intent() is None
    assert folder.read_tree() == []
    assert not folder.alive()


def test_a_folder_without_specification_says_so(tmp_path: Path) -> None:
    with pytest.raises(StorageCorruptError, match="is missing"):
        RunFolder(tmp_path).read_spec()
    assert not RunFolder(tmp_path).alive()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file"):
        RunFolder(tmp_path / "file" / "run").create(RunSpec(run_id="r", command=[], cwd="/"))


def test_a_lock_is_held_until_all_its_descriptors_are_closed(folder: RunFolder) -> None:
    fd = folder.hold()
    second = os.dup(fd)
    assert folder.alive()
    os.close(fd)
    assert folder.alive()
    assert folder.try_hold() is None
    os.close(second)
    assert not folder.alive()


def test_a_run_that_is_held_cannot_be_held_again(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.engines.folder._HOLD_PATIENCE_S", 0.01)
    fd = folder.hold()
    with pytest.raises(RunStateError, match="held by a living process"):
        folder.hold()
    os.close(fd)


def test_one_who_looks_does_not_keep_another_from_holding(folder: RunFolder) -> None:
    looking = os.open(folder.lock_file, os.O_RDONLY)
    fcntl.flock(looking, fcntl.LOCK_SH)
    assert not folder.alive()  # two who look do not see each other
    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(folder.hold)
        fcntl.flock(looking, fcntl.LOCK_UN)
        os.close(holding.result())
    os.close(looking)


def test_only_the_first_intent_counts(folder: RunFolder) -> None:
    first = Intent(outcome="Canceled", at=1, by="a")
    assert folder.write_intent(first) is True
    assert folder.write_intent(Intent(outcome="Failed", at=2, by="b")) is False
    assert folder.read_intent() == first


def test_of_many_intents_at_once_one_wins(folder: RunFolder) -> None:
    asked = [Intent(outcome="Canceled", at=i, by=str(i)) for i in range(16)]
    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(folder.write_intent, asked))
    assert won.count(True) == 1
    assert folder.read_intent() == asked[won.index(True)]


def test_writing_leaves_nothing_but_the_files(folder: RunFolder) -> None:
    before = set(os.listdir(folder.path))
    folder.write_tree([Process(1, 2), Process(3, 4)])
    folder.write_intent(Intent(outcome="Canceled", at=1, by="a"))
    folder.write_intent(Intent(outcome="Canceled", at=1, by="a"))
    assert folder.read_tree() == [Process(1, 2), Process(3, 4)]
    assert set(os.listdir(folder.path)) - before == {"tree.json", "intent.json"}


def test_readers_never_see_half_a_state(folder: RunFolder) -> None:
    def record(sequence: int) -> ShimRecord:
        return ShimRecord(
            sequence=sequence,
            phase="Running",
            boot_id="b",
            shim_pid=1,
            shim_start=1,
            message="x" * (sequence % 7 * 3000),
        )

    def write() -> None:
        for sequence in range(200):
            folder.write_state(record(sequence))

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not writing.done():
            read = folder.read_state()
            assert read is None or read == record(read.sequence)
        writing.result()
