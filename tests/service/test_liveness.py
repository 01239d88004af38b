"""Nothing stays Running for ever: what the next reader does about runs whose process is gone."""

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headway.engines.folder import RunFolder
from headway.hosting import owners
from headway.model import CancelOutcome, MetricQuery, NewRun, Run, Status, Submission
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.testing.api.requests import LOG, follow, new_run

PATIENCE_S = 10.0


class Clock:
    """The time as a test wants it."""

    def __init__(self) -> None:
        self.ahead = 0

    def __call__(self) -> int:
        return time.time_ns() // 1000 + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(tmp_path: Path, clock: Clock) -> Iterator[EmbeddedWorkspace]:
    opened = open_workspace(tmp_path / "workspace", load_settings({}), clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def experiment_id(workspace: EmbeddedWorkspace) -> str:
    return workspace.experiments.ensure("explore").id


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)


def submit(workspace: EmbeddedWorkspace, experiment_id: str, source: Path, program: str) -> Run:
    source.mkdir(exist_ok=True)
    (source / "program.py").write_text(program)
    submission = Submission(command=[sys.executable, "program.py"], source_directory=str(source))
    return workspace.runs.submit(new_run(experiment_id), submission)


INTERACTIVE = """
import os, signal, sys
from pathlib import Path
from headway.model import NewRun
from headway.metrics.journal import JournalWriter
from headway.service.workspace import open_workspace
from headway.settings import load_settings
workspace = open_workspace(Path(sys.argv[1]), load_settings({}))
lease = workspace.hold_lease("the-owner")
experiment = workspace.experiments.ensure("explore")
new = NewRun(id="the-run", experiment_id=experiment.id, owner_id="the-owner", started=True)
workspace.runs.create([new])
writer = JournalWriter(workspace.metrics.journal_dir, "the-run", "the-writer",
    segment_bytes=1 << 16, max_text_bytes=1 << 20, max_name_chars=255, warn=print)
for i in range(10_000):
    writer.log("x", i)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_killed_after_its_last_log_loses_no_point(
    workspace: EmbeddedWorkspace, tmp_path: Path
) -> None:
    killed = subprocess.run([sys.executable, "-c", INTERACTIVE, str(tmp_path / "workspace")])
    assert killed.returncode == -signal.SIGKILL
    run = workspace.runs.get("the-run")
    assert run.status is Status.FAILED
    assert run.error is not None
    assert run.error.code == "ProcessLost"
    assert run.points_lost == 0
    [series] = workspace.metrics.read(MetricQuery("the-run"))
    assert series.values == list(range(10_000))
    assert list(workspace.metrics.journal_dir.iterdir()) == []


def test_a_killed_runner_is_noticed_and_its_program_ended(
    workspace: EmbeddedWorkspace, experiment_id: str, tmp_path: Path
) -> None:
    program = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    run = submit(workspace, experiment_id, tmp_path / "source", program)
    update = workspace.runs.watch(run.id, log=LOG, offset=0, timeout_s=PATIENCE_S)
    record = RunFolder(tmp_path / "workspace" / "runs" / run.id).read_state()
    assert record is not None
    os.kill(record.shim_pid, signal.SIGKILL)
    wait_until(lambda: workspace.runs.get(run.id).status.ended)
    ended = workspace.runs.get(run.id)
    assert ended.status is Status.FAILED
    assert ended.error is not None
    assert ended.error.code == "ShimLost"
    wait_until(lambda: not Path(f"/proc/{int(update.log.data)}").exists())


def test_a_run_whose_runner_is_stopped_does_not_respond_until_it_goes_on(
    workspace: EmbeddedWorkspace, experiment_id: str, tmp_path: Path
) -> None:
    run = submit(workspace, experiment_id, tmp_path / "source", "import time; time.sleep(600)")
    folder = RunFolder(tmp_path / "workspace" / "runs" / run.id)
    wait_until(lambda: workspace.runs.get(run.id).status is Status.RUNNING)
    record = folder.read_state()
    assert record is not None
    for _ in range(2):
        os.kill(record.shim_pid, signal.SIGSTOP)
        wait_until(lambda: workspace.runs.get(run.id).status is Status.NOT_RESPONDING)
        os.kill(record.shim_pid, signal.SIGCONT)
        wait_until(lambda: workspace.runs.get(run.id).status is Status.RUNNING)
    os.kill(record.shim_pid, signal.SIGSTOP)
    wait_until(lambda: workspace.runs.get(run.id).status is Status.NOT_RESPONDING)
    assert workspace.runs.cancel(run.id) is CancelOutcome.CANCELED
    reasons = [event.reason for event in workspace.runs.events(run.id)]
    assert "its runner goes on" in reasons


def test_an_interrupted_submission_is_failed_by_the_next_reader(
    workspace: EmbeddedWorkspace, experiment_id: str, tmp_path: Path
) -> None:
    """The submitter is killed after the run was written and before a shim took it over."""
    program = f"""
