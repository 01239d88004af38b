"""What the thread of a session does when the workspace gives trouble."""

import contextlib
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from headway import Experiment, StorageFullError, Workspace
from headway.errors import HeadwayError, ServerUnavailableError, UnauthorizedError
from headway.model import JournalStretch, Status
from headway.sdk.interactive.process import close_sessions
from headway.sdk.interactive.session import Session
from headway.settings import load_settings


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def session(workspace: Workspace, said: list[str], monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setenv("HEADWAY_DRAIN_INTERVAL_S", "0.05")
    interrupts = said  # both are told in one list, in their order
    return Session(
        workspace.api,
        load_settings(),
        warn=said.append,
        interrupt=lambda: interrupts.append("interrupted"),
    )


def test_trouble_is_said_once_and_tried_again(
    session: Session, experiment: Experiment, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = experiment.start_logging()
    tries: list[str] = []
    metrics: Any = session.api.metrics
    append_many = metrics.append_many

    def full(stretches: list[JournalStretch]) -> list[int]:
        tries.append(stretches[0].run_id)
        if len(tries) < 4:
            raise StorageFullError("the disk is full")
        return append_many(stretches)

    monkeypatch.setattr(metrics, "append_many", full)
    session.journal(run.id).log("loss", 1.0)
    wait_until(lambda: len(tries) >= 4)
    assert said == ["moving metrics into the workspace fails: the disk is full"]


def test_a_cancel_that_cannot_be_read_at_first_is_not_forgotten(
    session: Session, experiment: Experiment, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = experiment.create_runs([experiment.new_run("owned-here")])
    (other,) = session.api.runs.create(
        [replace(experiment.new_run("owned-there"), owner_id=session.owner_id())]
    )
    session.adopt([other.id])
    runs: Any = session.api.runs
    get = runs.get
    failures = [StorageFullError("the disk is full")] * 2

    def sometimes(run_id: str) -> Any:
        if failures:
            raise failures.pop()
        return get(run_id)

    monkeypatch.setattr(runs, "get", sometimes)
    runs.cancel(other.id, wait_s=0)
    wait_until(lambda: "interrupted" in said)
    assert get(other.id).status is Status.CANCELED
    assert get(run.id).status is Status.RUNNING
    assert said[0].startswith("looking for requests to cancel fails")
    assert said.count("interrupted") == 1


def test_the_end_of_a_session_leaves_no_journal_behind(
    experiment: Experiment, workspace: Workspace
) -> None:
    run = experiment.start_logging()
    child = run.child_run()
    run.log("loss", 1.0)
    child.log("loss", 2.0)
    child.complete()
    child.log("late", 3.0)
    folder = workspace.api.metrics.journal_dir
    close_sessions()
    assert list(folder.rglob("*.hwj")) == []


def test_a_run_that_somebody_else_ended_is_no_trouble_at_the_end(
    experiment: Experiment, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    run = experiment.start_logging()
    workspace.api.runs.end(run.id, Status.FAILED)
    close_sessions()
    assert run.get_status() == "Failed"
    assert capsys.readouterr().err == ""


def test_what_cannot_be_moved_is_carried_to_the_disk(
    session: Session, experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = experiment.start_logging()
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    journal = session.journal(run.id)
    journal.log("loss", 1.0)
    wait_until(lambda: session.api.metrics.offset(run.id, journal.writer_id) == journal.written)
    assert synced == []

    def full(stretches: list[JournalStretch]) -> list[int]:
        raise StorageFullError("the disk is full")

    monkeypatch.setattr(session.api.metrics, "append_many", full)
    journal.log("loss", 2.0)
    wait_until(lambda: bool(synced))
    monkeypatch.undo()
    session.finish(None)


# ---------------------------------------------------------------- with a server


class Waiting:
    """What waits for a server that never answers in time."""

    folder = Path("spool")

    def __init__(self) -> None:
        self.ended: list[tuple[str, Status]] = []

    def bounded(self, seconds: float | None = None) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def attempt(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def send(self) -> None:
        raise ServerUnavailableError("the server does not answer")

    def end_run(self, run_id: str, status: Status, **_: object) -> HeadwayError | None:
        self.ended.append((run_id, status))
        return ServerUnavailableError("the server does not answer")

    def left(self, run_ids: Collection[str]) -> str:
        return "the end of a run"

    def close(self) -> None: ...


@pytest.mark.parametrize(
    "error",
    [
        ServerUnavailableError("the server does not answer"),
        StorageFullError("the disk of the server is full"),
        UnauthorizedError("the token has expired"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_run_ends_whatever_its_server_says(
    workspace: Workspace,
    experiment: Experiment,
    said: list[str],
    error: HeadwayError,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting: Any = Waiting()
    session = Session(workspace.api, load_settings(), warn=said.append, backlog=waiting)
    [run] = session.api.runs.create([replace(experiment.new_run("here"), owner_id=None)])
    session.adopt([run.id])

    def refuse(*_: object) -> Any:
        raise error

    metrics, runs = cast("Any", session.api.metrics), cast("Any", session.api.runs)
    monkeypatch.setattr(metrics, "append_many", refuse)
    monkeypatch.setattr(runs, "get", refuse)
    session.journal(run.id).log("loss", 1.0)
    session.drain(run.id)
    assert session.status_at_end(run.id) is Status.RUNNING
    assert not session.end_run(run.id, Status.COMPLETED)
    assert waiting.ended == [(run.id, Status.COMPLETED)]
    assert len(said) == 1
    assert "the program goes on" in said[0]
    session.finish(None)
    assert said[-1].startswith("not sent to the server yet: the end of a run; kept in spool")
