"""Submitting: a run, its snapshot, its folder and its shim, in the order that survives a crash.

The run's lock is taken before anything of the run is made and handed on to the shim without
being free for a moment, so that no reader can take a run that is starting for a dead one; and if
the submitter dies on the way, the free lock says so.
"""

import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from headway.engines import launching
from headway.engines.base import Engine
from headway.engines.folder import RunFolder, RunSpec
from headway.engines.slots import Need
from headway.engines.tickets import HIGHEST_PRIORITY
from headway.errors import HeadwayError, InvalidValueError, SubmissionError
from headway.model import NewRun, Run, RunError, Status, Submission
from headway.service import claims, transitions
from headway.service.creation import Identity, RunMaker, existing
from headway.service.environments import EnvironmentService, Prepared
from headway.service.layout import Layout
from headway.service.live_files import LiveFiles
from headway.service.snapshots import SnapshotService
from headway.settings import Settings
from headway.snapshots import git_properties
from headway.store import experiments, runs
from headway.store.base import Database
from headway.store.runs import StoredRun

LOCAL: Final = "local"


class Submitter:
    """Makes a run of a submission and has it started."""

    def __init__(
        self,
        database: Database,
        layout: Layout,
        engine: Engine,
        maker: RunMaker,
        settings: Settings,
        identity: Identity,
        clock: Callable[[], int],
        *,
        snapshots: SnapshotService,
        environments: EnvironmentService,
        environment: Mapping[str, str],
        workspace_name: str,
    ) -> None:
        self._database = database
        self._layout = layout
        self._engine = engine
        self._maker = maker
        self._settings = settings
        self._identity = identity
        self._clock = clock
        self._snapshots = snapshots
        self._environments = environments
        self._environment = environment
        self._workspace_name = workspace_name

    def submit(self, new: NewRun, submission: Submission) -> Run:
        """Make a run and have its program started; return without waiting for it."""
        self._maker.check(new)
        _check(submission)
        known = self._known(new)
        if known is not None:
            return known
        waits_for = self._engine.admit(_need(submission))
        with self._environments.prepared(submission) as prepared:
            return self._submit(new, prepared, waits_for)

    def _submit(self, new: NewRun, prepared: Prepared, waits_for: str | None) -> Run:
        submission = prepared.submission
        folder = RunFolder(self._layout.run(new.id))
        claim = claims.take(folder, new.id, lambda: self._known(new))
        if isinstance(claim, Run):
            return claim
        with closing(claim):
            try:
                snapshot_id = None
                if not submission.in_place:
                    snapshot_id = self._snapshots.keep(Path(submission.source_directory))
                    self._snapshots.materialize(snapshot_id, folder.work_dir)
                folder.create(self._spec(new, prepared, folder))
                LiveFiles(folder.path).prepare()
                prepared.keep(folder.path)
                return self._start(folder, claim.fd, new, submission, snapshot_id, waits_for)
            except BaseException:
                self._clean_up(folder, new.id)
                raise

    def _known(self, new: NewRun) -> Run | None:
        """The run that was made from this very request before."""
        with self._database.read() as tx:
            known = existing(tx, new)
        return known.run if known else None

    def _start(
        self,
        folder: RunFolder,
        lock_fd: int,
        new: NewRun,
        submission: Submission,
        snapshot_id: str | None,
        waits_for: str | None,
    ) -> Run:
        source = git_properties(Path(submission.source_directory), self._environment)
        with self._database.write() as tx:
            [stored] = self._maker.make(
                tx,
                [new],
                submission=submission,
                snapshot_id=snapshot_id,
                source=source,
                waits_for=waits_for,
            )
        try:
            self._engine.start(folder, lock_fd)
        except HeadwayError as error:
            self._never_started(stored, error)
            raise SubmissionError(f"run {new.id} could not be started: {error.message}") from error
        return stored.run

    def _never_started(self, stored: StoredRun, error: HeadwayError) -> None:
        with self._database.write() as tx:
            transitions.move(
                tx,
                stored,
                Status.FAILED,
                at=self._clock(),
                actor=self._identity.actor,
                reason="the runner did not start",
                error=RunError(code="CannotStart", message=error.message),
            )

    def _clean_up(self, folder: RunFolder, run_id: str) -> None:
        """Leave no folder behind where no run came to be."""
        with self._database.read() as tx:
            if runs.rid_of(tx, run_id) is None:
                shutil.rmtree(folder.path, ignore_errors=True)

    def _spec(self, new: NewRun, prepared: Prepared, folder: RunFolder) -> RunSpec:
        submission = prepared.submission
        with self._database.read() as tx:
            experiment = experiments.by_id(tx, new.experiment_id)
            parent = runs.by_id(tx, new.parent_id) if new.parent_id else None
        experiment_name = experiment.name if experiment else ""
        root_id = parent.run.root_id if parent else new.id
        environment = {
            "HEADWAY_WORKSPACE": str(self._layout.root),
            "HEADWAY_RUN_ID": new.id,
            "HEADWAY_EXPERIMENT": experiment_name,
            # What scripts written for azureml.core look at.
            "AZUREML_RUN_ID": new.id,
            "AZUREML_ROOT_RUN_ID": root_id,
            "AZUREML_EXPERIMENT_ID": new.experiment_id,
            "AZUREML_ARM_PROJECT_NAME": experiment_name,
            "AZUREML_ARM_WORKSPACE_NAME": self._workspace_name,
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
            priority=submission.priority,
            journal_dir=str(self._layout.journals),
            system_metrics_interval_s=self._settings.system_metrics_interval_s,
            max_log_bytes=self._settings.max_log_bytes or None,
            holds=prepared.holds,
        )


def _check(submission: Submission) -> None:
    if submission.target != LOCAL:
        raise InvalidValueError(
            f"the compute target {submission.target!r} is not known; accepted is {LOCAL!r}"
        )
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
    return Need(cpus=submission.resources.cpus, gpus=submission.resources.gpus)
