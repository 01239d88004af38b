"""However a run ends, its record says what happened: in events, in the error, in what is shown."""

import json
import os
import re
import shutil
import signal
import sys
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from click.testing import CliRunner

from headway import Experiment, Workspace
from headway.cli.program import program as command_line
from headway.engines import ending, processes
from headway.model import CancelOutcome, MetricQuery, Run, RunError, Status
from headway.sdk.interactive.process import close_sessions
from headway.testing.api.requests import new_run

if TYPE_CHECKING:
    from tests.faults.conftest import Site

SLEEP = "print('up', flush=True); import time; time.sleep(20)"
DEAF = f"import signal; signal.signal(15, signal.SIG_IGN); {SLEEP}"
DIVERGED = RunError(code="Diverged", message="the loss is NaN")


# ---------------------------------------------------------------- ways to end


def completed(site: "Site") -> Run:
    return site.submit("true")


def exited(site: "Site") -> Run:
    return site.submit("/bin/sh", "-c", "exit 7")


def crashed(site: "Site") -> Run:
    return site.submit("/bin/sh", "-c", "kill -SEGV $$")


def killed(site: "Site") -> Run:
    return site.submit("/bin/sh", "-c", "kill -KILL $$")


def not_found(site: "Site") -> Run:
    return site.submit("/no/such/program")


def too_long(site: "Site") -> Run:
    return site.submit("/bin/sleep", "20", max_run_duration_s=0.2)


def up(site: "Site") -> Run:
    run = site.submit(program=SLEEP)
    site.wait_for_log(run)
    return run


def canceled(site: "Site") -> Run:
    run = up(site)
    assert site.api.runs.cancel(run.id) is CancelOutcome.CANCELED
    return run


def failed(site: "Site") -> Run:
    run = up(site)
    site.api.runs.end(run.id, Status.FAILED, error=DIVERGED)
    return run


def preempted(site: "Site") -> Run:
    """As an engine does that wants its machine back: SIGTERM for the runner."""
    run = up(site)
    os.kill(site.record(run).shim_pid, signal.SIGTERM)
    return run


def shut_down(site: "Site") -> Run:
    """As a host does that shuts down: SIGTERM for everybody."""
    run = up(site)
    record = site.record(run)
    assert record.main_pid is not None
    os.kill(record.shim_pid, signal.SIGSTOP)  # so that it hears of both at once
    os.kill(record.main_pid, signal.SIGTERM)
    os.kill(record.shim_pid, signal.SIGTERM)
    os.kill(record.shim_pid, signal.SIGCONT)
    return run


def terminated_alone(site: "Site") -> Run:
    """Somebody sent the program alone a SIGTERM."""
    run = up(site)
    os.kill(site.record(run).main_pid or 0, signal.SIGTERM)
    return run


def shim_killed(site: "Site") -> Run:
    run = up(site)
    os.kill(site.record(run).shim_pid, signal.SIGKILL)
    return run


def host_restarted(site: "Site") -> Run:
    run = up(site)
    main_pid = site.record(run).main_pid
    shim_killed_now(site, run)
    site.folder(run).write_state(replace(site.record(run), boot_id="another boot"))
    site.wait_until(lambda: processes.status_of(main_pid or 0) is None, "the end of the program")
    return run


def shim_killed_now(site: "Site", run: Run) -> None:
    os.kill(site.record(run).shim_pid, signal.SIGKILL)
    site.wait_until(lambda: not site.folder(run).alive(), "the death of the shim")


def folder_removed(site: "Site") -> Run:
    run = site.submit("true")
    site.wait_until(lambda: not site.folder(run).alive(), "the end of the shim")
    shutil.rmtree(site.folder(run).path)
    return run


INTERRUPTED = """
import os, signal, sys
from headway import Experiment, ScriptRunConfig, Workspace
from headway.engines.local import LocalEngine
LocalEngine.start = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Experiment(Workspace.from_config(), "faults").submit(
    ScriptRunConfig(None, command="true"), run_id="interrupted")
"""


def interrupted(site: "Site") -> Run:
    submitter = site.start(sys.executable, "-c", INTERRUPTED)
    assert submitter.wait(20) == -signal.SIGKILL
    return site.api.runs.get("interrupted")


def interactive(site: "Site", end: Callable[[str], object] = lambda _: None) -> Run:
    owner = uuid.uuid4().hex
    lease = site.api.hold_lease(owner)
    [run] = site.api.runs.create([new_run(site.experiment_id, owner_id=owner, started=True)])
    end(run.id)
    lease.close()
    return run


