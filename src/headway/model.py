"""The nouns of Headway as plain, frozen values, and the table of what a status may become.

Times are integers: microseconds since 1970-01-01 UTC. Durations are seconds, as floats. Nothing
here does any I/O; the live handles that users hold are in ``headway.sdk``.
"""

from enum import StrEnum
from typing import Final, Literal

import msgspec

Scalar = float | int | bool | str | None
"""One value of a metric. Integers stay integers; NaN and infinities are values."""


class Status(StrEnum):
    """Where a run stands. The words are those of ``azureml.core``."""

    NOT_STARTED = "NotStarted"
    QUEUED = "Queued"
    PREPARING = "Preparing"
    PROVISIONING = "Provisioning"
    STARTING = "Starting"
    RUNNING = "Running"
    NOT_RESPONDING = "NotResponding"
    FINALIZING = "Finalizing"
    CANCEL_REQUESTED = "CancelRequested"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"
    UNAPPROVED = "Unapproved"  # the last three are accepted in filters; no run enters them
    PAUSING = "Pausing"
    PAUSED = "Paused"

    @property
    def ended(self) -> bool:
        """Whether nothing of the run goes on any more."""
        return self in ENDED


ENDED: Final = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELED})
_BEFORE_RUNNING: Final = (
    Status.NOT_STARTED,
    Status.QUEUED,
    Status.PREPARING,
    Status.PROVISIONING,
    Status.STARTING,
)
_ANY_TIME: Final = frozenset({Status.CANCEL_REQUESTED, Status.NOT_RESPONDING} | ENDED)

TRANSITIONS: Final[dict[Status, frozenset[Status]]] = {
    # A run may skip stages (an interactive run goes from NotStarted to Running) but not go back;
    # Starting -> Queued is an engine that put the run back in line.
    **{
        status: (
            frozenset(_BEFORE_RUNNING[i + 1 :])
            | {Status.QUEUED, Status.RUNNING, Status.FINALIZING}
            | _ANY_TIME
        )
        - {status}
        for i, status in enumerate(_BEFORE_RUNNING)
    },
    Status.RUNNING: _ANY_TIME | {Status.FINALIZING},
    # The one status from which a run may return: its heartbeat came back.
    Status.NOT_RESPONDING: frozenset(_BEFORE_RUNNING)
    | {Status.RUNNING, Status.FINALIZING, Status.CANCEL_REQUESTED}
    | ENDED,
    Status.FINALIZING: frozenset({Status.CANCEL_REQUESTED}) | ENDED,
    # Only to an end, so that the request is never forgotten; Completed beats one that came late.
    Status.CANCEL_REQUESTED: ENDED,
    # A person's judgement of a run that ended well.
    Status.COMPLETED: frozenset({Status.FAILED}),
    Status.FAILED: frozenset(),
    Status.CANCELED: frozenset(),
    Status.UNAPPROVED: frozenset(),
    Status.PAUSING: frozenset(),
    Status.PAUSED: frozenset(),
}


class RunError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a run ended as it did.

    ``code`` is a stable word: ``UserError`` (the program said so or raised), ``ExitCode``,
    ``Signal``, ``CannotStart``, ``ProcessLost`` (interactive), ``ShimLost``, ``HostRestarted``,
    ``SubmissionInterrupted``, ``FolderLost``, ``OutOfMemory``, ``TimeLimit``, ``Terminated``, or
    what the caller of ``fail`` gave.
    """

    code: str
    message: str
    exit_code: int | None = None
    signal: int | None = None
    debug_type: str | None = None
    debug_stack_trace: str | None = None


class Experiment(msgspec.Struct, frozen=True):
    """A named group of runs."""

    id: str
    name: str
    created_at: int
    archived_at: int | None = None
    tags: dict[str, str | None] = {}


class Run(msgspec.Struct, frozen=True):
    """One run as it stood when it was read."""

    id: str
    experiment_id: str
    experiment_name: str
    number: int
    """Counts up from 1 within the experiment."""
    name: str
    """What ``display_name`` shows."""
    status: Status
    created_at: int
    description: str | None = None
    type: str | None = None
    """``azureml.scriptrun`` for a submitted script, None for an interactive run."""
    parent_id: str | None = None
    root_id: str = ""
    """The topmost run above this one; its own id where it has no parent."""
    started_at: int | None = None
    ended_at: int | None = None
    target: str = "local"
    """The compute target; ``sdk`` for an interactive run."""
    host: str = ""
    owner_id: str | None = None
    """The process whose life this run's life hangs on; None for a submitted run."""
    created_by: str = ""
    tags: dict[str, str | None] = {}
    properties: dict[str, str | None] = {}
    error: RunError | None = None
    definition: "Submission | None" = None
    snapshot_id: str | None = None
    points_lost: int = 0
    """Metric points that could not be kept (torn by a crash, or no space)."""
    deleted_at: int | None = None
    """Since when it is in the trash; None where it is not."""


