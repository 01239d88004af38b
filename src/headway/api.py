"""The seam: what a workspace can do, whoever does it.

``headway.service`` implements these protocols in process, over a folder; a client implements them
over HTTP. The SDK, the command line and the server hold an ``Api`` and cannot tell which.
The docstrings are the contract; ``headway.testing.api_contract`` holds every implementation to it.

For all verbs:

* They may be called from any thread, and from many processes at once.
* What they return is a snapshot; it never changes afterwards.
* Ids are chosen by the caller before the first write, so a repeated request is harmless.
* An absent id raises the ``NotFoundError`` of its kind; a refused value ``InvalidValueError``; and
  where an error is raised, nothing was changed.
* Whoever reads a run first brings it up to date: a run whose process is gone is ended on the
  spot, with the reason, before it is returned.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Protocol

from msgspec.structs import replace

from headway.model import (
    CancelOutcome,
    Event,
    Experiment,
    ExperimentChange,
    FileEntry,
    MetricQuery,
    NewRun,
    Run,
    RunChange,
    RunError,
    RunPage,
    RunQuery,
    RunUpdate,
    Series,
    SeriesSummary,
    Status,
    Submission,
    WorkspaceInfo,
)

CANCEL_WAIT_S = 2.0
"""How long ``cancel`` waits for the end before it answers CANCEL_REQUESTED."""


class Lease(Protocol):
    """A process's claim to be alive. The runs that name it as owner live as long as it does."""

    def cancel_requested(self) -> bool:
        """Whether somebody asked to cancel a run of this owner since the last call.

        Cheap enough to be called ten times a second; the runs are those of this owner whose
        status is CancelRequested.
        """
        ...

    def close(self) -> None:
        """Give the claim up. Its runs that have not ended are then without a process."""
        ...