import os, signal, sys
from pathlib import Path
from headway.engines.local import LocalEngine
from headway.model import NewRun, Submission
from headway.service.workspace import open_workspace
from headway.settings import load_settings
LocalEngine.start = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
workspace = open_workspace(Path({str(tmp_path / "workspace")!r}), load_settings({{}}))
workspace.runs.submit(
    NewRun(id="half", experiment_id={experiment_id!r}),
    Submission(command=["true"], source_directory={str(tmp_path)!r}, in_place=True))
"""
    killed = subprocess.run([sys.executable, "-c", program])
    assert killed.returncode == -signal.SIGKILL
    run = workspace.runs.get("half")
    assert run.status is Status.FAILED
    assert run.error is not None
    assert run.error.code == "SubmissionInterrupted"


def test_a_run_whose_folder_was_deleted_ends(
    workspace: EmbeddedWorkspace, experiment_id: str, tmp_path: Path
) -> None:
    run = submit(workspace, experiment_id, tmp_path / "source", "pass")
    wait_until(lambda: not RunFolder(tmp_path / "workspace" / "runs" / run.id).alive())
    shutil.rmtree(tmp_path / "workspace" / "runs" / run.id)
    assert workspace.runs.get(run.id).status is Status.FAILED


CHILDREN = """
import os, sys
from pathlib import Path
from headway.model import NewRun
from headway.service.workspace import open_workspace
from headway.settings import load_settings
workspace = open_workspace(Path(os.environ["HEADWAY_WORKSPACE"]), load_settings({{}}))
lease = workspace.hold_lease("program")
parent = workspace.runs.get(os.environ["HEADWAY_RUN_ID"])
workspace.runs.create([NewRun(id="child", experiment_id=parent.experiment_id,
    parent_id=parent.id, owner_id="program", started=True)])
