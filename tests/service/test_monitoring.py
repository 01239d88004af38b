"""One monitor at a time, whatever becomes of the others."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.errors import StorageBusyError
from headway.model import Status
from headway.service.monitoring import HELD_S, FencedDatabase, Monitor
from headway.service.workspace import EmbeddedWorkspace, open_workspace
from headway.settings import load_settings
from headway.store.base import Database
from headway.testing.api.requests import PATIENCE_S, new_run


class Clock:
    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> int:
        return time.time_ns() // 1000 + round(self.ahead_s * 1e6)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rows() -> Database | None:
    """Where the rows are; None for an SQLite file. Others run the same tests over their own."""
    return None


@pytest.fixture
def workspace(tmp_path: Path, clock: Clock, rows: Database | None) -> Iterator[EmbeddedWorkspace]:
    folder = tmp_path / "workspace"
    opened = open_workspace(folder, load_settings({}), clock=clock, database=rows)
    yield opened
    opened.close()


def fence_of(monitor: Monitor) -> FencedDatabase:
    return monitor._fenced  # pyright: ignore[reportPrivateUsage]


def test_one_looks_after_a_workspace_until_it_lets_go(workspace: EmbeddedWorkspace) -> None:
    first, second = workspace.monitor("first"), workspace.monitor("second")
    assert first.look()
    assert not second.look()
    first.close()
    assert second.look()
    assert fence_of(second).token > fence_of(first).token


def test_the_next_one_comes_when_the_time_of_the_first_is_over(
    workspace: EmbeddedWorkspace, clock: Clock
) -> None:
    first, second = workspace.monitor("first"), workspace.monitor("second")
    assert first.look()
    clock.ahead_s += HELD_S + 1
    assert second.look()
    with pytest.raises(StorageBusyError, match="another process"), fence_of(first).write():
        pytest.fail("the first one may not write any more")
    with fence_of(first).read() as tx:
        assert tx.one("select count(*) from runs") == (0,)
    with fence_of(second).write() as tx:
        tx.run("delete from runs")


PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from headway.errors import StorageBusyError
from headway.service.workspace import open_workspace
from headway.settings import load_settings
workspace = open_workspace(Path(sys.argv[1]), load_settings({}))
monitor = workspace.monitor("stopped")
assert monitor.look()
print("looked", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
# Nobody has told it, and it goes on in the middle of its work.
try:
    with monitor._fenced.write() as tx:
        tx.run("update runs set name = 'written by one that was stopped'")
except StorageBusyError:
    print("refused", flush=True)
"""


def test_one_that_was_stopped_past_its_time_changes_nothing_when_it_goes_on(
    workspace: EmbeddedWorkspace, tmp_path: Path, clock: Clock
) -> None:
    experiment = workspace.experiments.ensure("explore")
    [run] = workspace.runs.create([new_run(experiment.id, name="mine")])
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "workspace")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stopped:
        assert stopped.stdout is not None
        assert stopped.stdout.readline() == "looked\n"
        while Path(f"/proc/{stopped.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            time.sleep(0.005)
        next_one = workspace.monitor("next")
        assert not next_one.look()
        clock.ahead_s += HELD_S + 1
        assert next_one.look()
        os.kill(stopped.pid, signal.SIGCONT)
        said, _ = stopped.communicate(timeout=PATIENCE_S)
    assert said == "refused\n"
    assert stopped.returncode == 0
    assert workspace.runs.get(run.id).name == "mine"


def test_a_run_whose_process_is_gone_ends_though_nobody_reads_it(
    workspace: EmbeddedWorkspace,
) -> None:
    experiment = workspace.experiments.ensure("explore")
    new = new_run(experiment.id, owner_id="nobody", started=True)
    [run] = workspace.runs.create([new])
    assert workspace.monitor("any").look()
    assert workspace.runs.events(run.id)[-1].status is Status.FAILED
    assert workspace.runs.events(run.id)[-1].actor == "recovery"


def test_nobody_is_needed_where_nothing_goes_on(workspace: EmbeddedWorkspace) -> None:
    monitor = workspace.monitor("any")
    assert not monitor.is_needed()
    workspace.runners.beat("notebook", "laptop")
    assert monitor.is_needed()
    workspace.runners.release("notebook")
    assert not monitor.is_needed()
    experiment = workspace.experiments.ensure("explore")
    workspace.runs.create([new_run(experiment.id)])
    assert monitor.is_needed()