class Experiments(Protocol):
    """Named groups of runs."""

    def ensure(self, name: str) -> Experiment:
        """The active experiment of this name, made now if there is none.

        Concurrent calls with one name agree on one experiment.
        """
        ...

    def get(self, experiment_id: str) -> Experiment:
        """One experiment, archived or not."""
        ...

    def list(self, *, name: str | None = None, archived: bool | None = False) -> list[Experiment]:
        """Experiments by name, ascending.

        Args:
            name: Only those with exactly this name.
            archived: False for active ones, True for archived ones, None for both.
        """
        ...

    def change(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Apply a change as a whole and return the experiment after it."""
        ...


class Runs(Protocol):
    """Runs: made, found, changed, ended."""

    def create(self, new: Sequence[NewRun]) -> list[Run]:
        """Make runs, all or none, in this order; they belong to the caller's process.

        A run whose id exists and that was made from an equal request is returned as it is now; with
        another request it raises ``RunExistsError``.
        """
        ...

    def submit(self, new: NewRun, submission: Submission) -> Run:
        """Make a run and have its program started; return without waiting for it.

        Checks everything that can be checked first: where it raises, no run is left behind. The
        caller may exit at once; the run goes on.
        """
        ...

    def get(self, run_id: str) -> Run:
        """One run, brought up to date."""
        ...

    def events(self, run_id: str) -> list[Event]:
        """Every change of status, oldest first.

        The last one of a Queued run says, as its reason, where it stands in line now and what it
        waits for.
        """
        ...

    def change(self, run_id: str, change: RunChange) -> Run:
        """Apply a change as a whole and return the run after it.

        Also after the end. A property that exists with the same value is left alone; with another
        value the whole change raises ``PropertyConflictError``.
        """
        ...

    def end(
        self, run_id: str, status: Status, *, error: RunError | None = None, reason: str = ""
    ) -> Run:
        """End a run as Completed, Failed or Canceled, and return it.

        A run that is being executed is ended first: when this returns, no process of it is left.
        Such a run can be failed but not completed by its caller (``RunStateError``). A run that
        ended with the same status is returned unchanged; from Completed it may still become Failed;
        any other ended run raises ``RunStateError``.
        """
        ...

    def cancel(
        self, run_id: str, *, grace_s: float | None = None, wait_s: float = CANCEL_WAIT_S
    ) -> CancelOutcome:
        """Ask for a run to be canceled and wait at most ``wait_s`` seconds for its end.

        The request is durable before this returns. CANCELED says that no process is left.

        Args:
            run_id: The run.
            grace_s: Seconds between SIGTERM and SIGKILL; None for what the run was submitted with.
            wait_s: Seconds to wait for the end.
        """
        ...

    def watch(self, run_id: str, *, log: str, offset: int, timeout_s: float) -> RunUpdate:
        """Wait until the log is longer than ``offset`` bytes or the run has ended.

        Returns at once where that is so already, and after ``timeout_s`` seconds anyway. Where the
        returned run has ended and the part is empty, the log is complete. A log that does not
        exist yet is empty.
        """
        ...

    def log_offset(self, run_id: str, *, log: str, at: int) -> int:
        """Where in a log that stands which was written after a time, as an offset for ``watch``.

        Nothing written later stands before it; about a second of what was written earlier may stand
        behind it, and all of it where the times of the log are not known.
        """
        ...

    def list(self, query: RunQuery) -> RunPage:
        """A page of runs in the order asked for; ties are broken by creation, newest first.

        A cursor stays valid while runs are added: pages never repeat a run.
        """
        ...


class Metrics(Protocol):
    """Series of points, and the journals that they come from."""

    @property
    def journal_dir(self) -> Path:
        """Where writers on this machine keep their journals for this workspace."""
        ...

    def offset(self, run_id: str, writer_id: str) -> int:
        """How many bytes of this writer's journal were taken in; 0 for a writer never seen."""
        ...

    def append(
        self, run_id: str, writer_id: str, offset: int, records: bytes, *, torn: bool = False
    ) -> int:
        """Take in a stretch of a journal and return the new offset.

        Exactly once: a stretch that begins before the offset on record is taken from there on, one
        that begins after it is refused with ``InvalidValueError``.

        Args:
            run_id: The run.
            writer_id: The journal's writer.
            offset: Where in the journal the stretch begins, in bytes.
            records: Whole records as ``headway.metrics.journal`` defines them.
            torn: Whether the writer is dead, so that unreadable records are counted as lost and
                skipped; otherwise the stretch is taken up to the first of them.
        """
        ...

    def read(self, query: MetricQuery) -> list[Series]:
        """Series with all their points, everything logged so far on this machine included."""
        ...

    def summarize(self, query: MetricQuery) -> list[SeriesSummary]:
        """The same series without their points."""
        ...


class Files(Protocol):
    """Files that belong to a run."""

    def put(
        self, run_id: str, path: str, source: Path | BinaryIO, *, overwrite: bool = False
    ) -> FileEntry:
        """Keep a file under a name of the run.

        Memory use does not depend on the size. A name that is taken raises ``RunFileExistsError``
        unless ``overwrite`` is set. Names are relative, with forward slashes, without ``..``.
        """
        ...

    def list(self, run_id: str, prefix: str = "") -> list[FileEntry]:
        """Files by name, ascending; logs are among them, with the size they have now.

        Args:
            run_id: The run.
            prefix: Only names that begin with this.
        """
        ...

    def open(self, run_id: str, path: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of a file or a log, to be read in order."""
        ...


class Snapshots(Protocol):
    """Source directories, kept as they were."""

    def take(self, run_id: str, source: Path) -> str:
        """Keep a directory, or one file, as what a run was made from, and return the id.

        Equal trees have equal ids and are kept once. A run that has a snapshot raises
        ``ConflictError``; a directory that is too large, or unreadable, ``SnapshotError``.
        """
        ...

    def write_zip(self, snapshot_id: str, target: Path) -> None:
        """Write a snapshot as a zip file; an absent id raises ``NotFoundError``."""
        ...

    def diff(self, before: str, after: str) -> Iterator[str]:
        """What changed from one snapshot to another, as lines of a patch that git can read."""
        ...


class Api(Protocol):
    """A workspace."""

    @property
    def experiments(self) -> Experiments:
        """Named groups of runs."""
        ...

    @property
    def runs(self) -> Runs:
        """Runs: made, found, changed, ended."""
        ...

    @property
    def metrics(self) -> Metrics:
        """Series of points, and the journals that they come from."""
        ...

    @property
    def files(self) -> Files:
        """Files that belong to a run."""
        ...

    @property
    def snapshots(self) -> Snapshots:
        """Source directories, kept as they were."""
        ...

    def info(self) -> WorkspaceInfo:
        """What this workspace is."""
        ...

    def hold_lease(self, owner_id: str) -> Lease:
        """Claim that this process is alive, under an id made for it alone."""
        ...

    def close(self) -> None:
        """Release what is held. Later calls raise ``StorageError``; closing again does nothing."""
        ...


def pages(runs: Runs, query: RunQuery) -> Iterator[RunPage]:
    """All pages of a query, each fetched when it is asked for."""
    while True:
        page = runs.list(query)
        yield page
        if not page.next_cursor:
            return
        query = replace(query, cursor=page.next_cursor)
