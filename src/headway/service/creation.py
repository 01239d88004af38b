"""Runs made: checked, numbered, named, written with their first events."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from headway.checks import check_labels, check_name, check_run_id, check_text
from headway.errors import (
    ConflictError,
    InvalidValueError,
    RunExistsError,
    RunNotFoundError,
    RunStateError,
)
from headway.hosting.masking import mask_submission
from headway.model import NewRun, Run, RunChange, Status, Submission
from headway.service import experiments, transitions
from headway.settings import Settings
from headway.store import experiments as experiment_rows
from headway.store import runs
from headway.store.base import Transaction
from headway.store.runs import StoredRun

SNAPSHOT_PROPERTY: Final = "ContentSnapshotId"
"""The name that ``azureml.core`` gives the property."""
_NOTHING: Final[Mapping[str, str]] = {}


class Identity:
    """Who acts, and where: whoever holds this process. A server has one that knows who asks."""

    def __init__(self, user: str, host: str) -> None:
        self._user = user
        self._host = host

    @property
    def user(self) -> str:
        """The name of who acts."""
        return self._user

    @property
    def host(self) -> str:
        """The machine on which they do."""
        return self._host

    @property
    def actor(self) -> str:
        """As it stands in events."""
        return f"{self.user}@{self.host}"


class RunMaker:
    """Checks requests for runs and writes them."""

    def __init__(self, settings: Settings, identity: Identity, clock: Callable[[], int]) -> None:
        self._settings = settings
        self._identity = identity
        self._clock = clock

    def check(self, new: NewRun) -> None:
        """Refuse what a run may not be made from."""
        check_run_id(new.id)
        self.check_change(
            RunChange(
                set_tags=new.tags,
                add_properties=new.properties,
                name=new.name,
                description=new.description,
            )
        )
        for kind, labels in (("tags", new.tags), ("properties", new.properties)):
            self.check_count(new.id, kind, len(labels))

    def check_change(self, change: RunChange) -> None:
        """Refuse what may not be written to a run."""
        settings = self._settings
        for kind, labels in (("tag", change.set_tags), ("property", change.add_properties)):
            check_labels(
                kind,
                labels,
                key_limit=settings.max_label_key_chars,
                value_limit=settings.max_label_value_chars,
            )
        if change.name is not None:
            check_name("display name", change.name, settings.max_run_name_chars)
        if isinstance(change.description, str):
            check_text("description", change.description, settings.max_description_chars)

    def check_count(self, run_id: str, kind: str, count: int) -> None:
        """Refuse too many tags or properties."""
        if count > self._settings.max_labels:
            raise InvalidValueError(
                f"run {run_id} would have {count} {kind}; at most {self._settings.max_labels} are "
                "accepted (HEADWAY_MAX_LABELS)"
            )

    def make(
        self,
        tx: Transaction,
        new: Sequence[NewRun],
        *,
        submission: Submission | None = None,
        snapshot_id: str | None = None,
        source: Mapping[str, str] = _NOTHING,
        waits_for: str | None = None,
        host: str = "",
    ) -> list[StoredRun]:
        """Write runs that do not exist; those that do, from an equal request, are returned.

        Args:
            tx: A writing transaction.
            new: What the runs are made from.
            submission: What they execute.
            snapshot_id: The source directory as it was kept.
            source: Properties that say where the source comes from; given ones go before them.
            waits_for: What a submitted run stands in line for; None where it starts at once.
            host: Where they are executed; empty for this machine.
        """
        made: list[StoredRun] = []
        for request in new:
            known = existing(tx, request)
            if known is None:
                known = self._make_one(tx, request, submission, snapshot_id, source, host)
                known = self._begin(tx, known, request, waits_for)
            made.append(known)
        return made

    def _make_one(
        self,
        tx: Transaction,
        request: NewRun,
        submission: Submission | None,
        snapshot_id: str | None,
        source: Mapping[str, str],
        host: str,
    ) -> StoredRun:
        experiment = experiments.find(tx, request.experiment_id)
        if experiment.archived_at is not None:
            raise ConflictError(
                f"experiment {experiment.name!r} is archived: reactivate it, or make a new one of "
                "that name"
            )
        parent = parent_of(tx, request)
        now = self._clock()
        properties = {**source, **request.properties}
        if snapshot_id is not None:
            properties.setdefault(SNAPSHOT_PROPERTY, snapshot_id)
        run = Run(
            id=request.id,
            experiment_id=experiment.id,
            experiment_name=experiment.name,
            number=experiment_rows.take_numbers(tx, experiment.id, 1),
            name=request.name or f"run_{request.id}",
            status=Status.NOT_STARTED,
            created_at=now,
            description=request.description,
            type=request.type,
            parent_id=request.parent_id,
            root_id=parent.root_id if parent else request.id,
            target=request.target,
            host=host or self._identity.host,
            owner_id=request.owner_id,
            created_by=self._identity.actor,
            tags=dict(sorted(request.tags.items())),
            properties=dict(sorted(properties.items())),
            definition=None if submission is None else mask_submission(submission),
            snapshot_id=snapshot_id,
        )
        stored = runs.insert(tx, run, request)
        actor = self._identity.actor
        runs.add_event(
            tx,
            stored.rid,
            at=now,
            status=run.status,
            previous=None,
            actor=actor,
            reason="created",
        )
        return stored

    def _begin(
        self, tx: Transaction, stored: StoredRun, request: NewRun, waits_for: str | None
    ) -> StoredRun:
        if request.started:
            status, reason = Status.RUNNING, "started"
        elif stored.run.definition is None:
            return stored
        elif waits_for is None:
            status, reason = Status.STARTING, "submitted"
        else:
            status, reason = Status.QUEUED, f"submitted; waits for {waits_for}"
        return transitions.move_or_refuse(
            tx,
            stored,
            status,
            at=stored.run.created_at,
            actor=self._identity.actor,
            reason=reason,
        )


def existing(tx: Transaction, request: NewRun) -> StoredRun | None:
    """The run that was made from this very request before."""
    made_from = runs.request_of(tx, request.id)
    if made_from is None:
        return None
    if made_from != request:
        raise RunExistsError(
            f"a run with the id {request.id!r} exists and is another one: leave the id out, or "
            "choose one that is free"
        )
    return runs.by_id(tx, request.id)


def parent_of(tx: Transaction, request: NewRun) -> Run | None:
    """The run below which one is to be made, if it is to be below one."""
    if request.parent_id is None:
        return None
    found = runs.by_id(tx, request.parent_id)
    if found is None:
        raise RunNotFoundError(
            f"run {request.id!r} cannot be made below {request.parent_id!r}: there is no such run"
        )
    if found.run.deleted_at is not None:
        raise RunStateError(
            f"run {request.id!r} cannot be made below {request.parent_id!r}, which is in the "
            f"trash: restore that first, with 'headway restore {request.parent_id}'"
        )
    return found.run
