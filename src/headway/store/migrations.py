"""The schema, as numbered steps that only go forward.

Each step runs in one transaction and is recorded in the table ``migrations``. ``{serial}`` and
``{blob}`` stand for what the dialects call an integer key made by the database, and bytes.
"""

from typing import Final, NamedTuple

from headway.errors import StorageVersionError
from headway.store.base import Transaction


class Migration(NamedTuple):
    """One step."""

    number: int
    name: str
    statements: tuple[str, ...]


class Dialect(NamedTuple):
    """The words in which the databases differ."""

    serial: str
    blob: str


SQLITE: Final = Dialect(serial="integer primary key", blob="blob")

_FIRST: Final = (
    """create table workspace (
        key text primary key,
        value text not null
    )""",
    """create table experiments (
        id text primary key,
        name text not null,
        created_at bigint not null,
        archived_at bigint,
        tags text not null default '{{}}',
        last_number bigint not null default 0
    )""",
    "create unique index experiments_active on experiments (name) where archived_at is null",
    # rid grows in the order of creation: newest first is rid descending, in every index that
    # ends in it.
    """create table runs (
        rid {serial},
        id text not null unique,
        experiment_id text not null references experiments (id),
        number bigint not null,
        name text not null,
        description text,
        status text not null,
        type text,
        parent_id text,
        root_id text not null,
        created_at bigint not null,
        started_at bigint,
        ended_at bigint,
        target text not null,
        host text not null,
        owner_id text,
        created_by text not null,
        request {blob} not null,
        definition {blob},
        error {blob},
        snapshot_id text,
        points_lost bigint not null default 0
    )""",
    # parent_id is null for a run at the top: two columns equal, so this wins over runs_all.
    "create index runs_top on runs (experiment_id, parent_id, rid)",
    "create index runs_all on runs (experiment_id, rid)",
    "create index runs_status on runs (experiment_id, status, rid)",
    "create index runs_children on runs (parent_id, rid) where parent_id is not null",
    "create index runs_tree on runs (root_id, rid)",
    "create index runs_live on runs (rid) where ended_at is null",
    # kind: 't' a tag, 'p' a property. Long values are found by their first 200 characters.
    """create table labels (
        rid bigint not null references runs (rid) on delete cascade,
        kind text not null,
        key text not null,
        value text,
        primary key (rid, kind, key)
    )""",
    "create index labels_value on labels (kind, key, substr(value, 1, 200), rid)",
    "create index labels_key on labels (kind, key, rid)",
    """create table events (
        rid bigint not null references runs (rid) on delete cascade,
        sequence bigint not null,
        at bigint not null,
        status text not null,
        previous text,
        actor text not null,
        reason text not null,
        primary key (rid, sequence)
    )""",
    """create table files (
        rid bigint not null references runs (rid) on delete cascade,
        path text not null,
        storage_key text not null,
        size_bytes bigint not null,
        blake3 text not null,
        created_at bigint not null,
        primary key (rid, path)
    )""",
    """create table series (
        id {serial},
        rid bigint not null references runs (rid) on delete cascade,
        name text not null,
        col text not null,
        form text not null,
        count bigint not null,
        last_value {blob} not null,
        last_number double precision,
        last_text text,
        first_step bigint,
        last_step bigint,
        minimum double precision,
        maximum double precision,
        unique (rid, name, col)
    )""",
    "create index series_last on series (name, last_number, rid) where col = ''",
    # Blocks as headway.metrics.chunks writes them; the last chunk is replaced until it is full.
    """create table chunks (
        series_id bigint not null references series (id) on delete cascade,
        sequence bigint not null,
        count bigint not null,
        vals {blob} not null,
        steps {blob} not null,
        times {blob} not null,
        primary key (series_id, sequence)
    )""",
    # How far each journal was taken in: moved in the same transaction as its points.
    """create table writers (
        writer_id text primary key,
        rid bigint not null references runs (rid) on delete cascade,
        taken bigint not null,
        names {blob} not null
    )""",
)

MIGRATIONS: Final = (Migration(1, "first schema", _FIRST),)
LATEST: Final = MIGRATIONS[-1].number

_TABLE: Final = """
create table if not exists migrations (
    number bigint primary key,
    name text not null,
    applied_at bigint not null
)"""
_NUMBER: Final = "select coalesce(max(number), 0) from migrations"
_RECORD: Final = "insert into migrations (number, name, applied_at) values (:number, :name, :at)"


def current(tx: Transaction) -> int:
    """The number of the last step that was applied; the table must exist."""
    row = tx.one(_NUMBER)
    return int(row[0]) if row else 0


def check_version(number: int, where: str) -> None:
    """Refuse a database that a newer Headway wrote."""
    if number > LATEST:
        raise StorageVersionError(
            f"the workspace at {where} has schema {number}, written by a newer Headway; this one "
            f"knows up to {LATEST}. Update it: pip install --upgrade headway"
        )


def apply_pending(tx: Transaction, dialect: Dialect, *, at: int, where: str) -> int:
    """Apply what is missing, inside the caller's transaction, and return how many steps that was.

    Args:
        tx: A writing transaction.
        dialect: The words of this database.
        at: The time to record, in microseconds.
        where: The workspace, for the message of an error.
    """
    tx.run(_TABLE)
    number = current(tx)
    check_version(number, where)
    pending = [migration for migration in MIGRATIONS if migration.number > number]
    for migration in pending:
        for statement in migration.statements:
            tx.run(statement.format(**dialect._asdict()))
        tx.run(_RECORD, {"number": migration.number, "name": migration.name, "at": at})
    return len(pending)
