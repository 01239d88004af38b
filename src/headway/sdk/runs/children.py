"""The runs below a run: made, submitted, found."""

from collections.abc import Iterator
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from headway.model import NewRun, RunQuery
from headway.sdk.arguments import batch_tags, outputs_folder
from headway.sdk.runs import run_ids
from headway.sdk.runs.state import RunState
from headway.sdk.submission.configuration import ScriptRunConfig
from headway.sdk.workspaces.queries import LabelFilter, Listing, StatusFilter, run_query


class _Child(Protocol):
    def track(self, outputs: Path | None) -> None: ...


R = TypeVar("R", bound=_Child)
"""The class of runs."""
S = TypeVar("S", covariant=True)
"""The class of submitted runs."""


class Group(Protocol[R, S]):
    """What is needed of an experiment."""

    def new_run(
        self,
        run_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: dict[str, str | None] | None = None,
        properties: dict[str, str | None] | None = None,
        parent_id: str | None = None,
    ) -> NewRun:
        """The request for an interactive run of this process."""
        ...

    def create_runs(self, new: list[NewRun]) -> list[R]:
        """Make interactive runs of this process."""
        ...

    def submit(
        self,
        config: ScriptRunConfig,
        tags: dict[str, str | None] | None = None,
        **kwargs: object,
    ) -> S:
        """Start a program as a run."""
        ...

    def runs_of(self, query: RunQuery, limit: int | None = None) -> Iterator[R]:
        """The runs of a query."""
        ...


class RunChildren(RunState, Generic[R, S]):
    """The part of ``Run`` about the runs below it."""

    @property
    def _group(self) -> Group[R, S]:
        """The experiment that all of them belong to."""
        raise NotImplementedError

    def get_children(
        self,
        recursive: bool = False,
        tags: LabelFilter = None,
        properties: LabelFilter = None,
        type: str | None = None,
        status: StatusFilter = None,
        _rehydrate_runs: bool = True,
    ) -> Iterator[R]:
        """The runs below this one, newest first.

        Args:
            recursive: Whether their children count too.
            tags: As in ``Experiment.get_runs``.
            properties: As there.
            type: As there.
            status: As there.
            _rehydrate_runs: Ignored.
        """
        listing = Listing(type=type, tags=tags, properties=properties, status=status)
        place = {"ancestor_id" if recursive else "parent_id": self.id}
        return self._group.runs_of(run_query(listing, **place))

    # ------------------------------------------------------------ children

    def child_run(
        self, name: str | None = None, run_id: str | None = None, outputs: object = None
    ) -> R:
        """A new interactive run below this one, already running.

        Args:
            name: Its display name, behind the name of this run.
            run_id: Its id; None to have one made.
            outputs: A folder whose files are collected at its end, True for ``./outputs``; None
                for none: what is in there is the parent's.
        """
        folder = outputs_folder(outputs or False)
        display_name = None if name is None else f"{self.name}>{name}"
        new = self._new_child(run_id, name=display_name)
        [child] = self._group.create_runs([new])
        if folder is not None:
            child.track(folder)
        return child

    def create_children(
        self,
        count: int | None = None,
        tag_key: str | None = None,
        tag_values: list[str] | None = None,
    ) -> list[R]:
        """Many new runs below this one at once, all running, all made or none.

        Args:
            count: How many; their tag ``azureml.batch_child_number`` counts from "0".
            tag_key: Instead of a count: the tag that tells them apart ...
            tag_values: ... and its values, one a run.
        """
        tags = batch_tags(count, tag_key, tag_values)
        return self._group.create_runs([self._new_child(None, tags=one) for one in tags])

    def submit_child(
        self,
        config: ScriptRunConfig,
        tags: dict[str, str | None] | None = None,
        **kwargs: object,
    ) -> S:
        """``Experiment.submit``, for a run below this one."""
        return self._group.submit(config, tags, _parent_run_id=self.id, **kwargs)

    def _new_child(
        self,
        run_id: str | None,
        *,
        name: str | None = None,
        tags: dict[str, str | None] | None = None,
    ) -> NewRun:
        prefix = run_ids.OFFLINE_PREFIX if self.id.startswith(run_ids.OFFLINE_PREFIX) else ""
        return self._group.new_run(
            run_id or run_ids.new_run_id(prefix), name=name, tags=tags, parent_id=self.id
        )
