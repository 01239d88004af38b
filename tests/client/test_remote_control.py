"""Runs canceled from other machines, and what agents and servers do that are killed meanwhile."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.client.machines import Machine, is_there, wait_until

from headway.engines import processes
from headway.model import CancelOutcome, MetricQuery, Run, RunError, Status, Submission
from headway.testing.api.requests import LOG, follow, new_run

UP = "import os, time; print(os.getpid(), flush=True)"
SLEEP = f"{UP}; time.sleep(600)"
DEAF = f"import signal; signal.signal(15, signal.SIG_IGN); {SLEEP}"
HOSTILE = f"""
import os, signal, time
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(15, signal.SIG_IGN)
            time.sleep(600)
        os._exit(0)
{DEAF}
"""

Join = Callable[[], Machine]


@pytest.fixture
def join(
    server: str, workspace_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Join]:
    """Another machine that works on the same workspace."""
    opened: list[Machine] = []

    def join_one() -> Machine:
        opened.append(Machine(server, workspace_name, tmp_path_factory.mktemp("spool")))
        return opened[-1]

    yield join_one
    for one in opened:
        one.close()


def start(here: Machine, source: Path, program: str) -> Run:
    source.mkdir(exist_ok=True)
    (source / "program.py").write_text(program)
    submission = Submission(command=[sys.executable, "program.py"], source_directory=str(source))
    experiment = here.api.experiments.ensure("explore")
    return here.api.runs.submit(new_run(experiment.id), submission)


def pid_of(api: Machine, run: Run) -> int:
    """That of the program, which prints it first."""
    text = b""
    while b"\n" not in text:
        part = api.api.runs.watch(run.id, log=LOG, offset=len(text), timeout_s=15)
        assert part.log.data, f"run {run.id} is {part.run.status} and says nothing"
        text += part.log.data
    return int(text.split()[0])


@pytest.mark.parametrize(("program", "grace_s"), [(SLEEP, None), (DEAF, 0.2), (HOSTILE, 0.2)])
def test_a_run_is_canceled_from_another_machine_and_nothing_of_it_is_left(
    join: Join, tmp_path: Path, program: str, grace_s: float | None
) -> None:
    here, there = join(), join()
    run = start(here, tmp_path / "source", program)
    pid = pid_of(there, run)
    outcome = there.api.runs.cancel(run.id, grace_s=grace_s, wait_s=15)
    assert outcome is CancelOutcome.CANCELED
    assert not is_there(pid)
    assert list(processes.marked(here.folder(run).mark)) == []
    ended = there.api.runs.get(run.id)
    assert ended.status is Status.CANCELED
    assert [event.status for event in there.api.runs.events(run.id)][-2:] == [
        Status.CANCEL_REQUESTED,
        Status.CANCELED,
    ]


def test_a_run_is_failed_from_another_machine(join: Join, tmp_path: Path) -> None:
    here, there = join(), join()
    run = start(here, tmp_path / "source", SLEEP)
    pid = pid_of(there, run)
    failed = there.api.runs.end(run.id, Status.FAILED, error=RunError("Diverged", "loss is nan"))
    assert failed.status is Status.FAILED
    assert failed.error is not None
    assert (failed.error.code, failed.error.message) == ("Diverged", "loss is nan")
    assert not is_there(pid)


def test_an_interactive_run_is_canceled_from_another_machine(join: Join) -> None:
    here, there = join(), join()
    experiment = here.api.experiments.ensure("explore")
    lease = here.api.hold_lease("notebook")
    [run] = here.api.runs.create([new_run(experiment.id, owner_id="notebook", started=True)])
    assert not lease.cancel_requested()
    assert there.api.runs.cancel(run.id, wait_s=0) is CancelOutcome.CANCEL_REQUESTED
    wait_until(lease.cancel_requested, "the signal")
    here.api.runs.end(run.id, Status.CANCELED)
    lease.close()


NOTEBOOK = """
import time
from headway import Experiment, Workspace
run = Experiment(Workspace.from_config(), "explore").start_logging()
print(run.id, flush=True)
try:
    while True:
        time.sleep(600)
except KeyboardInterrupt:
    print("interrupted", run.get_status(), flush=True)
"""


def test_a_notebook_is_interrupted_when_its_run_is_canceled_elsewhere(
    join: Join, server: str, workspace_name: str
) -> None:
    environment = {**os.environ, "HEADWAY_WORKSPACE": f"{server}/{workspace_name}"}
    command = [sys.executable, "-c", NOTEBOOK]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as notebook:
        assert notebook.stdout is not None
        run_id = notebook.stdout.readline().strip()
        there = join()
        outcome = there.api.runs.cancel(run_id, wait_s=15)
        said, _ = notebook.communicate(timeout=15)
    assert outcome is CancelOutcome.CANCELED
    assert said == "interrupted Canceled\n"
    assert there.api.runs.get(run_id).status is Status.CANCELED


def test_outputs_points_and_log_of_a_run_are_there_when_it_has_ended(
    join: Join, tmp_path: Path
) -> None:
    here, there = join(), join()
    program = """
