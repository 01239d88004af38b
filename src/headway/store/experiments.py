"""Experiments: statements."""

from typing import Any, Final

import msgspec

from headway.model import Experiment
from headway.store.base import Parameters, Transaction

_COLUMNS: Final = "id, name, created_at, archived_at, tags"
_INSERT: Final = """
insert into experiments (id, name, created_at) values (:id, :name, :created_at)
on conflict (name) where archived_at is null do nothing"""
_BY_ID: Final = f"select {_COLUMNS} from experiments where id = :id"
_ACTIVE: Final = f"select {_COLUMNS} from experiments where name = :name and archived_at is null"
_LIST: Final = f"""
select {_COLUMNS} from experiments
where (cast(:name as text) is null or name = :name)
  and (cast(:archived as bigint) is null or (archived_at is not null) = (:archived = 1))
order by name, created_at"""
_UPDATE: Final = "update experiments set archived_at = :archived_at, tags = :tags where id = :id"
_DELETE: Final = """
delete from experiments
where id = :id and not exists (select 1 from runs where experiment_id = :id)"""
_NUMBER: Final = """
update experiments set last_number = last_number + :count where id = :id returning last_number"""

_HAS_NUMBER: Final = "select 1 from runs where experiment_id = :id and number = :number limit 1"
_RAISE: Final = """
update experiments set last_number = :number where id = :id and last_number < :number"""


def insert(tx: Transaction, experiment: Experiment) -> bool:
    """Add an experiment; False where an active one has its name."""
    return bool(tx.run(_INSERT, _identity(experiment)))


def by_id(tx: Transaction, experiment_id: str) -> Experiment | None:
    """One experiment, archived or not."""
    row = tx.one(_BY_ID, {"id": experiment_id})
    return _experiment(row) if row else None


def active(tx: Transaction, name: str) -> Experiment | None:
    """The active experiment of this name."""
    row = tx.one(_ACTIVE, {"name": name})
    return _experiment(row) if row else None


def listed(tx: Transaction, *, name: str | None, archived: bool | None) -> list[Experiment]:
    """Experiments by name; None means any."""
    wanted = None if archived is None else int(archived)
    return [_experiment(row) for row in tx.all(_LIST, {"name": name, "archived": wanted})]


def update(tx: Transaction, experiment: Experiment) -> None:
    """Write what may change of an experiment."""
    tags = msgspec.json.encode(experiment.tags).decode()
    tx.run(_UPDATE, {"id": experiment.id, "archived_at": experiment.archived_at, "tags": tags})


def delete(tx: Transaction, experiment_id: str) -> bool:
    """Remove an experiment; False where it has runs."""
    return bool(tx.run(_DELETE, {"id": experiment_id}))


def take_numbers(tx: Transaction, experiment_id: str, count: int) -> int:
    """Reserve run numbers; the first of them."""
    row = tx.one(_NUMBER, {"id": experiment_id, "count": count})
    assert row is not None, experiment_id  # noqa: S101  the caller has read it in this transaction
    return int(row[0]) - count + 1


def take_number(tx: Transaction, experiment_id: str, wanted: int) -> int:
    """Reserve a run number: the one that is wanted, if no run has it; else the next one."""
    if wanted < 1 or tx.one(_HAS_NUMBER, {"id": experiment_id, "number": wanted}):
        return take_numbers(tx, experiment_id, 1)
    tx.run(_RAISE, {"id": experiment_id, "number": wanted})
    return wanted


def _identity(experiment: Experiment) -> Parameters:
    return {
        "id": experiment.id,
        "name": experiment.name,
        "created_at": experiment.created_at,
    }


def _experiment(row: tuple[Any, ...]) -> Experiment:
    return Experiment(
        id=row[0],
        name=row[1],
        created_at=row[2],
        archived_at=row[3],
        tags=msgspec.json.decode(row[4], type=dict[str, str | None]),
    )
