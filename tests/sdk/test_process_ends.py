"""What becomes of interactive runs when their process ends, in every way in which it can."""

import os
import signal
import time
from collections.abc import Callable
from subprocess import Popen
from typing import Any

import pytest

from headway import Experiment, Run, Workspace

Python = Callable[..., Popen[str]]

START = """
ws = Workspace.from_config()
exp = Experiment(ws, "explore-runs")
run = exp.start_logging()
"""
READY = "print(run.id, flush=True)\n"


def ended(process: Popen[str], *, code: int = 0) -> tuple[str, str]:
    """The output of a process that must end with a code."""
    out, err = process.communicate(timeout=20)
    assert process.returncode == code, err
    return out.strip(), err


def latest(experiment: Experiment) -> Run:
    return next(experiment.get_runs())


def error_of(run: Run) -> dict[str, Any]:
    details: Any = run.get_details()
    return details["error"]["error"]


def test_runs_left_open_are_completed_at_the_end(python: Python, experiment: Experiment) -> None:
    ended(python(START + "run.log('loss', 0.5)\nchild = run.child_run()\nchild.log('a', 1)"))
    run = latest(experiment)
    assert run.get_status() == "Completed"
    assert run.get_detailed_status()["details"] == "the process ended normally"
    (child,) = run.get_children()
    assert child.get_status() == "Completed"
    assert run.get_metrics(recursive=True) == {run.id: {"loss": 0.5}, child.id: {"a": 1}}


@pytest.mark.parametrize(
    ("leave", "code", "message"),
    [
        ("sys.exit(3)", 3, "the program exited with code 3"),
        ("sys.exit('no data')", 1, "the program exited with code 1: no data"),
        ("def main():\n    return 4\n\nsys.exit(main())", 4, "the program exited with code 4"),
        ("try:\n    sys.exit(5)\nfinally:\n    print()", 5, "the program exited with code 5"),
    ],
)
def test_leaving_with_a_status_fails_what_is_left_open(
    python: Python, experiment: Experiment, leave: str, code: int, message: str
) -> None:
    ended(python(f"import sys\n{START}{leave}"), code=code)
    run = latest(experiment)
    assert run.get_status() == "Failed"
    assert error_of(run)["message"] == message
    assert error_of(run)["exitCode"] == code


@pytest.mark.parametrize(
    "leave",
    [
        "sys.exit()",
        "sys.exit(0)",
        "try:\n    sys.exit(3)\nexcept SystemExit:\n    pass",
        "import threading\nthreading.Thread(target=sys.exit, args=(3,)).start()",
    ],
)
def test_an_exit_that_is_none_or_well_completes_what_is_left_open(
    python: Python, experiment: Experiment, leave: str
) -> None:
    ended(python(f"import sys\n{START}{leave}"))
    assert latest(experiment).get_status() == "Completed"


def test_children_end_before_their_parents(
    python: Python, experiment: Experiment, workspace: Workspace
) -> None:
    ended(python(START + "run.child_run().child_run()"))
    runs = list(experiment.get_runs(include_children=True, order_by="number asc"))
    ends = [workspace.api.runs.events(run.id)[-1].at for run in runs]
    assert len(ends) == 3
    assert ends == sorted(ends, reverse=True)


def test_an_uncaught_exception_fails_what_is_left_open(
    python: Python, experiment: Experiment
) -> None:
    _, err = ended(python(START + "run.log('loss', 1.0)\nraise ValueError('no data')"), code=1)
    assert "ValueError: no data" in err
    run = latest(experiment)
    assert run.get_status() == "Failed"
    assert error_of(run)["message"] == "User program failed with ValueError: no data"
    assert run.get_metrics() == {"loss": 1.0}


def test_a_block_left_by_an_exception_is_failed_once(
    python: Python, experiment: Experiment
) -> None:
    ended(python(START + "with run:\n    raise ValueError('no data')"), code=1)
    assert error_of(latest(experiment))["message"].endswith("no data")


def test_sigkill_after_ten_thousand_logs_loses_none(python: Python, experiment: Experiment) -> None:
    program = """
for i in range(10_000):
    run.log("loss", float(i), step=i)
os.kill(os.getpid(), signal.SIGKILL)
"""
    ended(python(START + program), code=-signal.SIGKILL)
    run = latest(experiment)
    assert run.get_status() == "Failed"
    assert error_of(run)["code"] == "ProcessLost"
    assert run.get_metrics() == {"loss": [float(i) for i in range(10_000)]}


def test_a_process_that_is_gone_at_once_is_noticed(python: Python, experiment: Experiment) -> None:
    ended(python(START + "run.log('loss', 1)\nos._exit(0)"))
    run = latest(experiment)
    assert run.get_status() == "Failed"
    assert run.get_metrics() == {"loss": 1}