def process_lost(site: "Site") -> Run:
    return interactive(site)


def interactive_failed(site: "Site") -> Run:
    return interactive(site, lambda it: site.api.runs.end(it, Status.FAILED, error=DIVERGED))


def interactive_completed(site: "Site") -> Run:
    return interactive(site, lambda it: site.api.runs.end(it, Status.COMPLETED))


def interactive_canceled(site: "Site") -> Run:
    return interactive(site, lambda it: site.api.runs.cancel(it, wait_s=0))


# ---------------------------------------------------------------- what must be said


class Kind(NamedTuple):
    bring_about: Callable[["Site"], Run]
    status: str
    reason: str
    code: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    statuses: str = ""


STARTED = "NotStarted Starting Running"
KINDS = [
    Kind(completed, "Completed", "exited with code 0", statuses=f"{STARTED} Completed"),
    Kind(exited, "Failed", "exited with code 7", "ExitCode", exit_code=7),
    Kind(crashed, "Failed", "SIGSEGV", "Signal", signal=11),
    Kind(killed, "Failed", "SIGKILL", "Signal", signal=9),
    Kind(not_found, "Failed", "/no/such/program", "CannotStart"),
    Kind(too_long, "Failed", "maximum duration of 0.2 s", "TimeLimit", signal=15),
    Kind(canceled, "Canceled", "canceled by", statuses=f"{STARTED} CancelRequested Canceled"),
    Kind(failed, "Failed", "the loss is NaN", "Diverged", signal=15),
    Kind(preempted, "Failed", "nobody asked to cancel", "Terminated", signal=15),
    Kind(shut_down, "Failed", "nobody asked to cancel", "Terminated", signal=15),
    Kind(terminated_alone, "Failed", "SIGTERM", "Signal", signal=15),
    Kind(shim_killed, "Failed", "the runner of this run was killed", "ShimLost"),
    Kind(host_restarted, "Failed", "the host was restarted", "HostRestarted"),
    Kind(folder_removed, "Failed", "the folder of this run was removed", "FolderLost"),
    Kind(interrupted, "Failed", "the submission was interrupted", "SubmissionInterrupted"),
    Kind(process_lost, "Failed", "the process that was this run ended", "ProcessLost"),
    Kind(interactive_failed, "Failed", "the loss is NaN", "Diverged"),
    Kind(interactive_completed, "Completed", "ended as Completed"),
    Kind(interactive_canceled, "Canceled", "after the request to cancel"),
]


