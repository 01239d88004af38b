"""What of the database's own rows and of the files that it names nobody needs: statements."""

from typing import Final

from headway.store.base import Transaction

_KEYS: Final = """
select distinct f.storage_key from files f join runs r on r.rid = f.rid where r.id = :run_id"""
_OLD_NAMES: Final = """
select n.writer_id, r.id, sum(length(n.names)) from writer_names n
join writers w on w.writer_id = n.writer_id join runs r on r.rid = w.rid
where r.ended_at is not null and r.ended_at <= :before
group by n.writer_id, r.id order by n.writer_id"""
_REMOVE_NAMES: Final = "delete from writer_names where writer_id = :writer_id"


def storage_keys(tx: Transaction, run_id: str) -> set[str]:
    """The keys of all files of a run that have a name; none where there is no such run."""
    return {row[0] for row in tx.all(_KEYS, {"run_id": run_id})}


def old_names(tx: Transaction, before: int) -> list[tuple[str, str, int]]:
    """Journals of runs that ended by a time, with their run and the bytes of their names."""
    return [(row[0], row[1], int(row[2])) for row in tx.all(_OLD_NAMES, {"before": before})]


def remove_names(tx: Transaction, writer_id: str) -> None:
    """Forget what a journal defined; how far it was taken in stays known."""
    tx.run(_REMOVE_NAMES, {"writer_id": writer_id})
