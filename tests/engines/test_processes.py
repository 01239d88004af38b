"""Processes and their identity."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.engines import cgroup, processes
from headway.engines.processes import Process


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"], env={"MARK": "of ä test"}) as process:
        yield process
        process.kill()


def identity(pid: int) -> Process:
    status = processes.status_of(pid)
    assert status is not None
    return status.process


def test_a_process_is_told_from_one_that_had_its_pid(child: subprocess.Popen[bytes]) -> None:
    right = identity(child.pid)
    wrong = Process(right.pid, right.start + 1)
    assert processes.alive(right)
    assert not processes.alive(wrong)
    assert processes.send_signal(wrong, signal.SIGKILL) is False
    assert child.poll() is None
    assert processes.send_signal(right, signal.SIGKILL) is True
    assert child.wait() == -signal.SIGKILL
    assert processes.send_signal(right, signal.SIGKILL) is False


def test_a_zombie_is_dead() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert not processes.alive(identity(pid))
    assert processes.identify([pid, 2**22 + 1]) == set()
    found = processes.descendants([os.getpid()])  # others' tests may have left servers running
    assert pid not in [process.pid for process in found]
    os.waitpid(pid, 0)
    assert processes.status_of(pid) is None


@pytest.mark.parametrize("name", ["a b", ") R 1 (", "x)"])
def test_strange_names_of_programs_are_read(tmp_path: Path, name: str) -> None:
    program = tmp_path / name
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([str(program), "60"]) as process:
        status = processes.status_of(process.pid)
        assert status is not None
        assert status.parent_pid == os.getpid()
        process.kill()


def test_descendants_are_found_at_any_depth_and_stop_where_told() -> None:
    script = "sh -c 'sleep 60 & sleep 60 & echo; wait' & wait"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE) as top:
        assert top.stdout is not None
        top.stdout.readline()
        below = processes.descendants([top.pid])
        while len(below) < 3:
            below = processes.descendants([top.pid])
        assert len(below) == 3
        assert set(processes.descendants([os.getpid()])) >= {identity(top.pid), *below}
        stop = identity(top.pid)
        found = processes.descendants([os.getpid()], stop_at=lambda p: p == stop)
        assert not {stop, *below} & set(found)
        for process in [*below, stop]:
            processes.send_signal(process, signal.SIGKILL)


def test_marks_in_the_environment_match_whole_values(child: subprocess.Popen[bytes]) -> None:
    found = identity(child.pid)
    while processes.arguments_of(child.pid)[:1] != ["sleep"]:
        pass
    assert list(processes.marked({"MARK": "of ä test"})) == [found]
    assert list(processes.marked({"MARK": "of ä tes"})) == []
    assert list(processes.marked({"ARK": "of ä test"})) == []


def test_a_stopped_process_gets_its_sigterm(child: subprocess.Popen[bytes]) -> None:
    process = identity(child.pid)
    processes.send_signal(process, signal.SIGSTOP)
    while (status := processes.status_of(child.pid)) is None or status.state != "T":
        pass
    assert processes.terminate(process)
    assert child.wait() == -signal.SIGTERM


def test_all_in_a_cgroup_are_killed_at_once() -> None:
    group = cgroup.make("a.test-1")
    if group is None:
        pytest.skip("no cgroup v2 that may be written")
    code = f"open({str(group / 'cgroup.procs')!r}, 'w').write('0'); print(flush=True); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert cgroup.pids(group) == [process.pid]
        assert cgroup.made_by(group, os.getpid())
        assert not cgroup.made_by(group, os.getpid() + 1)
        assert not cgroup.made_by(group.parent, os.getpid())
        assert not cgroup.killed_for_memory(group)
        assert cgroup.kill(group)
        assert process.wait() == -signal.SIGKILL
    assert cgroup.remove(group)
    assert not group.exists()
    assert cgroup.remove(group)
    assert not cgroup.kill(group)
    assert cgroup.pids(group) == []


def test_out_of_memory_is_read_from_the_groups_events(tmp_path: Path) -> None:
    (tmp_path / "memory.events").write_text("low 0\noom 1\noom_kill 0\noom_group_kill 0\n")
    assert not cgroup.killed_for_memory(tmp_path)
    (tmp_path / "memory.events").write_text("low 0\noom 3\noom_kill 2\n")
    assert cgroup.killed_for_memory(tmp_path)
