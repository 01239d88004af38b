"""What is on the disk after a power cut: a real file system, shut down under the program.

ext4 in a file, mounted through a loop device, is told to stop at once and to write nothing more,
its own journal included. Where that cannot be done, these tests are skipped.
"""

import fcntl
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from headway import Experiment, Workspace
from headway.sdk.interactive.process import close_sessions

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, the same as FS_IOC_GOINGDOWN of XFS
WITHOUT_FLUSHING_ITS_LOG = 2

TRAINING = """
import itertools, sys, time
from headway import Experiment, Workspace
workspace = Workspace.from_config()
run = Experiment(workspace, "cut").start_logging(run_id=sys.argv[1])

def wait_for_the_thread():
    journal = run._open_journal()
    while workspace.api.metrics.offset(run.id, journal.writer_id) < journal.written:
        time.sleep(0.01)

carry = {"flush": run.flush, "wait": wait_for_the_thread}[sys.argv[2]]
for i in itertools.count():
    run.log("m", i, step=i)
    if i % 4000 == 0:
        carry()
        print(i, flush=True)
"""


class Disk:
    """A file system that can lose its power."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.image = image
        self.folder = folder

    def mount(self) -> str:
        """Mount it; what went wrong."""
        command = ["mount", "-t", "ext4", "-o", "loop", self.image, self.folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stderr.strip() if done.returncode else ""

    def unmount(self) -> None:
        subprocess.run(["umount", self.folder], check=True, capture_output=True)

    def cut(self) -> None:
        """From now on nothing reaches the disk."""
        fd = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING_ITS_LOG))
        finally:
            os.close(fd)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    image, folder = tmp_path / "image", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    found = Disk(image, folder)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no ext4 can be made here: {error}")
    trouble = found.mount()
    if trouble:
        pytest.skip(f"no file system can be mounted here: {trouble}")
    try:
        yield found
    finally:
        close_sessions()
        subprocess.run(["umount", "-l", folder], check=False, capture_output=True)


@pytest.mark.parametrize(("how", "times"), [("flush", 2), ("flush", 20), ("wait", 2)])
def test_what_was_carried_to_the_disk_is_there_after_a_power_cut(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, how: str, times: int
) -> None:
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(disk.folder / "workspace"))
    monkeypatch.setenv("HEADWAY_JOURNAL_SEGMENT_BYTES", "8192")  # so that files are used again
    carried: dict[str, int] = {}
    for number in range(2):
        run_id = f"run-{number}"
        with subprocess.Popen(
            [sys.executable, "-c", TRAINING, run_id, how],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            for _ in range(times):
                carried[run_id] = int(process.stdout.readline())
            (disk.folder / run_id).write_text("was never carried to the disk")
            disk.cut()
            process.send_signal(signal.SIGKILL)
        disk.unmount()
        assert disk.mount() == ""
        assert not (disk.folder / run_id).exists()
    for run_id, last in carried.items():
        run = Workspace.from_config().get_run(run_id)
        assert run.get_status() == "Failed"
        metrics: Any = run.get_metrics("m")
        logged = metrics["m"]
        assert logged[: last + 1] == list(range(last + 1))
        assert logged == sorted(set(logged))  # none is there twice
    run = Experiment(Workspace.from_config(), "cut").start_logging()
    run.log("m", 1)
    run.complete()
    assert run.get_metrics() == {"m": 1}
