"""Workspace, experiment and run, and how they lead to one another.

The three know each other, so they stand in one file; what each does by itself is in its base class.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from headway.errors import RunContextError, RunNotFoundError, SnapshotError
from headway.model import Experiment as ExperimentRecord
from headway.model import NewRun, RunQuery, Status
from headway.model import Run as RunRecord
from headway.sdk import locations
from headway.sdk.arguments import (
    archived,
    checked,
    id_text,
    outputs_folder,
    snapshot_directory,
    start_arguments,
)
from headway.sdk.experiment import SCRIPT_RUN_TYPE, ExperimentBase, ensured
from headway.sdk.interactive.context import run_context
from headway.sdk.interactive.process import say
from headway.sdk.runs import run_ids, type_providers
from headway.sdk.runs.artifacts import RunArtifacts
from headway.sdk.runs.assets import RunAssets
from headway.sdk.runs.children import RunChildren
from headway.sdk.runs.environment import RunEnvironment
from headway.sdk.runs.files import RunFiles
from headway.sdk.runs.history import RunHistory
from headway.sdk.runs.life import RunLife, SubmittedLife
from headway.sdk.runs.snapshots import RunSnapshots
from headway.sdk.submission.configuration import ScriptRunConfig
from headway.sdk.workspace_assets import WorkspaceAssets
from headway.sdk.workspaces import queries
from headway.sdk.workspaces.queries import LabelFilter, Listing, Since, StatusFilter
from headway.settings import load_settings

if TYPE_CHECKING:
    from headway.sdk.runs.type_providers import RunFacts
    from headway.sdk.submission.compute_targets import ComputeTarget

OFFLINE_EXPERIMENT: Final = "offline"
"""The experiment of runs that ``Run.get_context`` makes outside of a submitted run."""
_NO_CONTEXT: Final = (
    "Could not load a submitted run, if outside of an execution context, use "
    "experiment.start_logging to initialize a headway.Run."
)


class Run(
    RunChildren["Run", "ScriptRun"],
    RunLife,
    RunArtifacts,
    RunHistory,
    RunFiles,
    RunAssets,
    RunSnapshots,
    RunEnvironment,
):
    """One run: metrics, files, tags, status, children.

    Args:
        experiment: The experiment that it belongs to.
        run_id: Its id.
        outputs: Accepted and ignored.
        **kwargs: Ignored.

    Raises:
        RunNotFoundError: The experiment has no such run.
    """

    def __init__(
        self, experiment: "Experiment", run_id: str, outputs: object = None, **kwargs: object
    ) -> None:
        home = checked(experiment, Experiment, "experiment").workspace
        record = kwargs.get("_record")
        if not isinstance(record, RunRecord):
            record = home.api.runs.get(id_text(run_id))
        if record.experiment_id != experiment.id:
            raise RunNotFoundError(
                f"run {run_id} belongs to the experiment {record.experiment_name!r}, not to "
                f"{experiment.name!r}: use workspace.get_run({run_id!r})"
            )
        self._experiment = experiment
        self._attach(home, record)

    # ------------------------------------------------------------ finding

    @property
    def experiment(self) -> "Experiment":
        """The experiment that it belongs to."""
        return self._experiment

    @property
    def _group(self) -> "Experiment":
        return self._experiment

    @property
    def parent(self) -> "Run | None":
        """The run that this one is a child of."""
        parent_id = self._record.parent_id
        return None if parent_id is None else self._experiment.workspace.get_run(parent_id)

    @staticmethod
    def get(workspace: "Workspace", run_id: str) -> "Run":
        """The run with this id, in any experiment."""
        return checked(workspace, Workspace, "workspace").get_run(run_id)

    @classmethod
    def get_context(
        cls,
        allow_offline: bool = True,
        used_for_context_manager: bool = False,
        **kwargs: object,
    ) -> "Run":
        """The run that this process is the program of.

        Outside of a submitted run a new run is made in the experiment ``offline``, which has
        everything that a run has; asking again returns the same one until it has ended.

        Args:
            allow_offline: Whether a run may be made.
            used_for_context_manager: Ignored.
            **kwargs: Ignored.

        Raises:
            RunContextError: There is no submitted run, and none may be made.
        """
        if run_context() is None and not allow_offline:
            raise RunContextError(_NO_CONTEXT)
        return _context_run()

    @classmethod
    def get_submitted_run(cls, **kwargs: object) -> "Run":
        """``get_context(allow_offline=False)``."""
        return cls.get_context(allow_offline=False)

    @staticmethod
    def list_by_compute(
        compute: "ComputeTarget",
        type: str | None = None,
        tags: LabelFilter = None,
        properties: LabelFilter = None,
        status: StatusFilter = None,
    ) -> Iterator["Run"]:
        """The runs that were submitted to a compute target of a workspace, newest first.

        Args:
            compute: From ``workspace.compute_targets``.
            type: As in ``Experiment.get_runs``.
            tags: As there.
            properties: As there.
            status: As there.
        """
        workspace = checked(getattr(compute, "workspace", None), Workspace, "compute.workspace")
        listing = Listing(type, tags, properties, status, include_children=True)
        target = f"target = '{compute.name}'"
        query = queries.run_query(listing._replace(filter=target))
        return (
            workspace.experiment_of(one).run_of(one)
            for one in queries.matching(workspace.api.runs, query)
        )

    @staticmethod
    def add_type_provider(
        runtype: str, run_factory: "Callable[[Experiment, RunFacts], Run]"
    ) -> None:
        """Have runs of a type found again as a class of one's own, in this process.

        Args:
            runtype: The type, or the value of the property ``azureml.runsource``.
            run_factory: Makes the run from its experiment and ``facts.run_id``.

        Raises:
            InvalidValueError: The type has a factory already.
        """
        type_providers.add(runtype, run_factory)

    @staticmethod
    def list(  # the last of the class: its name is that of the type
        experiment: "Experiment",
        type: str | None = None,
        tags: LabelFilter = None,
        properties: LabelFilter = None,
        status: StatusFilter = None,
        include_children: bool = False,
        _rehydrate_runs: bool = True,
        *,
        since: Since = None,
        limit: int | None = None,
        order_by: str | None = None,
        filter: str | None = None,
    ) -> Iterator["Run"]:
        """``experiment.get_runs(...)``, with the status as well."""
        return checked(experiment, Experiment, "experiment").get_runs(
            type,
            tags,
            properties,
            include_children,
            status=status,
            since=since,
            limit=limit,
            order_by=order_by,
            filter=filter,
        )


class ScriptRun(Run):
    """A run whose program was submitted."""

    RUN_TYPE: ClassVar[str] = SCRIPT_RUN_TYPE

    def __init__(
        self,
        experiment: "Experiment",
        run_id: str,
        directory: str | None = None,
        _run_config: object = None,
        **kwargs: object,
    ) -> None:
        super().__init__(experiment, run_id, **kwargs)


class _SubmittedRun(SubmittedLife, Run):
    """The run that this process is the program of."""


class _OfflineRun(Run):
    """A run that ``Run.get_context`` made outside of a submitted run."""

    def tag(self, key: str = "", value: str | None = None, *, name: str = "") -> None:
        """Set one tag; its key may be given as ``name`` too."""
        self.set_tags({key or name: value})


class Experiment(ExperimentBase):
    """A named group of runs, made when its name is first used.

    Args:
        workspace: The workspace.
        name: Its name.
        _skip_name_validation: Whether any name will do that the workspace takes.
        _id: For Headway's own use.
        _archived_time: Ignored.
        _create_in_cloud: Ignored.
        _experiment_dto: For Headway's own use.
        **kwargs: Ignored.
    """

    def __init__(
        self,
        workspace: "Workspace",
        name: str,
        _skip_name_validation: bool = False,
        _id: str | None = None,
        _archived_time: object = None,
        _create_in_cloud: bool = True,
        _experiment_dto: object = None,
        **kwargs: object,
    ) -> None:
        self._workspace = checked(workspace, Workspace, "workspace")
        self._home = self._workspace
        if isinstance(_experiment_dto, ExperimentRecord):
            self._record = _experiment_dto
        elif _id is not None:
            self._record = self._workspace.api.experiments.get(_id)
        else:
            self._record = ensured(self._workspace.api, name, lenient=_skip_name_validation)

    @property
    def workspace(self) -> "Workspace":
        """The workspace that it is in."""
        return self._workspace

    @property
    def workspace_object(self) -> "Workspace":
        """The same as ``workspace``."""
        return self._workspace

    # ------------------------------------------------------------ making runs

    def start_logging(self, *args: object, **kwargs: object) -> Run:
        """Start an interactive run: this process is the run, and ends it when it ends.

        Takes ``name``, ``run_id``, ``outputs``, ``snapshot_directory`` and by keyword
        ``display_name``, ``description``, ``tags`` and ``properties``.

        What is written into the folder ``outputs`` (``./outputs``, which is made now; False for
        none) until the end of the run is collected then, and what files in ``./logs`` gain is
        kept as they grow.

        A snapshot is taken where ``snapshot_directory`` is given, and only then: what lies around a
        notebook is seldom what it runs. Where it is too large, that is said, and the run goes on.

        Raises:
            InvalidValueError: An argument is not accepted; no run is made.
        """
        source = snapshot_directory(args, kwargs)
        outputs = outputs_folder(start_arguments(args, kwargs).get("outputs"))
        [run] = self.create_runs([self.start_request(args, kwargs)])
        run.track(outputs)
        if source is not None:
            try:
                run.take_snapshot(source)
            except SnapshotError as error:
                say(f"run {run.id} has no snapshot: {error}")
        return run

    def submit(
        self,
        config: ScriptRunConfig,
        tags: dict[str, str | None] | None = None,
        **kwargs: object,
    ) -> ScriptRun:
        """Start a program as a run, and return without waiting for it.

        This process may end at once; the run goes on.

        Args:
            config: What to run.
            tags: Tags of the new run.
            **kwargs: ``run_id``, to choose the run's id.

        Raises:
            InvalidValueError: The configuration does not make sense.
            SubmissionError: The program cannot be started. No run is left behind.
        """
        record = self.submit_record(config, tags, kwargs)
        return ScriptRun(self, record.id, _record=record)

    def create_runs(self, new: "list[NewRun]") -> "list[Run]":
        """Make interactive runs of this process. For Headway's own use."""
        if not new:
            return []
        made = self.create_records(new)
        return [_class_of(record)(self, record.id, _record=record) for record in made]

    # ------------------------------------------------------------ finding runs

    def get_runs(
        self,
        type: str | None = None,
        tags: LabelFilter = None,
        properties: LabelFilter = None,
        include_children: bool = False,
        *,
        status: StatusFilter = None,
        since: Since = None,
        limit: int | None = None,
        order_by: str | None = None,
        filter: str | None = None,
    ) -> Iterator[Run]:
        """The runs of the experiment that fit, newest first, fetched as they are asked for.

        Args:
            type: Only runs of this type.
            tags: A key that must be there, or a dict of pairs that must be equal.
            properties: The same for properties.
            include_children: Whether runs below others count too.
            status: Only runs that stand so; one status, or a list.
            since: Only runs made at this time or later: a datetime, ISO 8601, or microseconds.
            limit: At most so many.
            order_by: Another order, such as ``"metrics.loss asc"``.
            filter: A condition, such as ``"status = 'Failed' and metrics.loss < 0.1"``.

        Raises:
            InvalidValueError: A filter cannot be read. Raised at once, not when runs are fetched.
        """
        listing = Listing(
            type=type,
            tags=tags,
            properties=properties,
            status=status,
            include_children=include_children,
            since=since,
            limit=limit,
            order_by=order_by,
            filter=filter,
        )
        return self.runs_of(queries.run_query(listing, experiment_id=self.id), limit)

    def runs_of(self, query: RunQuery, limit: int | None = None) -> Iterator[Run]:
        """The runs of a query. For Headway's own use."""
        return (self.run_of(record) for record in queries.matching(self.api.runs, query, limit))

    def run_of(self, record: RunRecord) -> Run:
        """The handle of a run by its record. For Headway's own use."""
        home = self if record.experiment_id == self.id else self._workspace.experiment_of(record)
        factory = type_providers.factory_of(record)
        if factory is None:
            return _class_of(record)(home, record.id, _record=record)
        made = type_providers.made_by(factory, home, record)
        return checked(made, Run, f"what the factory of run type {record.type!r} returned")

    @staticmethod
    def from_directory(path: str | Path, auth: object = None) -> "Experiment":
        """The experiment named like a folder, in the workspace that a config file there names.

        Raises:
            ConfigurationError: There is no config file in it or above it.
        """
        folder = Path(path).expanduser().absolute()
        return Experiment(Workspace.from_config(folder), folder.name)

    @staticmethod
    def list(  # the last of the class: its name is that of the type
        workspace: "Workspace",
        experiment_name: str | None = None,
        view_type: str = "ActiveOnly",
        tags: LabelFilter = None,
    ) -> "list[Experiment]":
        """The experiments of a workspace, by name.

        Args:
            workspace: The workspace.
            experiment_name: Only those of this name.
            view_type: ``ActiveOnly``, ``ArchivedOnly`` or ``All``.
            tags: A key that must be there, or a dict of pairs that must be equal.
        """
        api = checked(workspace, Workspace, "workspace").api
        found = api.experiments.list(name=experiment_name, archived=archived(view_type))
        query = queries.run_query(Listing(tags=tags))
        return [
            Experiment(workspace, one.name, _experiment_dto=one)
            for one in found
            if query.tags.items() <= one.tags.items() and {*query.has_tags} <= one.tags.keys()
        ]