print("made", flush=True)
{end}
"""


@pytest.mark.parametrize(
    ("end", "status"),
    [("os._exit(0)", Status.COMPLETED), ("os._exit(3)", Status.FAILED)],
)
def test_a_child_left_running_ends_as_the_run_around_it(
    workspace: EmbeddedWorkspace, experiment_id: str, tmp_path: Path, end: str, status: Status
) -> None:
    run = submit(workspace, experiment_id, tmp_path / "source", CHILDREN.format(end=end))
    ended, _ = follow(workspace, run.id)
    assert ended.status is status
    assert workspace.runs.get("child").status is status


def test_canceling_a_run_cancels_the_children_of_its_process(
    workspace: EmbeddedWorkspace, experiment_id: str, tmp_path: Path
) -> None:
    program = CHILDREN.format(end="import time; time.sleep(600)")
    run = submit(workspace, experiment_id, tmp_path / "source", program)
    workspace.runs.watch(run.id, log=LOG, offset=0, timeout_s=PATIENCE_S)
    workspace.runs.cancel(run.id)
    assert workspace.runs.get("child").status is Status.CANCELED


def test_a_helper_that_dies_inside_a_living_run_is_first_not_responding(
    workspace: EmbeddedWorkspace, experiment_id: str, tmp_path: Path, clock: Clock
) -> None:
    run = submit(workspace, experiment_id, tmp_path / "source", "import time; time.sleep(600)")
    owner = uuid.uuid4().hex
    lease = workspace.hold_lease(owner)
    child = NewRun(
        id="child", experiment_id=experiment_id, parent_id=run.id, owner_id=owner, started=True
    )
    workspace.runs.create([child])
    lease.close()
    assert workspace.runs.get("child").status is Status.NOT_RESPONDING
    for ahead in (3_600_000_000, -3_600_000_000):  # a clock that is set is no proof
        clock.ahead = ahead
        assert workspace.runs.get("child").status is Status.NOT_RESPONDING
    clock.ahead = 3_000_000
    later = open_workspace(tmp_path / "workspace", load_settings({}), clock=clock)
    assert later.runs.get("child").status is Status.FAILED
    later.close()
    workspace.runs.cancel(run.id)


def test_a_helper_that_stays_away_fails_after_a_while_by_the_stopwatch(
    workspace: EmbeddedWorkspace, experiment_id: str, tmp_path: Path, clock: Clock
) -> None:
    run = submit(workspace, experiment_id, tmp_path / "source", "import time; time.sleep(600)")
    owner = uuid.uuid4().hex
    workspace.hold_lease(owner).close()
    child = NewRun(
        id="child", experiment_id=experiment_id, parent_id=run.id, owner_id=owner, started=True
    )
    workspace.runs.create([child])
    clock.ahead = -3_600_000_000
    wait_until(lambda: workspace.runs.get("child").status is Status.FAILED)
    workspace.runs.cancel(run.id)


def test_a_forked_child_does_not_keep_its_parents_lease(
    workspace: EmbeddedWorkspace, tmp_path: Path
) -> None:
    program = INTERACTIVE.replace(
        "for i in range(10_000):",
        "if os.fork() == 0:\n    import time; print('forked', flush=True); time.sleep(600)\n"
        "for i in range(10):",
    )
    killed = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "workspace")],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        killed.wait(PATIENCE_S)
        assert workspace.runs.get("the-run").status is Status.FAILED
    finally:
        os.killpg(killed.pid, signal.SIGKILL)
        assert killed.stdout is not None
        killed.stdout.close()


def test_who_watches_a_run_sees_it_end_itself(
    workspace: EmbeddedWorkspace, experiment_id: str
) -> None:
    lease = workspace.hold_lease("the-owner")
    [run] = workspace.runs.create(
        [NewRun(id="the-run", experiment_id=experiment_id, owner_id="the-owner", started=True)]
    )

    def watch() -> Status:
        update = workspace.runs.watch(run.id, log=LOG, offset=1 << 62, timeout_s=PATIENCE_S)
        return update.run.status

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        time.sleep(0.05)  # into its pauses; whether it is there does not change what must be seen
        workspace.runs.end(run.id, Status.COMPLETED)
        assert watching.result(PATIENCE_S / 2) is Status.COMPLETED  # its process lives on
    lease.close()


def test_a_run_that_ended_itself_stays_as_it_is_for_who_read_it_before(
    workspace: EmbeddedWorkspace, experiment_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = workspace.hold_lease("the-owner")
    workspace.runs.create(
        [NewRun(id="the-run", experiment_id=experiment_id, owner_id="the-owner", started=True)]
    )
    is_alive = owners.is_alive

    def after_its_end(path: Path) -> bool:
        monkeypatch.setattr(owners, "is_alive", is_alive)
        workspace.runs.end("the-run", Status.COMPLETED)
        lease.close()
        return is_alive(path)

    monkeypatch.setattr(owners, "is_alive", after_its_end)
    assert workspace.runs.get("the-run").status is Status.COMPLETED
    assert [e.status for e in workspace.runs.events("the-run")][-1] is Status.COMPLETED
