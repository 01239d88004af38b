"""Ending a run on request: nothing of it is left, and the record says who asked."""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from headway.engines import processes

if TYPE_CHECKING:
    from tests.engines.conftest import Harness

SLEEP = "import time\nprint('up')\ntime.sleep(60)"


def test_cancel_of_an_ordinary_program(harness: "Harness", use_cgroup: bool) -> None:
    run = harness.submit(SLEEP, use_cgroup=use_cgroup)
    run.wait_for_log("up")
    before = time.monotonic()
    record = run.cancel()
    assert time.monotonic() - before < 8  # far below the grace of 10 s
    assert (record.outcome, record.signal, record.by) == ("Canceled", 15, "someone@here")
    assert record.message == "canceled by someone@here"
    assert record.clean


def test_nothing_is_left_of_a_hostile_tree(harness: "Harness", use_cgroup: bool) -> None:
    run = harness.submit_hostile(use_cgroup=use_cgroup)
    record = run.cancel(grace_s=0.2)
    assert (record.outcome, record.signal, record.clean) == ("Canceled", 9, True)


def test_a_stopped_tree_is_ended_too(harness: "Harness", use_cgroup: bool) -> None:
    run = harness.submit_hostile(use_cgroup=use_cgroup)
    for process in run.left():
        if process != run.shim:
            processes.send_signal(process, signal.SIGSTOP)
    assert run.cancel(grace_s=0.1).outcome == "Canceled"


def test_a_stopped_program_still_hears_of_the_cancel(harness: "Harness") -> None:
    program = (
        "import signal, sys, time\n"
        "signal.signal(15, lambda *_: sys.exit(0))\n"
        "print('up')\n"
        "time.sleep(60)"
    )
    run = harness.submit(program)
    run.wait_for_log("up")
    main_pid = run.record.main_pid
    assert main_pid is not None
    os.kill(main_pid, signal.SIGSTOP)
    assert run.cancel().exit_code == 0


def test_a_stopped_shim_is_woken(harness: "Harness") -> None:
    run = harness.submit(SLEEP)
    run.wait_for_log("up")
    os.kill(run.shim.pid, signal.SIGSTOP)
    assert run.cancel().outcome == "Canceled"


def test_cancel_through_a_shell_ends_what_the_shell_started(
    harness: "Harness", use_cgroup: bool
) -> None:
    script = f"echo up; {sys.executable} -c 'import time; time.sleep(60)' {{folder}}; echo after"
    run = harness.submit(command=["sh", "-c", script], use_cgroup=use_cgroup)
    run.wait_for_log("up")
    assert run.cancel(grace_s=0.3).outcome == "Canceled"
    assert "after" not in run.log()


@pytest.mark.parametrize("pause_s", [0, 0.002])
def test_a_chain_that_forks_again_and_again_is_caught(
    harness: "Harness", use_cgroup: bool, pause_s: float
) -> None:
    run = harness.submit_chain(pause_s, use_cgroup=use_cgroup)
    assert run.cancel(grace_s=0.1).clean
    harness.assert_chain_has_ended(run)


def test_the_program_may_save_its_work_and_the_run_is_still_canceled(harness: "Harness") -> None:
    program = (
        "import signal, sys, time\n"
        "def save(*_):\n"
        "    time.sleep(0.2)\n"
        "    open('saved', 'w').write('all of it')\n"
        "    sys.exit(0)\n"
        "signal.signal(15, save)\n"
        "print('up')\n"
        "time.sleep(60)"
    )
    run = harness.submit(program)
    run.wait_for_log("up")
    record = run.cancel(grace_s=5)
    assert (record.outcome, record.exit_code) == ("Canceled", 0)
    assert (run.folder.work_dir / "saved").read_text() == "all of it"


def test_helpers_of_the_program_are_not_signaled_before_it(harness: "Harness") -> None:
    program = (
        "import os, signal, sys, time\n"
        "r, w = os.pipe()\n"
        "helper = os.fork()\n"
        "if helper == 0:\n"
        "    time.sleep(60)\n"
        "def save(*_):\n"
        "    time.sleep(0.2)\n"
        "    print('helper ended' if os.waitpid(helper, os.WNOHANG)[0] else 'helper there')\n"
        "    sys.exit(0)\n"
        "signal.signal(15, save)\n"
        "print('up')\n"
        "time.sleep(60)"
    )
    run = harness.submit(program)
    run.wait_for_log("up")
    run.cancel(grace_s=5)
    assert "helper there" in run.log()


