"""Runs whose shim was killed: what is left of them is ended, and nothing else is."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from headway.engines import processes
from headway.engines.processes import Process

if TYPE_CHECKING:
    from tests.engines.conftest import Harness, OneRun

SLEEP = "import time\nprint('up')\ntime.sleep(60)"


@pytest.fixture
def bystander() -> Iterator[Process]:
    """A process that has nothing to do with any run."""
    with subprocess.Popen(["sleep", "60"]) as child:
        status = processes.status_of(child.pid)
        assert status is not None
        yield status.process
        assert child.poll() is None, "an innocent process was ended"
        child.kill()


def recovered(harness: "Harness", run: "OneRun") -> None:
    record = harness.engine.recover(run.folder)
    assert record is not None
    assert record == run.record
    assert record.clean
    assert run.left() == []


def test_orphans_of_a_killed_shim_are_ended(harness: "Harness", use_cgroup: bool) -> None:
    run = harness.submit_hostile(use_cgroup=use_cgroup)
    if not use_cgroup:  # the nameless one is known by the recorded tree only
        harness.wait_until(lambda: len(run.folder.read_tree()) == 5)
    run.kill_shim()
    assert harness.engine.poll([run.folder])[0].abandoned
    recovered(harness, run)
    assert (run.record.outcome, run.record.error_code) == ("Failed", "ShimLost")


@pytest.mark.parametrize(
    ("use_cgroup", "pause_s"),
    # Without a cgroup, a chain that never pauses can be missed once its shim is dead.
    [(True, 0), (True, 0.002), (False, 0.005)],
)
def test_a_chain_that_forks_again_and_again_is_caught_later(
    harness: "Harness", use_cgroup: bool, pause_s: float
) -> None:
    run = harness.submit_chain(pause_s, use_cgroup=use_cgroup)
    run.kill_shim()
    recovered(harness, run)
    harness.assert_chain_has_ended(run)


def test_the_program_itself_dies_with_its_shim(harness: "Harness") -> None:
    run = harness.submit(SLEEP, use_cgroup=False)
    run.wait_for_log("up")
    run.kill_shim()
    main_pid, main_start = run.record.main_pid, run.record.main_start
    assert main_pid is not None
    assert main_start is not None
    harness.wait_until(lambda: not processes.alive(Process(main_pid, main_start)))
    recovered(harness, run)


def test_a_cancel_that_stood_when_the_shim_was_killed_is_kept(harness: "Harness") -> None:
    run = harness.submit_hostile()
    run.ask(grace_s=60)
    run.kill_shim()
    recovered(harness, run)
    assert (run.record.outcome, run.record.by) == ("Canceled", "someone@here")


def test_recovery_leaves_a_living_run_alone(harness: "Harness") -> None:
    run = harness.submit(SLEEP)
    run.wait_for_log("up")
    record = harness.engine.recover(run.folder)
    assert record is not None
    assert not record.ended
    assert run.folder.alive()
    run.cancel()


def test_recovery_of_a_run_being_submitted_does_nothing(harness: "Harness") -> None:
    run = harness.make(SLEEP)
    fd = run.folder.hold()
    assert harness.engine.recover(run.folder) is None
    os.close(fd)
    recovered(harness, run)
    assert run.record.error_code == "SubmissionInterrupted"


def test_of_those_who_recover_at_once_one_does_it(harness: "Harness") -> None:
    run = harness.submit_hostile()
    run.kill_shim()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(harness.engine.recover, [run.folder] * 8))
    recovered(harness, run)
    assert run.record.sequence == 3


def test_a_recycled_pid_is_not_touched(harness: "Harness", bystander: Process) -> None:
    run = harness.submit(SLEEP, use_cgroup=False)
    run.wait_for_log("up")
    run.kill_shim()
    run.folder.write_tree([Process(bystander.pid, bystander.start - 1)])
    reused = replace(run.record, main_pid=bystander.pid, main_start=bystander.start + 1)
    run.folder.write_state(reused)
    recovered(harness, run)


def test_after_a_restart_of_the_host_no_process_is_touched(
    harness: "Harness", bystander: Process
) -> None:
    run = harness.submit(SLEEP, use_cgroup=False)
    run.wait_for_log("up")
    run.kill_shim()
    run.folder.write_tree([bystander])
    run.folder.write_state(replace(run.record, boot_id="another boot", cgroup="/sys/fs/cgroup"))
    harness.engine.cancel(run.folder)
    recovered(harness, run)
    assert (run.record.outcome, run.record.error_code) == ("Failed", "HostRestarted")


def test_a_cgroup_that_is_not_the_runs_own_is_not_touched(
    harness: "Harness", bystander: Process
) -> None:
    run = harness.submit(SLEEP, use_cgroup=False)
    run.wait_for_log("up")
    run.kill_shim()
    run.folder.write_state(replace(run.record, cgroup="/sys/fs/cgroup/unified"))
    recovered(harness, run)
    assert processes.alive(bystander)


def test_damaged_files_do_not_keep_a_run_from_ending(harness: "Harness") -> None:
    run = harness.submit_hostile(use_cgroup=False)
    run.kill_shim()
    run.folder.spec_file.unlink()
    run.folder.state_file.write_bytes(b"")
    run.folder.tree_file.write_text(json.dumps({"processes": [[-1, 5], "x"]}))
    assert harness.engine.poll([run.folder])[0].abandoned
    record = harness.engine.recover(run.folder)
    assert record is not None
    assert record.error_code == "ShimLost"
    # Only the one without environment can stay: what told of it is gone.
    left = run.left()
    assert len(left) <= 1
    for process in left:
        processes.send_signal(process, signal.SIGKILL)
    harness.wait_until(lambda: not run.left())


def test_a_run_submitted_by_a_run_survives_the_recovery_of_that(
    harness: "Harness", use_cgroup: bool
) -> None:
    inner = harness.make(SLEEP, use_cgroup=use_cgroup)
    outer = harness.submit(
        "import time\n"
        "from pathlib import Path\n"
        "from headway.engines.folder import RunFolder\n"
        "from headway.engines.local import LocalEngine\n"
        f"folder = RunFolder(Path({str(inner.folder.path)!r}))\n"
        "LocalEngine().start(folder, folder.hold())\n"
        "time.sleep(60)\n",
        use_cgroup=use_cgroup,
    )
    inner.wait_for_log("up")
    outer.folder.write_tree([inner.shim])  # as if it had been seen before it held its run
    outer.kill_shim()
    recovered(harness, outer)
    assert outer.record.outcome == "Failed"
    assert inner.folder.alive()
    assert inner.cancel().outcome == "Canceled"


def test_a_run_of_the_same_id_elsewhere_is_not_touched(harness: "Harness") -> None:
    first = harness.submit(SLEEP, run_id="same")
    first.wait_for_log("up")
    harness.root /= "another workspace"
    second = harness.submit(SLEEP, run_id="same")
    second.wait_for_log("up")
    first.kill_shim()
    recovered(harness, first)
    assert second.cancel().outcome == "Canceled"


def test_a_program_killed_from_outside_is_no_lost_shim(harness: "Harness") -> None:
    run = harness.submit(command=[sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])
    record = run.wait()
    assert (record.error_code, record.signal) == ("Signal", 9)
