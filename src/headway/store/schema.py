"""What a database holds as a whole: its tables, their columns, the files that its rows name."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from headway.store.base import Parameters, Transaction
from headway.store.migrations import MIGRATIONS, Migration

_NAME: Final = "select value from workspace where key = 'name'"
_RUN_IDS: Final = "select id from runs"
_RUN_FILES: Final = """
select distinct r.id, f.storage_key from files f join runs r on r.rid = f.rid"""
_ASSET_FILES: Final = "select distinct storage_key from asset_files"
_SNAPSHOTS: Final = "select distinct snapshot_id from runs where snapshot_id is not null"

_CREATE: Final = re.compile(r"create table (\w+) \((.*)\)", re.DOTALL)
_DROP: Final = re.compile(r"drop table (\w+)")
_KEY: Final = re.compile(r"primary key \((.*)\)")
_CONSTRAINTS: Final = ("primary key", "unique", "foreign key", "check")


class Table(NamedTuple):
    """A table as the migrations make it."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    """Columns that together tell one row from all others."""
    serial: bool
    """Whether the database makes the key."""


def tables(steps: Sequence[Migration] = MIGRATIONS) -> list[Table]:
    """Every table that there is after these steps, those that others refer to first."""
    found: dict[str, Table] = {}
    for statement in (one for step in steps for one in step.statements):
        if match := _CREATE.fullmatch(statement.strip()):
            found[match[1]] = _table(match[1], match[2])
        elif match := _DROP.fullmatch(statement.strip()):
            del found[match[1]]
        elif statement.strip().startswith("alter table"):
            raise ValueError(f"not understood here: {statement}")
    return list(found.values())


def _table(name: str, body: str) -> Table:
    columns: list[str] = []
    key: tuple[str, ...] = ()
    serial = False
    for part in _parts(body):
        if match := _KEY.fullmatch(part):
            key = tuple(one.strip() for one in match[1].split(","))
        elif not part.startswith(_CONSTRAINTS):
            column = part.split()[0]
            columns.append(column)
            if "primary key" in part or "{serial}" in part or "{key}" in part:
                key, serial = (column,), "{serial}" in part
    return Table(name, tuple(columns), key, serial)


def _parts(body: str) -> list[str]:
    """What stands between the commas that are in no parentheses."""
    parts, depth = [""], 0
    for character in body:
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [" ".join(part.split()) for part in parts]


def workspace_name(tx: Transaction) -> str:
    """What the workspace calls itself."""
    row = tx.one(_NAME)
    return str(row[0]) if row else ""


def count_rows(tx: Transaction) -> dict[str, int]:
    """How many rows each table has."""
    found: dict[str, int] = {}
    for table in tables():
        row = tx.one(f"select count(*) from {table.name}")
        found[table.name] = int(row[0]) if row else 0
    return found


def run_ids(tx: Transaction) -> list[str]:
    """The ids of all runs."""
    return [row[0] for row in tx.all(_RUN_IDS)]


def named_files(tx: Transaction) -> Iterator[str]:
    """The files that rows name, as they lie in the folder of an embedded workspace."""
    for run_id, key in tx.all(_RUN_FILES):
        yield f"runs/{run_id}/files/{key}"
    for (key,) in tx.all(_ASSET_FILES):
        yield f"assets/content/files/{key}"
    for (snapshot_id,) in tx.all(_SNAPSHOTS):
        yield f"snapshots/trees/{snapshot_id}.json"


def rows_after(
    tx: Transaction, table: Table, key: tuple[Any, ...] | None, limit: int
) -> list[tuple[Any, ...]]:
    """The next rows of a table in the order of its key.

    Args:
        tx: Reads.
        table: Which.
        key: That of the last row of before; None to begin.
        limit: At most so many.
    """
    order = ", ".join(table.key)
    bounds, parameters = "", dict[str, Any](limit=limit)
    if key is not None:
        bounds = f"where ({order}) > ({', '.join(f':k{i}' for i in range(len(key)))})"
        parameters |= {f"k{i}": value for i, value in enumerate(key)}
    names = ", ".join(table.columns)
    return tx.all(
        f"select {names} from {table.name} {bounds} order by {order} limit :limit", parameters
    )


def key_of(table: Table, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The key of a row of all columns."""
    return tuple(row[table.columns.index(name)] for name in table.key)


def insert(tx: Transaction, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows of all columns as they are."""
    marks = ", ".join(f":{name}" for name in table.columns)
    given: list[Parameters] = [dict(zip(table.columns, row, strict=True)) for row in rows]
    tx.many(f"insert into {table.name} ({', '.join(table.columns)}) values ({marks})", given)
