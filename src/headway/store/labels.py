"""Tags and properties of runs: statements. A kind is ``"t"`` for tags, ``"p"`` for properties."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from headway.store.base import Parameters, Transaction

Kind = Literal["t", "p"]
Labels = dict[str, str | None]

_SET: Final = """
insert into labels (rid, kind, key, value) values (:rid, :kind, :key, :value)
on conflict (rid, kind, key) do update set value = excluded.value"""
_REMOVE: Final = "delete from labels where rid = :rid and kind = :kind and key = :key"


def put(tx: Transaction, rid: int, kind: Kind, labels: Mapping[str, str | None]) -> None:
    """Set labels, over what they were."""
    tx.many(
        _SET,
        [{"rid": rid, "kind": kind, "key": key, "value": labels[key]} for key in labels],
    )


def put_all(tx: Transaction, kind: Kind, labels: Sequence[tuple[int, Labels]]) -> None:
    """Set labels of many runs."""
    rows: list[Parameters] = [
        {"rid": rid, "kind": kind, "key": key, "value": value}
        for rid, of_run in labels
        for key, value in of_run.items()
    ]
    if rows:
        tx.many(_SET, rows)


def remove(tx: Transaction, rid: int, kind: Kind, keys: Iterable[str]) -> None:
    """Remove labels; absent ones are no error."""
    tx.many(_REMOVE, [{"rid": rid, "kind": kind, "key": key} for key in keys])


def of_runs(tx: Transaction, rids: Sequence[int]) -> dict[tuple[int, Kind], Labels]:
    """The labels of many runs, by run and kind, keys ascending."""
    found: dict[tuple[int, Kind], Labels] = {}
    for start in range(0, len(rids), 500):
        part = rids[start : start + 500]
        marks = ", ".join(f":r{i}" for i in range(len(part)))
        statement = (
            f"select rid, kind, key, value from labels where rid in ({marks}) "
            "order by rid, kind, key"
        )
        for rid, kind, key, value in tx.all(statement, {f"r{i}": r for i, r in enumerate(part)}):
            found.setdefault((rid, kind), {})[key] = value
    return found
