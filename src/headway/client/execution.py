"""Runs that are submitted on this machine and recorded at a server: started here, told there."""

import os
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

from headway.engines import agency, document
from headway.engines.folder import RunFolder
from headway.engines.queueing import QueuedLocalEngine, local_compute
from headway.errors import ServerUnavailableError, StorageError, SubmissionError
from headway.hosting.courier import Courier, Server
from headway.hosting.environments import EnvironmentService
from headway.hosting.layout import Layout
from headway.hosting.submission import Site, SourceKeeper, Submitter
from headway.model import NewRun, Run, RunError, Status, Submission
from headway.runners import Admission, RunnerReport, Runners, RunPreview
from headway.settings import Settings

_RUNNER_FILE: Final = "runner_id"


class Drain(Protocol):
    """What brings points to the server."""

    def drain(self, run_id: str) -> None:
        """Send what the journals of a run hold."""
        ...


class Execution:
    """What this machine does for the runs of a server's workspace.

    Args:
        server: The workspace.
        sources: What keeps snapshots, here and there.
        points: What sends points.
        layout: The spool.
        location: What opens the workspace, for programs of runs.
        workspace_name: Its name.
        host: The name of this machine.
        settings: The settings that hold.
        environment: The variables of this process.
        clock: Microseconds since the epoch.
        say: Told in a line what takes time.
    """

    def __init__(
        self,
        server: Server,
        sources: SourceKeeper,
        points: Drain,
        layout: Layout,
        *,
        location: str,
        workspace_name: str,
        host: str,
        settings: Settings,
        environment: Mapping[str, str],
        clock: Callable[[], int],
        say: Callable[[str], None],
    ) -> None:
        self._runners = server.runners
        self._layout = layout
        engine = QueuedLocalEngine(local_compute(settings.home), settings.queue_tick_s)
        self._courier = Courier(server, layout, engine, clock, points.drain)
        self._make_submitter = lambda: Submitter(
            Site(layout, location, workspace_name, host, runner_id_of(layout)),
            _ServerRecorder(server.runners),
            sources,
            EnvironmentService(settings.home / "environments", settings.uv, environment, say),
            engine,
            settings,
            environment,
        )

    def submit(self, new: NewRun, submission: Submission) -> Run:
        """Make a run and have its program started; return without waiting for it."""
        submitter = self._make_submitter()
        run = submitter.submit(new, submission)
        self._wake_agent()
        return run

    def hasten(self, run_id: str) -> None:
        """Have a run of this machine heed what the server wants, and tell its end if that came.

        What is done here an agent does too, a moment later.
        """
        folder = RunFolder(self._layout.run(run_id))
        if not folder.path.exists():
            return
        for assignment in self._runners.assigned(runner_id_of(self._layout)):
            if assignment.run_id == run_id:
                self._courier.heed(folder, assignment)
        record = folder.read_state()
        if record is not None and record.ended:
            self._courier.deliver(run_id, patient=True)

    def _wake_agent(self) -> None:
        try:
            agency.wake(self._layout.root)
        except OSError as error:
            raise SubmissionError(
                f"what tells the server of this run cannot be started: {error.strerror}; correct "
                "that: the run goes on, and its runner tries again"
            ) from error


class _ServerRecorder:
    """Implements ``headway.hosting.submission.Recorder`` over a server."""

    def __init__(self, runners: Runners) -> None:
        self._runners = runners

    def preview(self, new: NewRun) -> RunPreview:
        """Check what a run is to be made from, and tell what it would be."""
        return self._runners.preview(new)

    def admit(self, admission: Admission) -> Run:
        """Record a run whose program is about to be started."""
        return self._runners.admit(admission)

    def never_started(self, run: Run, error: RunError) -> None:
        """Record that the program of a run could not be started."""
        report = RunnerReport(
            sequence=1,
            status=Status.FAILED,
            reason="the runner did not start",
            error=error,
        )
        try:
            self._runners.report(run.id, report)
        except ServerUnavailableError:
            return  # its folder says so too, and an agent will tell it


def runner_id_of(layout: Layout) -> str:
    """Who stands for what is executed here, made when it is first asked for.

    Raises:
        StorageError: It cannot be read or written.
    """
    path = layout.root / _RUNNER_FILE
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        return _make_runner_id(path)
    except (OSError, ValueError) as error:
        raise StorageError(f"{path} cannot be read: {error}; remove it") from error


def _make_runner_id(path: Path) -> str:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        temporary.write_text(f"runner-{uuid.uuid4()}", encoding="ascii")
        try:
            os.link(temporary, path)  # of several who make one at once, all take the first
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise document.storage_error(path, error) from error
