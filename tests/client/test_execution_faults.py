"""Servers that are away while runs are executed: programs go on, and everything arrives."""

import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.client.machines import Machine, is_there, wait_until
from tests.server.serving import ADMIN, Everyone

from headway.errors import ServerUnavailableError
from headway.model import CancelOutcome, Run, Status, Submission
from headway.server.app import make_app
from headway.server.backends import Backends
from headway.server.listening import Listener, in_thread
from headway.server.stopping import Stopping
from headway.server.workspaces import Hub
from headway.service.workspace import open_workspace
from headway.settings import load_settings
from headway.store.sqlite import SqliteDatabase
from headway.testing.api.requests import LOG, follow, new_run


class Restartable:
    """A server that is stopped and started again at the same port, with the same data."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._port = 0
        self._serving: Iterator[str] | None = None
        self.url = ""

    def start(self) -> None:
        self._serving = self._serve()
        self.url = next(self._serving)

    def stop(self) -> None:
        if self._serving is not None:
            next(self._serving, None)
            self._serving = None

    def give_up(self, run: Run) -> None:
        """What a monitor does about a host of which nothing was heard for long."""
        database = SqliteDatabase(self._root / "workspaces" / "default" / "headway.db")
        clock = itertools.count(time.time_ns() // 1000 + 10**10, 10**10).__next__
        folder = self._root / "workspaces" / "default"
        with closing(
            open_workspace(folder, load_settings(), database=database, clock=clock)
        ) as workspace:
            held = workspace.runners._held  # pyright: ignore[reportPrivateUsage]
            for act in (held.miss, held.give_up):
                for lease in held.overdue():
                    act(lease)
            assert workspace.runs.get(run.id).status is Status.FAILED

    def _serve(self) -> Iterator[str]:
        stopping = Stopping()
        hub = Hub(Backends(self._root, patience_s=10.0), load_settings())
        app = make_app(hub, Everyone(ADMIN), stopping=stopping)
        listener = Listener(app, host="127.0.0.1", port=self._port, stopping=stopping)
        self._port = listener.port
        with in_thread(listener) as url:
            yield url


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Restartable]:
    made = Restartable(tmp_path / "server")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def here(server: Restartable, tmp_path: Path) -> Iterator[Machine]:
    made = Machine(server.url, "default", tmp_path / "spool")
    yield made
    made.close()


Start = Callable[[str], Run]


@pytest.fixture
def start(here: Machine, tmp_path: Path) -> Start:
    """Submits a Python program."""

    def submit(program: str) -> Run:
        source = tmp_path / "source"
        source.mkdir()
        (source / "program.py").write_text(program)
        submission = Submission(
            command=[sys.executable, "program.py"], source_directory=str(source)
        )
        experiment = here.api.experiments.ensure("explore")
        return here.api.runs.submit(new_run(experiment.id), submission)

    return submit


def gated(gate: Path) -> str:
    return f"""
import os, time
print("up", flush=True)
while not os.path.exists({str(gate)!r}):
    time.sleep(0.01)
