"""Experiments of an embedded workspace."""

import uuid
from collections.abc import Callable

from msgspec.structs import replace

from headway.checks import check_labels, check_name
from headway.errors import ConflictError, ExperimentNotFoundError, InvalidValueError
from headway.model import Experiment, ExperimentChange
from headway.settings import Settings
from headway.store import experiments
from headway.store.base import Database, Transaction


class ExperimentService:
    """Implements ``headway.api.Experiments``."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], int]) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    def ensure(self, name: str) -> Experiment:
        """The active experiment of this name, made now if there is none."""
        check_name("experiment name", name, self._settings.max_experiment_name_chars)
        with self._database.read() as tx:
            found = experiments.active(tx, name)
        if found is not None:
            return found
        new = Experiment(id=str(uuid.uuid4()), name=name, created_at=self._clock())
        with self._database.write() as tx:
            if experiments.insert(tx, new):
                return new
            found = experiments.active(tx, name)
        assert found is not None, name  # noqa: S101  the insert met it in this transaction
        return found

    def get(self, experiment_id: str) -> Experiment:
        """One experiment, archived or not."""
        with self._database.read() as tx:
            return find(tx, experiment_id)

    def change(self, experiment_id: str, change: ExperimentChange) -> Experiment:
        """Apply a change as a whole and return the experiment after it."""
        tags = check_labels(
            "tag",
            change.set_tags,
            key_limit=self._settings.max_label_key_chars,
            value_limit=self._settings.max_label_value_chars,
        )
        with self._database.write() as tx:
            experiment = find(tx, experiment_id)
            kept = {k: v for k, v in experiment.tags.items() if k not in set(change.remove_tags)}
            changed = replace(experiment, tags={**kept, **tags})
            if len(changed.tags) > self._settings.max_labels:
                raise InvalidValueError(
                    f"experiment {experiment.name!r} would have {len(changed.tags)} tags; at most "
                    f"{self._settings.max_labels} are accepted"
                )
            changed = self._archived(tx, changed, change.archived)
            experiments.update(tx, changed)
        return changed

    def delete(self, experiment_id: str) -> None:
        """Remove an experiment that has no runs."""
        with self._database.write() as tx:
            experiment = find(tx, experiment_id)
            if not experiments.delete(tx, experiment_id):
                raise ConflictError(
                    f"experiment {experiment.name!r} has runs, perhaps in the trash, and cannot be "
                    "deleted: archive() takes it out of lists and keeps them; 'headway purge' "
                    "removes for good what is in the trash"
                )

    def list(self, *, name: str | None = None, archived: bool | None = False) -> list[Experiment]:
        """Experiments by name, ascending."""
        with self._database.read() as tx:
            return experiments.listed(tx, name=name, archived=archived)

    def _archived(
        self, tx: Transaction, experiment: Experiment, archived: bool | None
    ) -> Experiment:
        if archived is None or archived == (experiment.archived_at is not None):
            return experiment
        if archived:
            return replace(experiment, archived_at=self._clock())
        if experiments.active(tx, experiment.name):
            raise ConflictError(
                f"experiment {experiment.name!r} cannot be reactivated: an active one has that "
                "name; archive it first"
            )
        return replace(experiment, archived_at=None)


def find(tx: Transaction, experiment_id: str) -> Experiment:
    """One experiment, or the error that says there is none."""
    found = experiments.by_id(tx, experiment_id)
    if found is None:
        raise ExperimentNotFoundError(
            f"there is no experiment with the id {experiment_id!r} in this workspace; "
            "'headway list' shows what there is"
        )
    return found
