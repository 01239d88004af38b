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

from headway.assets import (
    Asset,
    AssetChange,
    AssetKind,
    AssetQuery,
    NewAsset,
    RunSource,
    UploadSource,
)
from headway.contents import Files, Snapshots, Uploads
from headway.model import (
    CancelOutcome,
    Chart,
    ChartQuery,
    Event,
    Experiment,
    ExperimentChange,
    FileEntry,
    JournalStretch,
    MetricQuery,
    NewRun,
    PointBlocks,
    PointQuery,
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
    WorkspaceChange,
    WorkspaceInfo,
)
from headway.runners import Runners
from headway.upkeep import Upkeep

CANCEL_WAIT_S = 2.0
"""How long ``cancel`` waits for the end before it answers CANCEL_REQUESTED."""


class Lease(Protocol):
    """A process's claim to be alive. The runs that name it as owner live as long as it does."""

    def cancel_requested(self) -> bool:
        """Whether somebody asked to cancel a run of this owner since the last call.

        With a server it is heard of a moment after it was asked.
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

    def delete(self, experiment_id: str) -> None:
        """Remove an experiment that has no runs; with runs it raises ``ConflictError``."""
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
        self,
        run_id: str,
        status: Status,
        *,
        error: RunError | None = None,
        reason: str = "",
        at: int | None = None,
    ) -> Run:
        """End a run as Completed, Failed or Canceled, and return it.

        A run that is being executed is ended first: when this returns, no process of it is left.
        Such a run can be failed but not completed by its caller (``RunStateError``). A run that
        ended with the same status is returned unchanged; from Completed it may still become Failed;
        any other ended run raises ``RunStateError``.

        Args:
            run_id: The run.
            status: How it ended.
            error: Why it failed.
            reason: Why, for its history.
            at: When it ended, in microseconds since the epoch; None for now. A time before its
                beginning or after now is moved to that.
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

    def delete(self, run_ids: Sequence[str]) -> "list[str]":
        """Put runs into the trash, each with all runs below it; all or none.

        They are left out of lists from then on, and still found by their id. A run that has not
        ended raises ``RunStateError``; one that is in the trash stays there.

        Returns:
            The ids of all runs that went into the trash now.
        """
        ...

    def restore(self, run_ids: Sequence[str]) -> "list[str]":
        """Take runs out of the trash, each with the runs that went with it; all or none.

        A run below one in the trash raises ``RunStateError``; one that is not there stays as it is.

        Returns:
            The ids of all runs that came out.
        """
        ...

    def list(self, query: RunQuery) -> RunPage:
        """A page of runs in the order asked for; ties are broken by creation, newest first.

        Runs in the trash are left out, unless the query asks for those. A cursor stays valid while
        runs are added: pages never repeat a run.
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

    def append_many(self, stretches: Sequence[JournalStretch]) -> list[int]:
        """Take in stretches of several journals as ``append`` does, in one transaction.

        All or none, and no two of one journal. Returns the new offsets in the same order.
        """
        ...

    def read(self, query: MetricQuery) -> list[Series]:
        """Series with all their points, everything logged so far on this machine included."""
        ...

    def summarize(self, query: MetricQuery) -> list[SeriesSummary]:
        """The same series without their points."""
        ...

    def points(self, query: PointQuery) -> PointBlocks:
        """The points of one series with their steps and times, everything logged so far included.

        Whole blocks are given, so some points may lie outside of the range of steps:
        ``headway.metrics.columns.decode_points`` cuts exactly. Alike, points that were to be
        skipped may come, all but the first ``skipped`` of them. A series that the run does not
        have raises ``MetricNotFoundError``.

        Where fewer points are wanted than there are, points that were logged are chosen
        (MinMaxLTTB: of each stretch the extremes, and of these what changes the line most), in the
        order of their steps. The first and the last one, the least and the greatest are among them,
        and infinities; NaN and what is no number is left out. Of more than 262,144 points the
        extremes of units are looked at, as for a chart. Of texts alone some are chosen evenly.
        """
        ...

    def chart(self, query: ChartQuery) -> Chart:
        """Series over the same buckets, in a time that hardly depends on how many points there are.

        Of up to two million points all numbers are exact. Of more, points are counted by units of
        some hundred or thousand that were logged one after the other, at least four a bucket. The
        least and the greatest point of a unit count in the bucket that they lie in, so a spike
        neither moves nor disappears, unless a higher one stands in the same unit beyond the edge.
        The others of a unit that crosses an edge count in one of the two buckets; none is left out
        or counted twice. Where steps do not ascend, what lies in more than two buckets is read
        point by point, and takes its time.

        Metrics that a run does not have are left out.
        """
        ...


class Assets(Protocol):
    """Registered models, environments, datasets and datastores."""

    def register(
        self, new: NewAsset, source: Path | RunSource | UploadSource | None = None
    ) -> Asset:
        """Make the next version of an asset, with the files of a source.

        Concurrent calls for one name get versions of their own. A version whose id exists is
        returned as it is now. Where ``new.reuse`` is set and the latest version has an equal
        definition, that one is returned.

        Args:
            new: What to make.
            source: A file, or a folder whose files are kept under names that begin with its own;
                on this machine, among the files of a run, or uploaded under the names that are
                given. Equal files are kept once. None for an asset without files.
        """
        ...

    def get(self, kind: AssetKind, name: str, version: int | None = None) -> Asset:
        """One version of a name; None for the latest."""
        ...

    def find(self, asset_id: str) -> Asset:
        """One version by its id."""
        ...

    def change(self, asset_id: str, change: AssetChange) -> Asset:
        """Apply a change as a whole and return the asset after it.

        A property that exists with the same value is left alone; with another value the whole
        change raises ``PropertyConflictError``.
        """
        ...

    def delete(self, asset_id: str) -> None:
        """Remove one version, and the bytes that no other asset holds."""
        ...

    def files(self, asset_id: str) -> list[FileEntry]:
        """The files of a version by name."""
        ...

    def open(self, asset_id: str, path: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of a file, to be read in order."""
        ...

    def list(self, query: AssetQuery) -> list[Asset]:
        """Assets by name, the newest version of each first."""
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

    @property
    def uploads(self) -> Uploads:
        """Files brought in by parts."""
        ...

    @property
    def assets(self) -> Assets:
        """Registered models, environments, datasets and datastores."""
        ...

    @property
    def runners(self) -> Runners:
        """Runs that are executed elsewhere, and the leases of those who execute them."""
        ...

    @property
    def upkeep(self) -> Upkeep:
        """What frees space, and what brings runs in from elsewhere."""
        ...

    def info(self) -> WorkspaceInfo:
        """What this workspace is."""
        ...

    def change(self, change: WorkspaceChange) -> WorkspaceInfo:
        """Apply a change as a whole and return the workspace after it."""
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
