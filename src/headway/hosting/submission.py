"""Submitting: a run, its snapshot, its folder and its shim, in the order that survives a crash.

The run's lock is taken before anything of the run is made and handed on to the shim without
being free for a moment, so that no reader can take a run that is starting for a dead one; and if
the submitter dies on the way, the free lock says so.
"""

import shutil
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, Protocol

import msgspec

from headway.engines import launching
from headway.engines.base import Engine
from headway.engines.folder import RunFolder, RunSpec
from headway.engines.slots import Need
from headway.engines.tickets import HIGHEST_PRIORITY
from headway.errors import HeadwayError, InvalidValueError, SubmissionError
from headway.hosting import claims
from headway.hosting.environments import EnvironmentService, Prepared
from headway.hosting.layout import Layout
from headway.hosting.live_files import LiveFiles
from headway.hosting.masking import mask_submission
from headway.model import NewRun, Run, RunError, Submission
from headway.runners import Admission, RunPreview
from headway.settings import Settings
from headway.snapshots import git_properties

LOCAL: Final = "local"


class Recorder(Protocol):
    """Where runs are recorded: a database here, or a server."""

    def preview(self, new: NewRun) -> RunPreview:
        """Check what a run is to be made from, and tell what it would be."""
        ...

    def admit(self, admission: Admission) -> Run:
        """Record a run whose program is about to be started."""
        ...

    def never_started(self, run: Run, error: RunError) -> None:
        """Record that the program of a run could not be started."""
        ...


class SourceKeeper(Protocol):
    """What keeps source directories as they are."""

    def keep(self, source: Path) -> str:
        """Keep a directory, or a directory with one file, and return the id."""
        ...

    def materialize(self, snapshot_id: str, target: Path) -> None:
        """Make the directory again, in a folder that does not exist."""
        ...


class Site(msgspec.Struct, frozen=True):
    """This machine's part of a workspace: where what it executes is kept."""

    layout: Layout
    location: str
    """What ``HEADWAY_WORKSPACE`` is for the programs of runs."""
    workspace_name: str
    host: str
    runner_id: str | None = None
    """Who stands for what is executed here; None where the database is here too."""