def test_a_run_canceled_before_the_start_never_runs_user_code(harness: "Harness") -> None:
    run = harness.make("print('never')")
    run.ask()
    run.start()
    record = run.wait()
    assert (record.outcome, record.by, record.started_at) == ("Canceled", "someone@here", None)
    assert run.log() == ""


def test_cancel_at_any_moment_of_the_start_ends_the_run(harness: "Harness") -> None:
    for delay_ms in range(0, 60, 12):
        run = harness.make(SLEEP)
        with ThreadPoolExecutor(1) as pool:
            starting = pool.submit(run.start)
            time.sleep(delay_ms / 1000)
            run.ask()
            starting.result()
        assert run.wait().outcome == "Canceled"


def test_a_second_cancel_changes_nothing(harness: "Harness") -> None:
    run = harness.submit(SLEEP)
    run.wait_for_log("up")
    assert run.ask() is True
    assert run.ask() is False
    first = run.wait()
    assert run.ask() is False
    assert run.record == first


def test_of_eight_cancels_at_once_one_counts(harness: "Harness") -> None:
    run = harness.submit(SLEEP)
    run.wait_for_log("up")
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(run.ask, ["Canceled"] * 8))
    assert sum(won) == 1
    assert run.wait().outcome == "Canceled"


def test_cancel_after_the_end_is_a_no_op(harness: "Harness") -> None:
    run = harness.submit("pass")
    before = run.wait()
    run.ask()
    assert run.wait() == before
    assert harness.engine.recover(run.folder) == before


def test_a_program_that_ended_before_the_request_is_completed(harness: "Harness") -> None:
    program = (
        "import os, signal, time\n"
        "if os.fork() == 0:\n"
        "    signal.signal(15, signal.SIG_IGN)\n"
        "    print('daemon', flush=True)\n"
        "    time.sleep(60)\n"
        "time.sleep(0.2)"
    )
    run = harness.submit(program, linger_s=60)
    run.wait_for_log("daemon")
    harness.wait_until(lambda: run.record.phase == "Ending")
    assert run.cancel(grace_s=0).outcome == "Completed"


def test_a_request_to_fail_ends_the_run_with_its_code(harness: "Harness") -> None:
    run = harness.submit(SLEEP)
    run.wait_for_log("up")
    run.ask("Failed", code="Diverged", message="the loss is NaN")
    record = run.wait()
    assert (record.outcome, record.error_code) == ("Failed", "Diverged")
    assert record.message == "the loss is NaN"


def test_a_damaged_request_counts_as_a_cancel(harness: "Harness") -> None:
    run = harness.submit(SLEEP)
    run.wait_for_log("up")
    run.folder.intent_file.write_text("{")
    harness.engine.cancel(run.folder)
    assert run.wait().outcome == "Canceled"


def test_sigterm_without_a_request_is_passed_on_and_is_no_cancel(harness: "Harness") -> None:
    program = (
        "import signal, sys, time\n"
        "signal.signal(15, lambda *_: (print('told'), sys.exit(0)))\n"
        "print('up')\n"
        "time.sleep(60)"
    )
    run = harness.submit(program)
    run.wait_for_log("up")
    processes.send_signal(run.shim, signal.SIGTERM)
    record = run.wait()
    assert (record.outcome, record.error_code, record.exit_code) == ("Failed", "Terminated", 0)
    assert "nobody asked" in record.message
    assert "told" in run.log()


def test_a_hangup_does_not_touch_the_run(harness: "Harness") -> None:
    run = harness.submit("import time\nprint('up')\ntime.sleep(0.3)")
    run.wait_for_log("up")
    processes.send_signal(run.shim, signal.SIGHUP)
    assert run.wait().outcome == "Completed"


def test_a_cancel_can_shorten_the_grace_that_the_time_limit_gives(harness: "Harness") -> None:
    program = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(60)"
    run = harness.submit(program, max_run_duration_s=0.3, grace_s=60)
    harness.wait_until(lambda: run.record.phase == "Ending")
    record = run.cancel(grace_s=0)
    assert record.error_code == "TimeLimit"
