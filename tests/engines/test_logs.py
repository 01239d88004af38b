"""The log of a real program: every byte it wrote, however it wrote and however it ended."""

import contextlib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headway.engines import log_cut
from headway.hosting import logs

if TYPE_CHECKING:
    from tests.engines.conftest import Harness, OneRun

CAP = 8 << 20


def read(run: "OneRun") -> bytes:
    with logs.open_log(run.folder.path, run.folder.log_file) as stream:
        return stream.read()


def blocks_bytes(path: Path) -> int:
    return path.stat().st_blocks * 512


@pytest.mark.parametrize(
    "output",
    [
        b"y" * 10_000_000 + b"\n",
        b"\xff\xfe\x00\xc3(\n" * 1000,
        b"a line\nno end",
        b"\r".join(b"%3d%% |####    |" % i for i in range(100)),
    ],
    ids=["a line of 10 MB", "invalid UTF-8", "no newline at the end", "a progress bar"],
)
def test_whatever_a_program_writes_is_kept_byte_for_byte(
    harness: "Harness", tmp_path: Path, output: bytes
) -> None:
    (tmp_path / "output").write_bytes(output)
    run = harness.submit(f"import os; os.execvp('cat', ['cat', {str(tmp_path / 'output')!r}])")
    assert run.wait().outcome == "Completed"
    assert run.folder.log_file.read_bytes() == read(run) == output


def test_the_log_of_a_killed_program_is_whole_up_to_its_last_write(harness: "Harness") -> None:
    run = harness.submit(
        "import os, signal\n"
        "for i in range(50_000): os.write(1, b'line %d\\n' % i)\n"
        "os.write(1, b'the last')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert run.wait().signal == 9
    expected = b"".join(b"line %d\n" % i for i in range(50_000)) + b"the last"
    assert run.folder.log_file.read_bytes() == expected


def test_output_and_errors_of_several_processes_keep_their_order(harness: "Harness") -> None:
    run = harness.submit(
        "import subprocess, sys\n"
        "for i in range(5):\n"
        "    print('out', i)\n"
        "    print('err', i, file=sys.stderr)\n"
        "    subprocess.run(['sh', '-c', f'echo child {i}'])\n"
    )
    run.wait()
    assert run.log() == "".join(f"out {i}\nerr {i}\nchild {i}\n" for i in range(5))


FAST = """
import os, time
block = b"".join(b"line %09d %s\\n" % (i, b"." * 84) for i in range(10_000))
began, slowest = time.monotonic(), 0.0
os.write(1, b"the first line\\n")
for _ in range({blocks}):
    before = time.monotonic()
    os.write(1, block)
    slowest = max(slowest, time.monotonic() - before)
    time.sleep({pause})
os.write(1, b"slowest %f\\nthe last line" % slowest)
"""


def test_a_program_that_writes_100_mb_a_second_is_held_to_the_cap_and_never_held_up(
    harness: "Harness",
) -> None:
    # 1 MB a block: at 100 MB/s, for 1.5 s
    run = harness.make(FAST.format(blocks=150, pause=0.009), max_log_bytes=CAP)
    run.start()
    most = 0
    while run.folder.alive():
        most = max(most, blocks_bytes(run.folder.log_file))
    assert run.wait().outcome == "Completed"
    log = run.folder.log_file
    kept = read(run)
    cut = log_cut.read(log_cut.cut_file(run.folder.path, log.name))
    assert log.stat().st_size > 150_000_000
    assert most < 5 * CAP
    assert blocks_bytes(log) <= CAP
    assert kept.startswith(b"the first line\nline 000000000 ")
    assert kept.endswith(b"the last line")
    assert b"\n[headway: %d bytes of output were cut here]\nline " % cut.missing in kept
    assert len(kept) > CAP // 2
    assert b"\0" not in kept
    slowest_s = float(kept.rpartition(b"slowest ")[2].split()[0])
    assert slowest_s < 1.0


def fill(disk: Path) -> None:
    with (disk / "filling").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)


@pytest.fixture
def full_disk(tmp_path: Path) -> Any:
    disk = tmp_path / "runs"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "headway-test", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs root, to mount a small file system")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


FILL = """
import os, sys, time
print("up")
while not os.path.exists("go"): time.sleep(0.01)
for i in range(2000):
    print("line", i, "." * 88)
    time.sleep(0.0005)
print("the end")
"""


def test_a_program_goes_on_writing_on_a_disk_that_somebody_else_filled(
    harness: "Harness", full_disk: Path
) -> None:
    run = harness.submit(FILL, cwd=str(harness.root))
    run.wait_for_log("up")
    harness.wait_until(lambda: blocks_bytes(run.folder.log_file) > 1 << 16, "space ahead")
    fill(full_disk)
    (harness.root / "go").touch()
    record = run.wait()
    assert (record.outcome, record.message) == ("Completed", "")
    assert read(run).startswith(b"up\nline 0 ")
    assert read(run).endswith(b"the end\n")


def test_a_log_that_fills_the_disk_loses_its_middle_and_says_so(
    harness: "Harness", full_disk: Path
) -> None:
    program = FILL.replace("range(2000)", "range(3000)").replace("* 88", "* 888")
    run = harness.submit(program, cwd=str(harness.root))
    (harness.root / "go").touch()
    record = run.wait()
    log = read(run)
    assert record.outcome == "Completed", log[-2000:]
    assert log.startswith(b"up\nline 0 ")
    assert log.endswith(b"the end\n")
    assert b"bytes of output were cut here]\nline " in log


def test_a_program_that_lost_output_to_a_full_disk_has_it_said(
    harness: "Harness", full_disk: Path
) -> None:
    program = FILL.partition("for")[0] + "os.write(1, b'.' * 700_000)\ntime.sleep(1.5)\n"
    run = harness.submit(program, cwd=str(harness.root))
    run.wait_for_log("up")
    harness.wait_until(lambda: blocks_bytes(run.folder.log_file) > 1 << 16, "space ahead")
    fill(full_disk)
    (harness.root / "go").touch()
    record = run.wait()
    assert record.outcome == "Completed"
    assert "the disk was full at " in record.message
    assert len(read(run)) < 700_000
