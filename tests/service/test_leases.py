"""Runs of other hosts: admitted, reported on, missed, heard of again, given up."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from headway.errors import InvalidValueError, RunStateError
from headway.model import CancelOutcome, Run, RunError, RunQuery, Status, Submission
from headway.runners import Admission, RunnerReport
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.store.base import Database
from headway.testing.api.requests import new_run

RUNNER = "runner-of-another-host"
SUBMISSION = Submission(command=["train"], source_directory="/elsewhere", in_place=True)
MINUTE = 60_000_000


class Clock:
    """The time as a test wants it."""

    def __init__(self) -> None:
        self.now = 1_700_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rows() -> Database | None:
    """Where the rows are; None for an SQLite file. Others run the same tests over their own."""
    return None


@pytest.fixture
def workspace(tmp_path: Path, clock: Clock, rows: Database | None) -> Iterator[EmbeddedWorkspace]:
    settings = replace(load_settings({}), missed_after_s=30.0, lost_after_s=900.0)
    opened = open_workspace(tmp_path / "workspace", settings, clock=clock, database=rows)
    yield opened
    opened.close()


@pytest.fixture
def experiment_id(workspace: EmbeddedWorkspace) -> str:
    return workspace.experiments.ensure("explore").id


def admit(workspace: EmbeddedWorkspace, experiment_id: str) -> Run:
    new = new_run(experiment_id)
    admission = Admission(new=new, submission=SUBMISSION, host="gpu7", runner_id=RUNNER)
    return workspace.runners.admit(admission)


def report(
    workspace: EmbeddedWorkspace, run: Run, sequence: int, status: Status, at: int, **fields: object
) -> Run:
    said = RunnerReport(sequence=sequence, status=status, at=at, sent_at=at, reason="said")
    workspace.runners.report(run.id, replace(said, **fields))
    return workspace.runs.get(run.id)


def look(workspace: EmbeddedWorkspace, *, served_s: float = 1000.0) -> None:
    """What a monitor does that has served for so long."""
    monitor = workspace.monitor(uuid.uuid4().hex)
    watch = iter([0.0, 0.0, *[served_s] * 1000])
    monitor._stopwatch = lambda: next(watch)  # pyright: ignore[reportPrivateUsage]
    assert monitor.look()
    monitor.close()


def test_a_run_of_another_host_stands_as_its_runner_reports(
    workspace: EmbeddedWorkspace, experiment_id: str, clock: Clock
) -> None:
    run = admit(workspace, experiment_id)
    assert (run.status, run.host) == (Status.STARTING, "gpu7")
    assert workspace.runs.get(run.id).status is Status.STARTING  # no folder here is looked for
    began = report(workspace, run, 1, Status.RUNNING, clock.now, started_at=clock.now)
    assert (began.status, began.started_at) == (Status.RUNNING, clock.now)
    error = RunError("ExitCode", "it exited with 3", exit_code=3)
    ended = report(workspace, run, 2, Status.FAILED, clock.now, error=error)
    assert (ended.status, ended.error) == (Status.FAILED, error)
    assert workspace.runners.assigned(RUNNER) == []


def test_a_report_that_comes_again_or_late_changes_nothing(
    workspace: EmbeddedWorkspace, experiment_id: str, clock: Clock
) -> None:
    run = admit(workspace, experiment_id)
    report(workspace, run, 1, Status.RUNNING, clock.now)
    report(workspace, run, 2, Status.NOT_RESPONDING, clock.now)
    report(workspace, run, 3, Status.RUNNING, clock.now)
    assert report(workspace, run, 2, Status.NOT_RESPONDING, clock.now).status is Status.RUNNING
    assert report(workspace, run, 3, Status.FAILED, clock.now).status is Status.RUNNING
    [assignment] = workspace.runners.assigned(RUNNER)
    assert assignment.sequence == 3


def test_an_admission_that_comes_again_makes_one_run(
    workspace: EmbeddedWorkspace, experiment_id: str
) -> None:
    new = new_run(experiment_id)
    admission = Admission(new=new, submission=SUBMISSION, runner_id=RUNNER)
    first, second = (workspace.runners.admit(admission) for _ in range(2))
    assert first == second
    assert len(workspace.runs.list(RunQuery()).runs) == 1


@pytest.mark.parametrize("ahead", [0, 1_000_000, 3600_000_000, -86_400_000_000])
def test_times_are_those_of_the_workspaces_clock(
    workspace: EmbeddedWorkspace, experiment_id: str, clock: Clock, ahead: int
) -> None:
    run = admit(workspace, experiment_id)
    theirs = clock.now + ahead
    ended = report(workspace, run, 1, Status.COMPLETED, theirs - MINUTE, sent_at=theirs)
    assert ended.ended_at is not None
    assert abs(ended.ended_at - (clock.now - MINUTE)) <= 2_000_000


def test_cancel_is_wanted_of_the_runner_and_answered_when_it_reports_the_end(
    workspace: EmbeddedWorkspace, experiment_id: str, clock: Clock
) -> None:
    run = admit(workspace, experiment_id)
    seen = workspace.runners.beat(RUNNER, "gpu7").signals
    assert workspace.runs.cancel(run.id, wait_s=0) is CancelOutcome.CANCEL_REQUESTED
    assert workspace.runners.wait(RUNNER, seen, 10.0).signals != seen
    [assignment] = workspace.runners.assigned(RUNNER)
    assert assignment.wanted is not None
    assert (assignment.wanted.outcome, assignment.wanted.grace_s) == (Status.CANCELED, None)
    assert workspace.runs.get(run.id).status is Status.CANCEL_REQUESTED
    ended = report(workspace, run, 1, Status.CANCELED, clock.now)
    assert ended.status is Status.CANCELED
    assert workspace.runs.cancel(run.id) is CancelOutcome.ALREADY_ENDED


def test_a_second_cancel_may_shorten_the_grace_and_nothing_else(
    workspace: EmbeddedWorkspace, experiment_id: str
) -> None:
    run = admit(workspace, experiment_id)

    def wanted_grace_s() -> float | None:
        [assignment] = workspace.runners.assigned(RUNNER)
        assert assignment.wanted is not None
        return assignment.wanted.grace_s

    workspace.runs.cancel(run.id, grace_s=5, wait_s=0)
    seen = workspace.runners.beat(RUNNER, "gpu7").signals
    workspace.runs.cancel(run.id, grace_s=60, wait_s=0)
    assert wanted_grace_s() == 5
    assert workspace.runners.beat(RUNNER, "gpu7").signals == seen
    workspace.runs.cancel(run.id, grace_s=1, wait_s=0)
    assert wanted_grace_s() == 1
    assert workspace.runners.beat(RUNNER, "gpu7").signals != seen


def test_a_run_does_not_respond_while_its_host_is_silent(
    workspace: EmbeddedWorkspace, experiment_id: str, clock: Clock
) -> None:
    run = admit(workspace, experiment_id)
    report(workspace, run, 1, Status.RUNNING, clock.now)
    look(workspace)
    assert workspace.runs.get(run.id).status is Status.RUNNING
    clock.now += MINUTE
    look(workspace)
    assert workspace.runs.get(run.id).status is Status.NOT_RESPONDING
    assert "gpu7" in workspace.runs.events(run.id)[-1].reason
    workspace.runners.beat(RUNNER, "gpu7")
    assert workspace.runs.get(run.id).status is Status.RUNNING
    assert workspace.runs.events(run.id)[-1].reason == "its host is heard of again"


def test_a_run_that_is_stopped_stays_so_when_its_host_is_heard_of_again(
    workspace: EmbeddedWorkspace, experiment_id: str, clock: Clock
) -> None:
    run = admit(workspace, experiment_id)
    report(workspace, run, 1, Status.RUNNING, clock.now)
    report(workspace, run, 2, Status.NOT_RESPONDING, clock.now)
    clock.now += MINUTE
    look(workspace)
    workspace.runners.beat(RUNNER, "gpu7")
    assert workspace.runs.get(run.id).status is Status.NOT_RESPONDING


@pytest.mark.parametrize("canceled", [False, True])
def test_a_silent_host_is_given_up_after_the_deadline(
    workspace: EmbeddedWorkspace, experiment_id: str, clock: Clock, canceled: bool
) -> None:
    run = admit(workspace, experiment_id)
    report(workspace, run, 1, Status.RUNNING, clock.now)
    if canceled:
        workspace.runs.cancel(run.id, wait_s=0)
    for minutes in (1, 14):
        clock.now += minutes * MINUTE
        look(workspace)
        assert not workspace.runs.get(run.id).status.ended
    clock.now += 2 * MINUTE
    look(workspace)
    lost = workspace.runs.get(run.id)
    assert lost.status is Status.FAILED
    assert lost.error is not None
    assert lost.error.code == "LostHost"
    # And when it comes back, it is told that the run has ended.
    late = RunnerReport(sequence=2, status=Status.COMPLETED)
    assert workspace.runners.report(run.id, late).status is Status.FAILED


def test_a_server_that_was_away_gives_everybody_time_to_be_heard(
    workspace: EmbeddedWorkspace, experiment_id: str, clock: Clock
) -> None:
    run = admit(workspace, experiment_id)
    report(workspace, run, 1, Status.RUNNING, clock.now)
    clock.now += 600 * MINUTE
    look(workspace, served_s=5.0)
    assert workspace.runs.get(run.id).status is Status.RUNNING
    look(workspace, served_s=31.0)
    assert workspace.runs.get(run.id).status is Status.NOT_RESPONDING


def test_an_interactive_run_lives_as_long_as_its_process_beats(
    workspace: EmbeddedWorkspace, experiment_id: str, clock: Clock
) -> None:
    workspace.runners.beat("notebook", "laptop")
    [run] = workspace.runs.create([new_run(experiment_id, owner_id="notebook", started=True)])
    assert workspace.runs.get(run.id).status is Status.RUNNING
    clock.now += MINUTE
    look(workspace)
    assert workspace.runs.get(run.id).status is Status.NOT_RESPONDING
    workspace.runners.beat("notebook", "laptop")
    assert workspace.runs.get(run.id).status is Status.RUNNING
    clock.now += MINUTE
    look(workspace)
    clock.now += 16 * MINUTE
    look(workspace)
    lost = workspace.runs.get(run.id)
    assert (lost.status, lost.error and lost.error.code) == (Status.FAILED, "ProcessLost")


def test_a_lease_that_is_given_up_ends_its_runs_at_once(
    workspace: EmbeddedWorkspace, experiment_id: str
) -> None:
    workspace.runners.beat("notebook", "laptop")
    [run] = workspace.runs.create([new_run(experiment_id, owner_id="notebook", started=True)])
    workspace.runners.release("notebook")
    assert workspace.runs.get(run.id).status is Status.FAILED
    assert workspace.runners.wait("notebook", 0, 0).signals == -1


def test_a_waiting_owner_is_woken_by_a_cancel(
    workspace: EmbeddedWorkspace, experiment_id: str
) -> None:
    seen = workspace.runners.beat("notebook", "laptop").signals
    [run] = workspace.runs.create([new_run(experiment_id, owner_id="notebook", started=True)])
    before = time.monotonic()
    assert workspace.runners.wait("notebook", seen, 0.01).signals == seen
    assert time.monotonic() - before < 5
    workspace.runs.cancel(run.id, wait_s=0)
    assert workspace.runners.wait("notebook", seen, 30).signals == seen + 1


def test_children_end_as_the_run_of_another_host_around_them(
    workspace: EmbeddedWorkspace, experiment_id: str, clock: Clock
) -> None:
    run = admit(workspace, experiment_id)
    report(workspace, run, 1, Status.RUNNING, clock.now)
    workspace.runners.beat("program", "gpu7")
    new = new_run(experiment_id, owner_id="program", parent_id=run.id, started=True)
    [child] = workspace.runs.create([new])
    report(workspace, run, 2, Status.COMPLETED, clock.now)
    workspace.runners.release("program")
    assert workspace.runs.get(child.id).status is Status.COMPLETED


def test_nothing_can_be_reported_of_runs_of_this_machine(
    workspace: EmbeddedWorkspace, experiment_id: str
) -> None:
    [run] = workspace.runs.create([new_run(experiment_id)])
    with pytest.raises(RunStateError, match="not executed elsewhere"):
        workspace.runners.report(run.id, RunnerReport(sequence=1, status=Status.COMPLETED))


@pytest.mark.parametrize("owner_id", ["", "../../etc", "a b", "x" * 101, "a\n"])
def test_ids_of_owners_that_are_none_are_refused(
    workspace: EmbeddedWorkspace, owner_id: str
) -> None:
    with pytest.raises(InvalidValueError, match="id of an owner"):
        workspace.runners.beat(owner_id, "host")