import headway, os
run = headway.Run.get_context()
for i in range(1000):
    run.log("loss", i)
os.makedirs("outputs/deep", exist_ok=True)
open("outputs/deep/model.bin", "wb").write(b"weights" * 1000)
open("outputs/note.txt", "w").write("done")
print("x" * 3_000_000)
print("last line", flush=True)
"""
    run = start(here, tmp_path / "source", program)
    ended, text = follow(there.api, run.id)
    assert ended.status is Status.COMPLETED, text[:3000]
    assert (len(text), text[-10:]) == (3_000_011, b"last line\n")
    names = [entry.path for entry in there.api.files.list(run.id)]
    assert {"outputs/deep/model.bin", "outputs/note.txt", LOG} <= set(names)
    assert "system_logs/environment.txt" in names
    with there.api.files.open(run.id, "outputs/deep/model.bin") as file:
        assert file.read() == b"weights" * 1000
    [series] = there.api.metrics.read(MetricQuery(run.id, name="loss"))
    assert series.values == list(range(1000))


def test_an_agent_that_is_killed_is_replaced_and_nothing_is_lost_or_doubled(
    join: Join, tmp_path: Path
) -> None:
    here, there = join(), join()
    gate = tmp_path / "gate"
    program = f"""
import os, time
for i in range(20_000):
    print(i)
print("half", flush=True)
while not os.path.exists({str(gate)!r}):
    time.sleep(0.01)
for i in range(20_000, 40_000):
    print(i)
"""
    run = start(here, tmp_path / "source", program)
    first = here.wait_for_agent()
    processes.send_signal(first, signal.SIGKILL)
    second = here.wait_for_agent(other_than=first)
    gate.touch()
    processes.send_signal(second, signal.SIGKILL)
    ended, text = follow_long(there, run)
    assert ended.status is Status.COMPLETED
    numbers = [line for line in text.decode().splitlines() if line != "half"]
    assert numbers == [str(i) for i in range(40_000)]
    statuses = [event.status for event in there.api.runs.events(run.id)]
    assert len(statuses) == len(set(statuses)), statuses


def follow_long(api: Machine, run: Run) -> tuple[Run, bytes]:
    text = b""
    deadline = time.monotonic() + 25
    while time.monotonic() < deadline:
        update = api.api.runs.watch(run.id, log=LOG, offset=len(text), timeout_s=2)
        text += update.log.data
        if update.run.status.ended and not update.log.data:
            return update.run, text
    raise AssertionError(f"run {run.id} did not end; its log so far: {text[-200:]!r}")


def test_the_agent_ends_when_nothing_is_left_and_comes_again_for_the_next_run(
    join: Join, tmp_path: Path
) -> None:
    here = join()
    follow(here.api, start(here, tmp_path / "source", "print('one')").id)
    wait_until(lambda: here.agent() is None, "the end of the agent")
    ended, text = follow(here.api, start(here, tmp_path / "source", "print('two')").id)
    assert (ended.status, text) == (Status.COMPLETED, b"two\n")


def test_a_process_that_was_killed_is_missed_by_the_agent_of_its_machine(
    join: Join, server: str, workspace_name: str, tmp_path: Path
) -> None:
    here, there = join(), join()
    run = start(here, tmp_path / "source", SLEEP)  # so that there is an agent
    program = f"""
import os, signal, sys
from pathlib import Path
from headway.client.workspace import open_remote
from headway.model import NewRun
from headway.settings import load_settings
api = open_remote({server!r}, {workspace_name!r}, Path({str(here.spool)!r}), load_settings())
lease = api.hold_lease("killed")
experiment = api.experiments.ensure("explore")
api.runs.create([NewRun("killed-run", experiment.id, owner_id="killed", started=True)])
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == -signal.SIGKILL
    wait_until(lambda: there.api.runs.get("killed-run").status.ended, "the end of the run")
    lost = there.api.runs.get("killed-run")
    assert lost.error is not None
    assert (lost.status, lost.error.code) == (Status.FAILED, "ProcessLost")
    assert not there.api.runs.get(run.id).status.ended


def test_a_shim_that_was_killed_is_found_by_the_agent(join: Join, tmp_path: Path) -> None:
    here, there = join(), join()
    run = start(here, tmp_path / "source", SLEEP)
    pid = pid_of(there, run)
    processes.send_signal(here.record(run).shim, signal.SIGKILL)
    wait_until(lambda: there.api.runs.get(run.id).status.ended, "the end of the run")
    lost = there.api.runs.get(run.id)
    assert (lost.status, lost.error and lost.error.code) == (Status.FAILED, "ShimLost")
    wait_until(lambda: not is_there(pid), "the end of the program")