class Workspace(WorkspaceAssets):
    """Where experiments and runs are kept: a folder on this machine.

    ``Workspace(subscription_id, resource_group, workspace_name)`` opens the embedded workspace of
    that name, and makes it if there is none; the first two are kept as words only.
    """

    @property
    def experiments(self) -> dict[str, Experiment]:
        """The active experiments by name."""
        return {one.name: one for one in Experiment.list(self)}

    def get_run(self, run_id: str) -> Run:
        """The run with this id, in any experiment."""
        record = self.api.runs.get(id_text(run_id))
        return self.experiment_of(record).run_of(record)

    def experiment_of(self, record: RunRecord) -> Experiment:
        """The experiment of a run. For Headway's own use."""
        return Experiment(self, record.experiment_name, _id=record.experiment_id)


def get_run(
    experiment: Experiment, run_id: str, rehydrate: bool = True, clean_up: bool = True
) -> Run:
    """The run of an experiment with this id.

    Args:
        experiment: The experiment.
        run_id: The id.
        rehydrate: Whether a submitted run is returned as a ``ScriptRun``.
        clean_up: Ignored.
    """
    run = Run(experiment, run_id)
    return run.experiment.workspace.get_run(run_id) if rehydrate else run


# ---------------------------------------------------------------- the run around this process


_context_runs: Final[dict[tuple[Path, str], Run]] = {}


def _context_run() -> Run:
    """The submitted run around this process, else an offline run of it."""
    settings = load_settings()
    workspace = Workspace.at(locations.find(settings), settings)
    context = run_context()
    key = (workspace.folder, context.run_id if context else "")
    known = _context_runs.get(key)
    if known is not None and (context or not Status(known.get_status()).ended):
        return known
    if context is not None:
        record = workspace.api.runs.get(context.run_id)
        found: Run = _SubmittedRun(workspace.experiment_of(record), record.id, _record=record)
    else:
        experiment = Experiment(workspace, OFFLINE_EXPERIMENT)
        new = experiment.new_run(run_ids.new_run_id(run_ids.OFFLINE_PREFIX))
        found = experiment.create_runs([new])[0]
    _context_runs[key] = found
    return found


def _class_of(record: RunRecord) -> type[Run]:
    if record.type == ScriptRun.RUN_TYPE:
        return ScriptRun
    return _OfflineRun if record.id.startswith(run_ids.OFFLINE_PREFIX) else Run
