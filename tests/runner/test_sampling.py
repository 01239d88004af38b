"""What is read from /proc: from one made for the test, and from the real one."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headway.runner.sampling import NetworkMeter, TreeMeter, Usage

HZ = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
SHIM, MAIN, WORKER, REPORTER, STRANGER = 10, 11, 12, 13, 14


class FakeProc:
    """Processes that are whatever a test says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now_s = 1000.0

    def put(
        self, pid: int, parent: int, *, own: float = 0, waited: float = 0, pages: int = 0
    ) -> None:
        folder = self.path / str(pid)
        folder.mkdir(parents=True, exist_ok=True)
        fields = ["0"] * 50
        fields[0], fields[1] = "S", str(parent)
        fields[11], fields[14] = str(int(own * HZ)), str(int(waited * HZ))
        fields[19], fields[21] = str(int(990 * HZ)), str(pages)
        (folder / "stat").write_text(f"{pid} (a (b) c) {' '.join(fields)}\n")

    def put_io(self, pid: int, read: int, written: int) -> None:
        (self.path / str(pid) / "io").write_text(
            f"rchar: 999\nread_bytes: {read}\nwrite_bytes: {written}\n"
        )

    def end(self, pid: int) -> None:
        for file in (self.path / str(pid)).iterdir():
            file.unlink()
        (self.path / str(pid)).rmdir()

    def read(self, meter: TreeMeter, after_s: float = 10.0) -> Usage:
        self.now_s += after_s
        usage = meter.read(self.now_s)
        assert usage is not None
        return usage


@pytest.fixture
def proc(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path / "proc")


def meter_of(proc: FakeProc) -> TreeMeter:
    return TreeMeter(SHIM, ignored=[REPORTER], proc=proc.path)


def test_the_whole_tree_counts_and_nothing_beside_it(proc: FakeProc) -> None:
    proc.put(SHIM, 1, own=500, pages=500)
    proc.put(MAIN, SHIM, own=4, pages=100)
    proc.put(WORKER, MAIN, own=6, pages=50)
    proc.put(REPORTER, SHIM, own=100, pages=300)
    proc.put(STRANGER, 1, own=100, pages=300)
    proc.put_io(MAIN, 10, 20)
    proc.put_io(WORKER, 1, 2)
    proc.put_io(STRANGER, 100, 100)
    usage = proc.read(meter_of(proc))
    assert usage == Usage(50.0, 150 * PAGE, 11, 22)  # 10 s used in the 20 s since it began


def test_cpu_is_that_since_the_last_look(proc: FakeProc) -> None:
    meter = meter_of(proc)
    proc.put(SHIM, 1)
    proc.put(MAIN, SHIM, own=4)
    proc.read(meter)
    proc.put(MAIN, SHIM, own=7)
    assert proc.read(meter).cpu_percent == 30.0
    assert proc.read(meter).cpu_percent == 0.0


def test_what_a_child_used_before_it_ended_counts_once(proc: FakeProc) -> None:
    meter = meter_of(proc)
    proc.put(SHIM, 1)
    proc.put(MAIN, SHIM)
    proc.put(WORKER, MAIN, own=100)
    proc.read(meter)
    proc.end(WORKER)  # after another second, and waited for
    proc.put(MAIN, SHIM, waited=101)
    assert proc.read(meter).cpu_percent == 10.0


def test_a_child_that_is_waited_for_later_counts_once(proc: FakeProc) -> None:
    meter = meter_of(proc)
    proc.put(SHIM, 1)
    proc.put(MAIN, SHIM)
    proc.put(WORKER, MAIN, own=100)
    proc.read(meter)
    proc.end(WORKER)
    assert proc.read(meter).cpu_percent == 0.0
    proc.put(MAIN, SHIM, waited=101)
    assert proc.read(meter).cpu_percent == 10.0


def test_a_child_that_nobody_waits_for_hides_nothing_later(proc: FakeProc) -> None:
    meter = meter_of(proc)
    proc.put(SHIM, 1)
    proc.put(MAIN, SHIM)
    proc.put(WORKER, MAIN, own=100)
    proc.read(meter)
    proc.end(WORKER)
    proc.read(meter)
    proc.read(meter)
    proc.put(MAIN, SHIM, own=1, waited=2)
    assert proc.read(meter).cpu_percent == 30.0


def test_orphans_that_the_shim_waited_for_count(proc: FakeProc) -> None:
    meter = meter_of(proc)
    proc.put(SHIM, 1)
    proc.put(MAIN, SHIM)
    proc.read(meter)
    proc.put(SHIM, 1, own=3, waited=5)
    assert proc.read(meter).cpu_percent == 50.0


def test_disk_counts_never_go_back(proc: FakeProc) -> None:
    meter = meter_of(proc)
    proc.put(SHIM, 1)
    proc.put(MAIN, SHIM)
    proc.put_io(MAIN, 100, 100)
    proc.read(meter)
    proc.put_io(MAIN, 50, 120)
    usage = proc.read(meter)
    assert (usage.disk_read_bytes, usage.disk_write_bytes) == (100, 120)


def test_a_tree_of_which_nothing_is_left_has_no_usage(proc: FakeProc) -> None:
    proc.put(SHIM, 1)
    assert meter_of(proc).read() is None
    assert TreeMeter(4711, proc=proc.path).read() is None


def test_real_processes_are_measured() -> None:
    program = "import time\nx = bytearray(50 << 20)\nprint('up', flush=True)\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        meter = TreeMeter(os.getpid())
        assert child.stdout is not None
        child.stdout.readline()
        meter.read()
        began = time.process_time()
        time.sleep(0.3)
        usage = meter.read()
        child.kill()
    assert time.process_time() - began < 0.1
    assert usage is not None
    assert usage.memory_bytes > 50 << 20
    assert usage.cpu_percent > 5


def network(path: Path, **bytes_by_name: tuple[int, int]) -> None:
    lines = [
        f"{name}: {received} 1 2 3 4 5 6 7 {sent} 1\n"
        for name, (received, sent) in bytes_by_name.items()
    ]
    (path / "net").mkdir(parents=True, exist_ok=True)
    (path / "net" / "dev").write_text(f"a\nb\n{''.join(lines)}")


def test_network_counts_from_the_beginning_on_without_the_loopback(tmp_path: Path) -> None:
    network(tmp_path, lo=(5, 5), eth0=(100, 200))
    meter = NetworkMeter(tmp_path, tmp_path / "devices")
    network(tmp_path, lo=(5000, 5000), eth0=(110, 220), eth1=(7, 7))
    assert meter.read() == (10, 20)
    network(tmp_path, eth0=(3, 3))  # an interface that was taken away and came back
    network(tmp_path, eth0=(111, 220), eth1=(17, 8))
    assert meter.read() == (21, 21)


def test_of_interfaces_those_that_are_devices_count(tmp_path: Path) -> None:
    (tmp_path / "devices" / "eth0" / "device").mkdir(parents=True)
    network(tmp_path, eth0=(0, 0), docker0=(0, 0))
    meter = NetworkMeter(tmp_path, tmp_path / "devices")
    network(tmp_path, eth0=(1, 2), docker0=(1, 2))
    assert meter.read() == (1, 2)


def test_a_host_that_tells_nothing_of_its_network_has_no_counts(tmp_path: Path) -> None:
    assert NetworkMeter(tmp_path).read() is None