@pytest.fixture
def show(site: "Site", monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """``headway show --json``."""
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(site.workspace))

    def call(run_id: str) -> Any:
        result = CliRunner().invoke(command_line, ["show", run_id, "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return call


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.bring_about.__name__)
def test_every_end_is_explained(site: "Site", show: Callable[[str], Any], kind: Kind) -> None:
    run = site.wait_for_end(kind.bring_about(site))
    shown = show(run.id)
    assert shown["status"] == kind.status
    error: dict[str, Any] = shown["error"] or {}
    found = (error.get("code"), error.get("exitCode"), error.get("signal"))
    assert found == (kind.code, kind.exit_code, kind.signal), error
    if kind.code is not None:
        assert re.search(re.escape(kind.reason), error["message"])
    events = shown["events"]
    assert kind.reason in events[-1]["reason"]
    assert [event["status"] for event in events][-1] == kind.status
    assert [event["previous"] for event in events[1:]] == [e["status"] for e in events[:-1]]
    assert all(event["at"] and event["actor"] and event["reason"] for event in events), events
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    if kind.statuses:
        assert [event["status"] for event in events] == kind.statuses.split()
    assert shown["ended_at"] == events[-1]["at"]
    details: Any = Experiment(Workspace.from_config(), shown["experiment"])
    details = next(one for one in details.get_runs() if one.id == run.id).get_details()
    assert details.get("error", {}).get("error", {}) == error
    close_sessions()


def test_what_cannot_be_killed_is_named(site: "Site", show: Callable[[str], Any]) -> None:
    """No process can be made that survives SIGKILL, so the record of such an end is written."""
    run = up(site)
    shim_killed_now(site, run)
    canceled = ending.Ending(outcome="Canceled", message="canceled by somebody", by="somebody")
    site.folder(run).write_state(ending.final(site.record(run), canceled, [4242]))
    shown = show(run.id)
    assert shown["status"] == "Canceled"
    assert shown["events"][-1]["reason"] == "canceled by somebody; could not be killed: pid 4242"
    close_sessions()


# ---------------------------------------------------------------- grace


SAVES = """
import os, signal, sys, time
from pathlib import Path
from headway import Run
run = Run.get_context()
def save(*_):
    Path("outputs").mkdir(exist_ok=True)
    Path("outputs/model.bin").write_bytes(bytes(1000))
    for i in range(100):
        run.log("saved", i)
    print("saved", flush=True)
    {then}
signal.signal(signal.SIGTERM, save)
print("up", flush=True)
time.sleep(20)
"""
NEVER_DONE = """
    acknowledged = os.open("outputs/acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    for i in range(100, 1_000_000):
        run.log("saved", i)
        os.write(acknowledged, b".")
        time.sleep(0.001)
"""


def test_what_a_program_saves_in_its_grace_is_kept(site: "Site") -> None:
    run = site.submit(program=SAVES.format(then="sys.exit(0)"))
    site.wait_for_log(run)
    assert site.api.runs.cancel(run.id, grace_s=15) is CancelOutcome.CANCELED
    assert site.left_of(run) == []
    with site.api.files.open(run.id, "outputs/model.bin") as file:
        assert file.read() == bytes(1000)
    [series] = site.api.metrics.read(MetricQuery(run.id, name="saved"))
    assert series.values == list(range(100))
    assert "saved" in site.log(run)
    assert site.record(run).exit_code == 0


def test_what_a_program_had_saved_when_its_grace_was_over_is_kept(site: "Site") -> None:
    run = site.submit(program=SAVES.format(then=NEVER_DONE))
    site.wait_for_log(run)
    assert site.api.runs.cancel(run.id, grace_s=0.4) is CancelOutcome.CANCELED
    with site.api.files.open(run.id, "outputs/acknowledged") as file:
        acknowledged = 100 + len(file.read())
    [series] = site.api.metrics.read(MetricQuery(run.id, name="saved"))
    assert series.values == list(range(len(series.values)))
    assert acknowledged <= len(series.values) <= acknowledged + 1


# ---------------------------------------------------------------- a second request


def test_a_second_cancel_can_shorten_the_grace(site: "Site") -> None:
    run = site.submit(program=DEAF)
    site.wait_for_log(run)
    assert site.api.runs.cancel(run.id, grace_s=60, wait_s=0) is CancelOutcome.CANCEL_REQUESTED
    site.wait_until(lambda: site.record(run).phase == "Ending", "the first request to be heard")
    assert site.api.runs.cancel(run.id, grace_s=0, wait_s=5) is CancelOutcome.CANCELED
    assert site.left_of(run) == []
    statuses = [event.status for event in site.api.runs.events(run.id)]
    assert statuses[-2:] == [Status.CANCEL_REQUESTED, Status.CANCELED]


def test_a_second_cancel_can_shorten_the_grace_of_what_the_program_left(site: "Site") -> None:
    program = f"import os\nif os.fork() == 0:\n    {DEAF}\nimport time; time.sleep(20)"
    run = site.submit(program=program)
    site.wait_for_log(run)
    assert site.api.runs.cancel(run.id, grace_s=60, wait_s=0.2) is CancelOutcome.CANCEL_REQUESTED
    main_pid = site.record(run).main_pid or 0
    site.wait_until(lambda: processes.status_of(main_pid) is None, "the end of the program itself")
    assert site.api.runs.cancel(run.id, grace_s=0, wait_s=5) is CancelOutcome.CANCELED


def test_a_second_cancel_does_not_lengthen_the_grace(site: "Site") -> None:
    run = site.submit(program=DEAF)
    site.wait_for_log(run)
    site.api.runs.cancel(run.id, grace_s=0.3, wait_s=0)
    assert site.api.runs.cancel(run.id, grace_s=60, wait_s=5) is CancelOutcome.CANCELED
    intent = site.folder(run).read_intent()
    assert intent is not None
    assert intent.grace_s == 0.3


def test_a_second_cancel_without_a_grace_changes_nothing(site: "Site") -> None:
    run = site.submit(program=DEAF, grace_s=0.1)
    site.wait_for_log(run)
    site.api.runs.cancel(run.id, grace_s=60, wait_s=0)
    assert site.api.runs.cancel(run.id, wait_s=0.5) is CancelOutcome.CANCEL_REQUESTED
    assert site.api.runs.cancel(run.id, grace_s=0, wait_s=5) is CancelOutcome.CANCELED
