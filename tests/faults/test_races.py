"""Several processes want something of one run at the same moment: one gets it, nobody loses."""

import fcntl
import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from headway.engines.folder import RunFolder
from headway.errors import RunExistsError, RunStateError
from headway.model import CancelOutcome, NewRun, Run, RunError, RunQuery, Status, Submission
from headway.service.workspace import open_workspace
from headway.settings import load_settings

if TYPE_CHECKING:
    from tests.faults.conftest import Site

RACERS = 8


def race(site: "Site", workspace: Path, run_id: str) -> list[Any]:
    """What each of several submitters says that were let go at once."""
    gate = site.root / "gate"
    marks = site.root / "marks"
    marks.touch()
    environment = {**os.environ, "HEADWAY_WORKSPACE": str(workspace)}
    with gate.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        racers = [
            site.python("racer.py", gate, marks, run_id, env=environment, stderr=subprocess.PIPE)
            for _ in range(RACERS)
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n"
    said: list[Any] = []
    for racer in racers:
        out, err = racer.communicate(timeout=20)
        assert racer.returncode == 0, err
        said.append(json.loads(out))
    return said


@pytest.mark.parametrize("run_id", ["one-race", "and-another"])
def test_of_those_who_submit_one_id_at_once_one_makes_the_run(site: "Site", run_id: str) -> None:
    said = race(site, site.workspace, run_id)
    errors = [one for one in said if "error" in one]
    assert {one["error"] for one in errors} <= {"RunExistsError"}, said
    assert {one["run"] for one in said if "run" in one} == {run_id}, said
    run = site.wait_for_end(site.api.runs.get(run_id))
    assert (run.status, run.error) == (Status.COMPLETED, None)
    assert site.folder(run).spec_file.exists()
    assert (site.root / "marks").read_text() == "x", "the program ran once"


def test_a_new_workspace_may_be_opened_by_many_at_once(site: "Site") -> None:
    folder = site.root / "fresh" / "workspace"
    said = race(site, folder, "")
    assert len({one["run"] for one in said}) == RACERS, said
    api = open_workspace(folder, load_settings({}))
    site.wait_until(lambda: all(run.status.ended for run in api.runs.list(RunQuery()).runs))
    found = api.runs.list(RunQuery()).runs
    assert [run.status for run in found] == [Status.COMPLETED] * RACERS
    assert sorted(run.number for run in found) == list(range(1, RACERS + 1))
    assert len(api.experiments.list()) == 1
    assert (site.root / "marks").read_text() == "x" * RACERS
    api.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_cancel_that_races_the_natural_end_is_one_or_the_other(site: "Site", seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(5):
        run = site.submit("sleep", "0.05")
        time.sleep(chance.uniform(0, 0.12))
        outcome = site.api.runs.cancel(run.id)
        ended = site.api.runs.get(run.id)
        assert ended.error is None
        assert (outcome, ended.status) in {
            (CancelOutcome.CANCELED, Status.CANCELED),
            (CancelOutcome.ALREADY_ENDED, Status.COMPLETED),
        }
        assert site.record(run).outcome == ended.status
        assert_one_end(site, run)


def assert_one_end(site: "Site", run: Run) -> None:
    statuses = [event.status for event in site.api.runs.events(run.id)]
    assert [status.ended for status in statuses] == [False] * (len(statuses) - 1) + [True]


LINGERS = """
import os, signal, time
if os.fork() == 0:
    signal.alarm(20)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("up", flush=True)
    time.sleep(20)
time.sleep(0.1)
"""


def test_completed_beats_a_cancel_that_came_after_the_program_had_ended(site: "Site") -> None:
    run = site.submit(program=LINGERS)
    site.wait_until(lambda: site.record(run).phase == "Ending", "the end of the program")
    assert site.api.runs.cancel(run.id, grace_s=0) is CancelOutcome.ALREADY_ENDED
    assert site.api.runs.get(run.id).status is Status.COMPLETED
    statuses = [event.status for event in site.api.runs.events(run.id)]
    assert statuses[-2:] == [Status.CANCEL_REQUESTED, Status.COMPLETED]
    assert site.left_of(run) == []


def test_fail_and_cancel_at_once_end_a_run_once(site: "Site") -> None:
    error = RunError(code="Diverged", message="the loss is NaN")
    for _ in range(4):
        run = site.submit(program="print('up', flush=True); import time; time.sleep(20)")
        site.wait_for_log(run)
        with ThreadPoolExecutor(2) as pool:
            failing = pool.submit(site.api.runs.end, run.id, Status.FAILED, error=error)
            canceling = pool.submit(site.api.runs.cancel, run.id)
        ended = site.api.runs.get(run.id)
        assert_one_end(site, run)
        if ended.status is Status.FAILED:
            assert failing.result().status is Status.FAILED
            assert ended.error is not None
            assert ended.error.code == "Diverged"
            assert canceling.result() is CancelOutcome.ALREADY_ENDED
        else:
            assert (ended.status, ended.error) == (Status.CANCELED, None)
            assert canceling.result() is CancelOutcome.CANCELED
            with pytest.raises(RunStateError, match="is Canceled and cannot become Failed"):
                failing.result()


def test_a_run_that_completes_while_it_is_being_failed_is_failed(site: "Site") -> None:
    """As one that completed before; the caller asked for it and is told so."""
    run = site.submit(program=LINGERS, grace_s=0.2)
    site.wait_until(lambda: site.record(run).phase == "Ending", "the end of the program")
    error = RunError(code="Diverged", message="the loss is NaN")
    failed = site.api.runs.end(run.id, Status.FAILED, error=error)
    assert (failed.status, failed.error) == (Status.FAILED, error)
    statuses = [event.status for event in site.api.runs.events(run.id)]
    assert statuses[-2:] == [Status.COMPLETED, Status.FAILED]


def test_a_second_submission_leaves_what_the_first_is_making_alone(
    site: "Site", monkeypatch: pytest.MonkeyPatch
) -> None:
    new = NewRun(id="the-run", experiment_id=site.experiment_id)
    submission = Submission(command=["true"], source_directory=str(site.root), in_place=True)
    folder = RunFolder(site.workspace / "runs" / new.id)
    folder.path.mkdir()
    rival = folder.hold()
    (folder.path / "work").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr("headway.hosting.claims._PATIENCE_S", 0.05)
        with pytest.raises(RunExistsError, match="being submitted by another process"):
            site.api.runs.submit(new, submission)
    assert (folder.path / "work").exists()
    with ThreadPoolExecutor(1) as pool:
        submitting = pool.submit(site.api.runs.submit, new, submission)
        os.close(rival)  # it gave up, or was killed
    assert submitting.result().id == new.id
    assert site.wait_for_end(submitting.result()).status is Status.COMPLETED


def test_a_child_forked_during_a_submission_does_not_keep_the_run_held(site: "Site") -> None:
    program = """
import os, signal, time
from headway import Experiment, ScriptRunConfig, Workspace
from headway.hosting import claims
experiment = Experiment(Workspace.from_config(), "forks")
take = claims.take
def fork_too(*arguments):
    claim = take(*arguments)
    if os.fork() == 0:
        signal.alarm(20)
        time.sleep(20)
    return claim
claims.take = fork_too
experiment.submit(ScriptRunConfig(None, command="true"), run_id="the-run")
print("done", flush=True)
os._exit(0)
"""
    process = site.start(sys.executable, "-c", program, start_new_session=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "done\n"
        folder = RunFolder(site.workspace / "runs" / "the-run")
        site.wait_until(lambda: not folder.alive(), "the end of the shim")
        assert site.api.runs.get("the-run").status is Status.COMPLETED
    finally:
        os.killpg(process.pid, 9)
