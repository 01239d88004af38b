"""A run whose folder is on a disk that is full, or gone."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headway.engines import processes

if TYPE_CHECKING:
    from tests.engines.conftest import Harness

UNTIL_GO = "import os, time\nprint('up')\nwhile not os.path.exists('go'): time.sleep(0.01)\n"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB, mounted where the harness makes its runs."""
    disk = tmp_path / "runs"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "headway-test", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs root, to mount a small file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path) -> Path:
    path = disk / "filling"
    with path.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return path


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("use_cgroup", [True, False])
def test_a_run_on_a_full_disk_can_be_canceled(harness: "Harness", use_cgroup: bool) -> None:
    run = harness.submit_hostile(use_cgroup=use_cgroup)
    fill(run.folder.path)
    assert run.ask(grace_s=0.1, message="m" * 20_000) is True
    assert run.ask() is False
    record = run.wait()
    assert (record.outcome, record.clean) == ("Canceled", True)
    assert record.message == "m" * 1000


@pytest.mark.usefixtures("small_disk")
def test_the_end_of_a_program_on_a_full_disk_is_recorded(harness: "Harness") -> None:
    run = harness.submit(UNTIL_GO + "os._exit(5)", cwd=str(harness.root))
    run.wait_for_log("up")
    fill(run.folder.path)
    (harness.root / "go").touch()
    assert run.wait().exit_code == 5


@pytest.mark.usefixtures("small_disk")
def test_a_record_that_finds_no_space_is_tried_again(harness: "Harness") -> None:
    run = harness.submit(UNTIL_GO, cwd=str(harness.root))
    run.wait_for_log("up")
    run.wait_until_running()
    for reserve in run.folder.path.glob(".*.reserve"):
        reserve.unlink()
    filling = fill(run.folder.path)
    (harness.root / "go").touch()
    main_pid = run.record.main_pid
    assert main_pid is not None
    harness.wait_until(lambda: not Path(f"/proc/{main_pid}").exists())
    assert run.folder.alive()
    filling.unlink()
    assert run.wait().outcome == "Completed"


def test_a_run_whose_folder_is_gone_ends_without_a_record(harness: "Harness") -> None:
    run = harness.submit(UNTIL_GO, cwd=str(harness.root))
    run.wait_for_log("up")
    run.wait_until_running()
    shim = run.shim
    shutil.rmtree(run.folder.path)
    (harness.root / "go").touch()
    harness.wait_until(lambda: not processes.alive(shim), "the end of the shim")
