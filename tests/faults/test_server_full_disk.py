"""A server whose disk is full: it says so, goes on with what needs no room, and heals by itself."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.outage import Server, serving

from headway.client.workspace import RemoteWorkspace, open_remote
from headway.errors import StorageFullError
from headway.model import CancelOutcome, MetricQuery, RunChange, RunQuery
from headway.settings import load_settings
from headway.testing.api.requests import new_run, open_writer

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

_FILLER_BYTES = 64 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "headway-test", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs root, to mount a small file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def server(disk: Path) -> Iterator[Server]:
    with serving(disk) as one:
        yield one


@pytest.fixture
def api(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RemoteWorkspace]:
    monkeypatch.setenv("HEADWAY_SERVER_TIMEOUT_S", "1")
    workspace = open_remote(server.url, "default", tmp_path / "spool", load_settings())
    yield workspace
    workspace.close()


def fill(disk: Path) -> Path:
    """Take all the room that there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as stream:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while stream.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    return filler


def test_writes_are_refused_reads_and_cancel_work_and_it_heals(
    disk: Path, api: RemoteWorkspace, tmp_path: Path
) -> None:
    experiment_id = api.experiments.ensure("explore").id
    [run, other] = api.runs.create([new_run(experiment_id, started=True) for _ in range(2)])
    writer = open_writer(api.metrics.journal_dir, run.id)
    writer.log("loss", 1)
    assert [one.values for one in api.metrics.read(MetricQuery(run.id))] == [[1]]
    source = tmp_path / "model.bin"
    source.write_bytes(b"w" * (1 << 20))
    filler = fill(disk)

    writer.log("loss", 2)
    refused = 0
    for number in range(50):  # what room the database has of its own is used up first
        try:
            api.runs.change(run.id, RunChange(set_tags={f"n{number}": "x" * 4_000}))
        except StorageFullError:
            refused += 1
    assert refused
    with pytest.raises(StorageFullError):
        api.files.put(run.id, "model.bin", source)
    with pytest.raises(StorageFullError):
        api.metrics.drain(run.id)

    assert api.runs.get(run.id).id == run.id
    assert len(api.runs.list(RunQuery()).runs) == 2
    assert [one.values for one in api.metrics.read(MetricQuery(run.id))] == [[1]]
    assert api.runs.cancel(other.id) is CancelOutcome.CANCELED

    filler.unlink()
    api.runs.change(run.id, RunChange(set_tags={"healed": None}))
    api.files.put(run.id, "model.bin", source)
    assert [one.values for one in api.metrics.read(MetricQuery(run.id))] == [[1, 2]]
    writer.close()