class Submitter:
    """Makes a run of a submission and has it started.

    Args:
        site: Where its folder is made.
        recorder: Where it is recorded.
        sources: Where its source is kept.
        environments: What it runs in.
        engine: What starts it.
        settings: The settings that hold.
        environment: Where a build system says which commit is built, in place of git.
    """

    def __init__(
        self,
        site: Site,
        recorder: Recorder,
        sources: SourceKeeper,
        environments: EnvironmentService,
        engine: Engine,
        settings: Settings,
        environment: Mapping[str, str],
    ) -> None:
        self._site = site
        self._recorder = recorder
        self._sources = sources
        self._environments = environments
        self._engine = engine
        self._settings = settings
        self._environment = environment

    def submit(self, new: NewRun, submission: Submission) -> Run:
        """Make a run and have its program started; return without waiting for it."""
        check(submission)
        preview = self._recorder.preview(new)
        if preview.known is not None:
            return preview.known
        waits_for = self._engine.admit(_need(submission))
        with self._environments.prepared(submission) as prepared:
            return self._submit(new, preview, prepared, waits_for)

    def _submit(
        self, new: NewRun, preview: RunPreview, prepared: Prepared, waits_for: str | None
    ) -> Run:
        submission = prepared.submission
        folder = RunFolder(self._site.layout.run(new.id))
        claim = claims.take(folder, new.id, lambda: self._recorder.preview(new).known)
        if isinstance(claim, Run):
            return claim
        with closing(claim):
            try:
                snapshot_id = None
                if not submission.in_place:
                    snapshot_id = self._sources.keep(Path(submission.source_directory))
                    self._sources.materialize(snapshot_id, folder.work_dir)
                folder.create(self._spec(new, preview, prepared, folder))
                LiveFiles(folder.path).prepare()
                prepared.keep(folder.path)
                return self._start(folder, claim.fd, new, submission, snapshot_id, waits_for)
            except BaseException:
                self._clean_up(folder, new)
                raise

    def _start(
        self,
        folder: RunFolder,
        lock_fd: int,
        new: NewRun,
        submission: Submission,
        snapshot_id: str | None,
        waits_for: str | None,
    ) -> Run:
        run = self._recorder.admit(
            Admission(
                new=new,
                submission=mask_submission(submission),
                snapshot_id=snapshot_id,
                source=git_properties(Path(submission.source_directory), self._environment),
                waits_for=waits_for,
                host=self._site.host,
                runner_id=self._site.runner_id,
            )
        )
        try:
            self._engine.start(folder, lock_fd)
        except HeadwayError as error:
            self._recorder.never_started(run, RunError("CannotStart", error.message))
            raise SubmissionError(f"run {new.id} could not be started: {error.message}") from error
        return run

    def _clean_up(self, folder: RunFolder, new: NewRun) -> None:
        """Leave no folder behind where no run came to be; where that is not known, it stays."""
        with suppress(HeadwayError):
            if self._recorder.preview(new).known is None:
                shutil.rmtree(folder.path, ignore_errors=True)

    def _spec(
        self, new: NewRun, preview: RunPreview, prepared: Prepared, folder: RunFolder
    ) -> RunSpec:
        submission, layout = prepared.submission, self._site.layout
        environment = {
            "HEADWAY_WORKSPACE": self._site.location,
            "HEADWAY_RUN_ID": new.id,
            "HEADWAY_EXPERIMENT": preview.experiment_name,
            # What scripts written for azureml.core look at.
            "AZUREML_RUN_ID": new.id,
            "AZUREML_ROOT_RUN_ID": preview.root_id,
            "AZUREML_EXPERIMENT_ID": new.experiment_id,
            "AZUREML_ARM_PROJECT_NAME": preview.experiment_name,
            "AZUREML_ARM_WORKSPACE_NAME": self._site.workspace_name,
            "AZUREML_OUTPUT_DIRECTORY": "./outputs",
            "AZUREML_TARGET_TYPE": LOCAL,
        }
        return RunSpec(
            run_id=new.id,
            command=_command(submission, folder),
            cwd=submission.source_directory if submission.in_place else str(folder.work_dir),
            env={**environment, **prepared.variables},
            grace_s=submission.grace_s,
            max_run_duration_s=submission.max_run_duration_s,
            cpus=submission.resources.cpus,
            gpus=submission.resources.gpus,
            target=_need(submission).target,
            priority=submission.priority,
            journal_dir=str(layout.journals),
            system_metrics_interval_s=self._settings.system_metrics_interval_s,
            max_log_bytes=self._settings.max_log_bytes or None,
            holds=prepared.holds,
            spool="" if self._site.runner_id is None else str(layout.root),
        )


def check(submission: Submission) -> None:
    """Refuse what cannot be executed here."""
    if not submission.command:
        raise InvalidValueError("the command is empty: give a program and its arguments")
    _check_place(submission)
    if submission.processes is not None and submission.processes.count < 1:
        raise InvalidValueError(
            f"{submission.processes.count} processes were asked for: give 1 or more"
        )
    texts = [*submission.command, *submission.environment_variables.values()]
    names = list(submission.environment_variables)
    if any("\0" in text for text in (*texts, *names)):
        raise InvalidValueError(
            "the command or an environment variable holds a NUL byte, which no program can be "
            "given: remove it"
        )
    wrong = next((name for name in names if not name or "=" in name), None)
    if wrong is not None:
        raise InvalidValueError(
            f"{wrong!r} is no name for an environment variable: give one without '='"
        )
    source = Path(submission.source_directory)
    if submission.script is not None and not (source / submission.script).is_file():
        raise SubmissionError(
            f"{source / submission.script} script path doesn't exist. The script should be inside "
            "the project folder"
        )


def _command(submission: Submission, folder: RunFolder) -> list[str]:
    """What the shim starts: the program, or what starts it several times."""
    program, processes = list(submission.command), submission.processes
    if processes is None:
        return program
    return launching.command(folder.path.absolute(), processes.count, processes.kind, program)


def _check_place(submission: Submission) -> None:
    for kind in ("cpus", "gpus"):
        if (given := getattr(submission.resources, kind)) < 0:
            raise InvalidValueError(f"resources: {kind} was given as {given}: give 0 or more")
    if abs(submission.priority) > HIGHEST_PRIORITY:
        raise InvalidValueError(
            f"the priority was given as {submission.priority}: accepted is -{HIGHEST_PRIORITY} to "
            f"{HIGHEST_PRIORITY}"
        )


def _need(submission: Submission) -> Need:
    resources, target = submission.resources, submission.target
    return Need(cpus=resources.cpus, gpus=resources.gpus, target="" if target == LOCAL else target)