def test_a_forked_worker_logs_to_the_run_and_leaves_it_running(
    python: Python, experiment: Experiment
) -> None:
    program = """
run.log("parent", 1.0)
pid = os.fork()
if pid == 0:
    run.log("worker", 2.0)
    child = run.child_run("of the worker")
    child.log("deep", 3.0)
    sys.exit(0)     # runs the exit handlers of the child
assert os.waitpid(pid, 0)[1] == 0
assert run.get_status() == "Running", run.get_status()
run.log("parent", 4.0)
run.complete()
"""
    ended(python(START + program))
    run = latest(experiment)
    assert run.get_status() == "Completed"
    assert run.get_metrics() == {"parent": [1.0, 4.0], "worker": 2.0}
    (child,) = run.get_children()
    assert child.get_status() == "Completed"
    assert child.get_metrics() == {"deep": 3.0}


def test_a_forked_child_that_leaves_the_block_does_not_end_the_run(
    python: Python, experiment: Experiment
) -> None:
    program = """
with run:
    if os.fork() == 0:
        raise ValueError("of the child")
    os.wait()
    assert run.get_status() == "Running"
"""
    ended(python(START + program))
    assert latest(experiment).get_status() == "Completed"


def test_workers_of_multiprocessing_log_to_the_run(python: Python, experiment: Experiment) -> None:
    program = """
import multiprocessing
def work(i):
    run.log("worker", i)
with multiprocessing.get_context("fork").Pool(2) as pool:
    pool.map(work, range(20), chunksize=1)
"""
    ended(python(START + program))
    run = latest(experiment)
    metrics: Any = run.get_metrics()
    assert sorted(metrics["worker"]) == list(range(20))


CANCELED_LOOP = """
try:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep({nap})
except KeyboardInterrupt:
    print("interrupted", run.get_status(), flush=True)
    os._exit(0) if {hard} else sys.exit(0)
"""


@pytest.mark.parametrize("nap", [0.01, 20])
def test_a_cancel_from_elsewhere_interrupts_the_program(
    python: Python, experiment: Experiment, nap: float
) -> None:
    process = python(START + READY + CANCELED_LOOP.format(nap=nap, hard=False))
    assert process.stdout is not None
    run = Run(experiment, process.stdout.readline().strip())
    assert run.cancel() == "Canceled"
    assert run.get_status() == "Canceled"
    out, _ = ended(process)
    assert out == "interrupted Canceled"


def test_a_program_that_ignores_ctrl_c_is_interrupted_too(
    python: Python, experiment: Experiment
) -> None:
    loop = CANCELED_LOOP.format(nap=0.01, hard=False)
    process = python(START + READY + loop, ignore_interrupts=True)
    assert process.stdout is not None
    run = Run(experiment, process.stdout.readline().strip())
    assert run.cancel() == "Canceled"
    assert ended(process)[0] == "interrupted Canceled"


def test_a_block_that_is_interrupted_by_a_cancel_is_canceled(
    python: Python, experiment: Experiment
) -> None:
    process = python(START + READY + "with run:\n    time.sleep(20)")
    assert process.stdout is not None
    run = Run(experiment, process.stdout.readline().strip())
    run.cancel()
    process.communicate(timeout=20)
    assert run.get_status() == "Canceled"


def test_metrics_of_a_living_process_are_read_by_another(
    python: Python, experiment: Experiment
) -> None:
    process = python(START + "run.log('loss', 0.5)\n" + READY + "time.sleep(20)")
    assert process.stdout is not None
    run = Run(experiment, process.stdout.readline().strip())
    assert run.get_metrics() == {"loss": 0.5}
    assert run.get_status() == "Running"
    os.kill(process.pid, signal.SIGKILL)
    process.wait(20)
    assert run.get_status() == "Failed"


def test_the_thread_moves_what_is_logged_within_seconds(
    python: Python, experiment: Experiment, workspace: Workspace
) -> None:
    process = python(START + "run.log('loss', 0.5)\n" + READY + "time.sleep(20)")
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    folder = workspace.api.metrics.journal_dir / run_id
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        writers = [path.name.partition(".")[0] for path in folder.glob("*.hwj")]
        if any(workspace.api.metrics.offset(run_id, writer) for writer in writers):
            return
        time.sleep(0.05)
    pytest.fail("nothing was moved")


def test_where_the_default_workspace_is_is_said_once(
    python: Python, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEADWAY_WORKSPACE")
    _, err = ended(python("Workspace.from_config()\nWorkspace.from_config()"))
    (line,) = err.splitlines()
    assert line.startswith("headway: using the embedded workspace at ")
    assert "HEADWAY_WORKSPACE" in line
    assert f"{os.environ['HEADWAY_HOME']}/workspaces/default" in line


def test_a_process_that_logged_nothing_is_left_alone(python: Python) -> None:
    out, err = ended(python("Workspace.from_config()\nprint('fine')"))
    assert (out, err) == ("fine", "")