os.makedirs("outputs", exist_ok=True)
open("outputs/note.txt", "w").write("done")
print("done", flush=True)
"""


def test_a_run_goes_on_while_its_server_is_started_again(
    server: Restartable, here: Machine, start: Start, tmp_path: Path
) -> None:
    run = start(gated(tmp_path / "gate"))
    here.api.runs.watch(run.id, log=LOG, offset=0, timeout_s=15)
    server.stop()
    server.start()
    (tmp_path / "gate").touch()
    ended, text = follow(here.api, run.id)
    assert (ended.status, text) == (Status.COMPLETED, b"up\ndone\n")


def test_what_ends_while_the_server_is_away_is_told_when_it_is_back(
    server: Restartable, here: Machine, start: Start, tmp_path: Path
) -> None:
    run = start(gated(tmp_path / "gate"))
    here.api.runs.watch(run.id, log=LOG, offset=0, timeout_s=15)
    server.stop()
    (tmp_path / "gate").touch()
    wait_until(lambda: here.record(run).ended, "the end of the program")
    ended_at = here.record(run).ended_at
    server.start()
    wait_until(lambda: here.api.runs.get(run.id).status.ended, "the news of the end")
    ended = here.api.runs.get(run.id)
    assert (ended.status, ended.ended_at) == (Status.COMPLETED, ended_at)
    with here.api.files.open(run.id, LOG) as log:
        assert log.read() == b"up\ndone\n"
    assert "outputs/note.txt" in [entry.path for entry in here.api.files.list(run.id)]


def test_a_cancel_that_was_asked_for_while_the_host_was_cut_off_is_heeded_later(
    server: Restartable, here: Machine, start: Start, tmp_path: Path
) -> None:
    run = start(gated(tmp_path / "gate"))
    here.api.runs.watch(run.id, log=LOG, offset=0, timeout_s=15)
    agent = here.wait_for_agent()
    there = Machine(server.url, "default", tmp_path / "elsewhere")
    with here.stopped(agent):
        assert there.api.runs.cancel(run.id, wait_s=0.1) is CancelOutcome.CANCEL_REQUESTED
        main_pid = here.record(run).main_pid
        assert main_pid is not None
        assert is_there(main_pid)
    wait_until(lambda: there.api.runs.get(run.id).status.ended, "the end of the run")
    assert there.api.runs.get(run.id).status is Status.CANCELED
    assert not is_there(main_pid)
    there.close()


def test_a_program_that_was_given_up_is_ended_when_its_host_comes_back(
    server: Restartable, here: Machine, start: Start, tmp_path: Path
) -> None:
    run = start(gated(tmp_path / "gate"))
    here.api.runs.watch(run.id, log=LOG, offset=0, timeout_s=15)
    main_pid = here.record(run).main_pid
    assert main_pid is not None
    with here.stopped(here.wait_for_agent()):
        server.give_up(run)
    wait_until(lambda: not is_there(main_pid), "the end of the program", 25)
    lost = here.api.runs.get(run.id)
    assert (lost.status, lost.error and lost.error.code) == (Status.FAILED, "LostHost")


def test_a_submission_without_a_server_leaves_nothing(
    server: Restartable, here: Machine, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(here.api._connection, "_timeout_s", 0.1)  # pyright: ignore[reportPrivateUsage]
    server.stop()
    with pytest.raises(ServerUnavailableError):
        start("pass")
    assert list((here.spool / "runs").iterdir()) == []
    server.start()


def test_a_submitter_that_is_killed_leaves_no_run_that_stays_for_ever(
    server: Restartable, here: Machine, tmp_path: Path
) -> None:
    """After the run was recorded and before a shim took it over."""
    experiment = here.api.experiments.ensure("explore")
    program = f"""
import os, signal
from pathlib import Path
from headway.client.workspace import open_remote
from headway.engines.local import LocalEngine
from headway.model import NewRun, Submission
from headway.service.workspace import open_workspace
from headway.settings import load_settings
from headway.store.sqlite import SqliteDatabase
LocalEngine.start = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
api = open_remote({server.url!r}, "default", Path({str(here.spool)!r}), load_settings())
api.runs.submit(NewRun("half", {experiment.id!r}),
    Submission(command=["true"], source_directory="/", in_place=True))
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    assert here.api.runs.get("half").status is Status.STARTING
    submission = Submission(command=["true"], source_directory="/", in_place=True)
    here.api.runs.submit(new_run(experiment.id), submission)  # the next one starts an agent
    wait_until(lambda: here.api.runs.get("half").status.ended, "the end of the run")
    lost = here.api.runs.get("half")
    assert (lost.status, lost.error and lost.error.code) == (
        Status.FAILED,
        "SubmissionInterrupted",
    )
