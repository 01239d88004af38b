"""The schema, as numbered steps that only go forward.

Each step runs in one transaction and is recorded in the table ``migrations``. Words in braces
are those of ``headway.store.base.Dialect``.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from headway.errors import StorageVersionError
from headway.store.base import Dialect, Transaction


class Migration(NamedTuple):
    """One step."""

    number: int
    name: str
    statements: tuple[str, ...]


_FIRST: Final = (
    """create table workspace (
        key {text} primary key,
        value {text} not null
    )""",
    """create table experiments (
        id {text} primary key,
        name {text} not null,
        created_at bigint not null,
        archived_at bigint,
        tags {text} not null default '{{}}',
        last_number bigint not null default 0
    )""",
    "create unique index experiments_active on experiments (name) where archived_at is null",
    # rid grows in the order of creation: newest first is rid descending, in every index that
    # ends in it.
    """create table runs (
        rid {serial},
        id {text} not null unique,
        experiment_id {text} not null references experiments (id),
        number bigint not null,
        name {text} not null,
        description {text},
        status {text} not null,
        type {text},
        parent_id {text},
        root_id {text} not null,
        created_at bigint not null,
        started_at bigint,
        ended_at bigint,
        target {text} not null,
        host {text} not null,
        owner_id {text},
        created_by {text} not null,
        request {blob} not null,
        definition {blob},
        error {blob},
        snapshot_id {text},
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
        kind {text} not null,
        key {text} not null,
        value {text},
        primary key (rid, kind, key)
    )""",
    "create index labels_value on labels (kind, key, substr(value, 1, 200), rid)",
    "create index labels_key on labels (kind, key, rid)",
    """create table events (
        rid bigint not null references runs (rid) on delete cascade,
        sequence bigint not null,
        at bigint not null,
        status {text} not null,
        previous {text},
        actor {text} not null,
        reason {text} not null,
        primary key (rid, sequence)
    )""",
    """create table files (
        rid bigint not null references runs (rid) on delete cascade,
        path {text} not null,
        storage_key {text} not null,
        size_bytes bigint not null,
        blake3 {text} not null,
        created_at bigint not null,
        primary key (rid, path)
    )""",
    """create table series (
        id {serial},
        rid bigint not null references runs (rid) on delete cascade,
        name {text} not null,
        col {text} not null,
        form {text} not null,
        count bigint not null,
        last_value {blob} not null,
        last_number double precision,
        last_text {text},
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
        writer_id {text} primary key,
        rid bigint not null references runs (rid) on delete cascade,
        taken bigint not null,
        names {blob} not null
    )""",
)

# Blocks stand last: what comes before them is read without them. An overview is null where there is
# none, and so is what a row of schema 1 does not tell.
_POINTS: Final = (
    """create table point_chunks (
        series_id bigint not null references series (id) on delete cascade,
        position bigint not null,
        count bigint not null,
        weight bigint not null,
        kind {text},
        low_step bigint,
        high_step bigint,
        low_time bigint,
        high_time bigint,
        coarse {blob},
        medium {blob},
        fine {blob},
        steps {blob} not null,
        vals {blob} not null,
        times {blob} not null,
        primary key (series_id, position)
    )""",
    # Until then every chunk but the last of a series was full.
    """insert into point_chunks (series_id, position, count, weight, steps, vals, times)
    select series_id, sequence * 8192, count, count, steps, vals, times from chunks
    order by series_id, sequence""",
    "drop table chunks",
    # The newest points of a series, while they are few.
    """create table point_tails (
        series_id {key} references series (id) on delete cascade,
        count bigint not null,
        points {blob} not null
    )""",
    # What a journal defines beyond what stands in writers.names, by the offset at which it did; at
    # -1 what it has only begun.
    """create table writer_names (
        writer_id {text} not null references writers (writer_id) on delete cascade,
        taken bigint not null,
        names {blob} not null,
        primary key (writer_id, taken)
    )""",
)

# What headway.store.leads finds runs by. An index of values ends in rid, so that it answers alone.
_FINDING: Final = (
    # Null too, which is how a run at the top is found.
    "drop index runs_children",
    "create index runs_family on runs (parent_id, rid)",
    "create index runs_state on runs (status, rid)",
    "create index runs_created on runs (created_at, rid)",
    "create index runs_name on runs (name, rid)",
    "create index runs_number on runs (number, rid)",
    # The short columns once more: rows hold documents, and are read for nothing else than those.
    """create index runs_sheet on runs (rid, experiment_id, parent_id, status, type, created_at,
        started_at, ended_at, number)""",
    """create index series_name on series (name, rid, last_number, minimum, maximum, count)
        where col = ''""",
    "create index series_minimum on series (name, minimum, rid) where col = ''",
    "create index series_maximum on series (name, maximum, rid) where col = ''",
    # Texts, and NaN, which is kept as one.
    """create index series_text on series (name, substr(last_text, 1, 200), rid)
        where col = '' and last_text is not null""",
)

# Registered assets; numbers are taken from asset_names, so that one never comes again.
_ASSETS: Final = (
    """create table asset_names (
        kind {text} not null,
        name {text} not null,
        last_version bigint not null,
        primary key (kind, name)
    )""",
    """create table assets (
        id {text} primary key,
        kind {text} not null,
        name {text} not null,
        version bigint not null,
        created_at bigint not null,
        created_by {text} not null,
        description {text},
        definition {text} not null,
        tags {text} not null,
        properties {text} not null,
        labels {text} not null,
        run_id {text},
        experiment_name {text},
        size_bytes bigint not null,
        unique (kind, name, version)
    )""",
    "create index assets_run on assets (run_id) where run_id is not null",
    """create table asset_files (
        asset_id {text} not null references assets (id) on delete cascade,
        path {text} not null,
        storage_key {text} not null,
        size_bytes bigint not null,
        blake3 {text} not null,
        primary key (asset_id, path)
    )""",
    "create index asset_files_key on asset_files (storage_key)",
)

_UPKEEP: Final = (
    # Runs that were deleted: left out of lists until they are restored or purged.
    """create table trash (
        rid {key} references runs (rid) on delete cascade,
        taken_with {text} not null,
        deleted_at bigint not null,
        deleted_by {text} not null
    )""",
    "create index trash_rid on trash (rid)",
    # Runs whose rows are gone and whose files are not yet.
    """create table disposals (
        run_id {text} primary key,
        storage_keys {blob} not null,
        purged_at bigint not null
    )""",
    """create table retention_rules (
        experiment {text} primary key,
        keep_last bigint,
        older_than_s double precision
    )""",
)

_LEASES: Final = (
    # Who says that it lives: a process with runs of its own, or a runner that executes runs
    # elsewhere. missed_at: since when it has not.
    """create table leases (
        owner_id {text} primary key,
        host {text} not null,
        expires_at bigint not null,
        missed_at bigint,
        signals bigint not null
    )""",
    # Runs that are executed elsewhere. wanted: that one shall end.
    """create table remote_runs (
        rid {key} references runs (rid) on delete cascade,
        runner_id {text} not null,
        sequence bigint not null,
        wanted {blob},
        place {text}
    )""",
    "create index remote_runs_runner on remote_runs (runner_id, rid)",
    # What one process alone may do for a while. A token is never given twice.
    """create table guards (
        name {text} primary key,
        holder {text} not null,
        token bigint not null,
        expires_at bigint not null
    )""",
)

MIGRATIONS: Final = (
    Migration(1, "first schema", _FIRST),
    Migration(2, "chunks with overviews", _POINTS),
    Migration(3, "indexes for finding runs", _FINDING),
    Migration(4, "assets", _ASSETS),
    Migration(5, "trash and retention", _UPKEEP),
    Migration(6, "leases of what runs elsewhere", _LEASES),
)
LATEST: Final = MIGRATIONS[-1].number

_TABLE: Final = """
create table if not exists migrations (
    number bigint primary key,
    name {text} not null,
    applied_at bigint not null
)"""
_NUMBER: Final = "select coalesce(max(number), 0) from migrations"
_RECORD: Final = "insert into migrations (number, name, applied_at) values (:number, :name, :at)"


def current(tx: Transaction) -> int:
    """The number of the last step that was applied; the table must exist."""
    row = tx.one(_NUMBER)
    return int(row[0]) if row else 0


def latest(steps: Sequence[Migration] | None = None) -> int:
    """The number of the last step; None for those of a workspace."""
    return (MIGRATIONS if steps is None else steps)[-1].number


def check_version(number: int, where: str, steps: Sequence[Migration] | None = None) -> None:
    """Refuse a database that a newer Headway wrote."""
    if number > latest(steps):
        raise StorageVersionError(
            f"the workspace at {where} has schema {number}, written by a newer Headway; this one "
            f"knows up to {latest(steps)}. Update it: pip install --upgrade headway"
        )


def apply_pending(
    tx: Transaction,
    dialect: Dialect,
    *,
    at: int,
    where: str,
    steps: Sequence[Migration] | None = None,
) -> int:
    """Apply what is missing, inside the caller's transaction, and return how many steps that was.

    Args:
        tx: A writing transaction.
        dialect: The words of this database.
        at: The time to record, in microseconds.
        where: The workspace, for the message of an error.
        steps: All steps of this kind of database; None for those of a workspace.
    """
    words = dialect._asdict()
    tx.run(_TABLE.format(**words))
    number = current(tx)
    check_version(number, where, steps)
    known = MIGRATIONS if steps is None else steps
    pending = [migration for migration in known if migration.number > number]
    for migration in pending:
        for statement in migration.statements:
            tx.run(statement.format(**words))
        tx.run(_RECORD, {"number": migration.number, "name": migration.name, "at": at})
    return len(pending)