class Resources(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a run needs of a compute target that has slots; elsewhere it means nothing."""

    cpus: int = 1
    gpus: int = 0


class EnvironmentSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """The environment that a program is to run in."""

    name: str = "environment"
    python: str | None = None
    """A version ("3.11", "3.11.7") or a range (">=3.9,<3.12"); None: that of the submitter."""
    interpreter: str | None = None
    """Path of the Python to use or to build upon; None: the submitter's, or one of that version."""
    user_managed: bool = False
    """Use the interpreter as it is; the lists below are then not looked at."""
    pip_requirements: list[str] = []
    """As lines of a requirements file; local files by absolute path."""
    pip_options: list[str] = []
    """As lines of a requirements file: ``--extra-index-url ...``."""
    pip_constraints: list[str] = []
    conda_dependencies: list[str] = []
    """Other than Python and pip. Those that pip does not know need conda, mamba or micromamba."""
    channels: list[str] = []
    """Where conda looks; empty: wherever it is configured to."""
    environment_variables: dict[str, str] = {}
    """For the program; not part of what is built."""


class Processes(msgspec.Struct, frozen=True, omit_defaults=True):
    """Several processes of one program, as one run."""

    count: int
    kind: Literal["pytorch", "mpi"] = "pytorch"
    """Which variables tell them of each other."""


class Submission(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to execute for a run, as it was asked for."""

    command: list[str]
    """The program and its arguments."""
    source_directory: str
    """Absolute path, on the machine of the submitter."""
    script: str | None = None
    arguments: list[str] = []
    target: str = "local"
    environment_variables: dict[str, str] = {}
    environment: EnvironmentSpec | None = None
    """None for the Python that stands in the command, as it is."""
    max_run_duration_s: float | None = None
    grace_s: float = 10.0
    """How long the program has between SIGTERM and SIGKILL."""
    in_place: bool = False
    """Execute in the source directory itself and keep no snapshot of it."""
    resources: Resources = msgspec.field(default_factory=Resources)
    priority: int = 0
    """Of runs that wait for the same slots, the one of highest priority comes first."""
    processes: Processes | None = None
    """Start the program several times, with a rank each; None for once, as it is."""


class NewRun(msgspec.Struct, frozen=True):
    """A run to be made. The caller chooses the id, so that a repeated request is harmless."""

    id: str
    experiment_id: str
    name: str | None = None
    """None: made from the number or the id."""
    description: str | None = None
    type: str | None = None
    parent_id: str | None = None
    target: str = "sdk"
    owner_id: str | None = None
    started: bool = False
    """Whether it is Running as soon as it exists."""
    tags: dict[str, str | None] = {}
    properties: dict[str, str | None] = {}


class RunChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to change of a run; what is left out stays."""

    set_tags: dict[str, str | None] = {}
    remove_tags: list[str] = []
    add_properties: dict[str, str | None] = {}
    name: str | None = None
    description: str | msgspec.UnsetType | None = msgspec.UNSET


class ExperimentChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to change of an experiment; what is left out stays."""

    set_tags: dict[str, str | None] = {}
    remove_tags: list[str] = []
    archived: bool | None = None


class Event(msgspec.Struct, frozen=True):
    """One change of a run's status: who, when, why."""

    run_id: str
    sequence: int
    """Counts up from 1 within the run."""
    at: int
    status: Status
    previous: Status | None
    actor: str
    """``user@host``, ``shim``, ``recovery`` ..."""
    reason: str = ""


class FileEntry(msgspec.Struct, frozen=True):
    """One file of a run."""

    path: str
    """The name given by the user, with forward slashes."""
    size_bytes: int
    blake3: str | None
    """None while the run itself may still write to the file."""
    created_at: int


class LogPart(msgspec.Struct, frozen=True):
    """A stretch of a log, and where the next one begins."""

    data: bytes
    next_offset: int


class RunUpdate(msgspec.Struct, frozen=True):
    """What a follower sees: the run now, and what its log gained."""

    run: Run
    log: LogPart


class CancelOutcome(StrEnum):
    """What became of a request to cancel."""

    CANCELED = "Canceled"
    """The run is canceled and no process of it is left."""
    CANCEL_REQUESTED = "CancelRequested"
    """The program still has its grace period."""
    ALREADY_ENDED = "AlreadyEnded"
    """Nothing was done: the run had ended before."""


ArtifactForm = Literal["image", "confusion_matrix", "accuracy_table", "residuals", "predictions"]
"""The points of these series are texts: names of files of the run."""
SeriesForm = Literal["scalar", "list", "table", ArtifactForm]


class SeriesSummary(msgspec.Struct, frozen=True):
    """One metric of one run without its points."""

    run_id: str
    name: str
    column: str = ""
    """The column of a table; empty for a scalar or a list."""
    form: SeriesForm = "scalar"
    count: int = 0
    last: Scalar = None
    first_step: int | None = None
    last_step: int | None = None
    minimum: float | None = None
    maximum: float | None = None


class Series(msgspec.Struct, frozen=True):
    """The points of one metric, in the order in which they were logged."""

    summary: SeriesSummary
    values: list[Scalar]


class MetricQuery(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which series to read."""

    run_id: str
    recursive: bool = False
    """Also of every run below this one."""
    name: str | None = None
    run_type: str | None = None


class PointQuery(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which points of one series to read, and how many of them."""

    run_id: str
    name: str
    column: str = ""
    """The column of a table; empty for a scalar or a list."""
    start: int | None = None
    """The first step wanted."""
    end: int | None = None
    """The step behind the last one wanted."""
    points: int | None = None
    """At most so many, chosen so that the line through them looks as it would through all."""
    skip: int = 0
    """Of the first so many that were logged, whole blocks may be left out: a follower has them.
    Without a range and a number of points only."""
    most: int | None = None
    """Stop behind the block with which so many points are reached: to read a long series bit by
    bit. Without a range and a number of points only."""


class Block(msgspec.Struct, frozen=True):
    """A stretch of a series in the order of logging, as ``headway.metrics.chunks`` encodes it.

    ``headway.metrics.columns`` makes arrays of it.
    """

    count: int
    steps: bytes
    times: bytes
    """Microseconds since the epoch."""
    values: bytes


class PointBlocks(msgspec.Struct, frozen=True):
    """The points of a series, still encoded."""

    summary: SeriesSummary
    """Of the whole series, whichever part of it was asked for."""
    blocks: list[Block]
    skipped: int = 0
    """How many points were logged before the first block, where some were to be skipped."""


class ChartQuery(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one chart shows: several series over the same buckets."""

    run_ids: list[str]
    names: list[str]
    """Of metrics; of a table, every column."""
    buckets: int = 1000
    """At most so many: fewer where the range has fewer steps or microseconds."""
    start: int | None = None
    """Where the first bucket begins, on the axis; None for the first point of all series."""
    end: int | None = None
    """Where the last bucket ends; None for behind the last point of all series."""
    axis: Literal["step", "time"] = "step"
    """Steps, or microseconds since the epoch."""


class BucketSeries(msgspec.Struct, frozen=True):
    """One series over the buckets of a chart: blocks of one number a bucket.

    They hold numbers only, truth values as 0 and 1: texts and None fall in no bucket.
    """

    run_id: str
    name: str
    column: str
    count: bytes
    """How many numbers fall in each bucket, NaN and infinities among them; int64."""
    not_finite: bytes
    """How many of them are NaN or infinite; int64."""
    minimum: bytes
    """The least number, infinities included; NaN where there is none. The rest is float64 too."""
    maximum: bytes
    mean: bytes
    """Of the finite ones."""
    last: bytes
    """The one that was logged last, whatever it is."""


class Chart(msgspec.Struct, frozen=True):
    """Several series over the same buckets."""

    edges: bytes
    """A block of whole numbers as float64, one more than buckets; a bucket ends before its upper
    edge. None at all where no series has points."""
    series: list[BucketSeries]
    """By run, then by name, in the order of the query; of runs that have the metric."""


class JournalStretch(msgspec.Struct, frozen=True):
    """A stretch of a journal to be taken in; see ``headway.api.Metrics.append``."""

    run_id: str
    writer_id: str
    offset: int
    records: bytes
    torn: bool = False


class RunQuery(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which runs to list, and in which order. All conditions hold together."""

    experiment_id: str | None = None
    parent_id: str | None = None
    """Only the direct children of this run."""
    ancestor_id: str | None = None
    """Every run below this one."""
    include_children: bool = False
    type: str | None = None
    tags: dict[str, str | None] = {}
    has_tags: list[str] = []
    properties: dict[str, str | None] = {}
    has_properties: list[str] = []
    statuses: list[Status] = []
    since: int | None = None
    """Created at this time or later."""
    deleted: bool = False
    """Only runs in the trash, which are left out otherwise."""
    filter: str = ""
    """An expression of the filter language; empty for none."""
    order_by: str = "created_at desc"
    limit: int = 500
    """Runs a page."""
    cursor: str = ""
    """Where the page before ended; empty for the first page."""


class RunPage(msgspec.Struct, frozen=True):
    """A page of runs."""

    runs: list[Run]
    next_cursor: str = ""
    """Empty where this was the last page."""


class WorkspaceInfo(msgspec.Struct, frozen=True):
    """What a workspace is."""

    name: str
    location: str
    """A folder or a URL."""
    created_at: int
    friendly_name: str = ""
    description: str = ""
    tags: dict[str, str | None] = {}
    default_datastore: str = ""
    """Empty: the first of those that every workspace has."""


class WorkspaceChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to change of a workspace; what is left out stays."""

    friendly_name: str | None = None
    description: str | None = None
    tags: dict[str, str | None] | None = None
    """All tags that it has then."""
    default_datastore: str | None = None
