"""Registered assets: statements."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from headway.assets import Asset, AssetKind, AssetQuery
from headway.model import FileEntry
from headway.store.base import Parameters, Transaction

_COLUMNS: Final = (
    "id, kind, name, version, created_at, created_by, description, definition, tags, properties, "
    "labels, run_id, experiment_name, size_bytes"
)
_NEXT: Final = """
insert into asset_names (kind, name, last_version) values (:kind, :name, 1)
on conflict (kind, name) do update set last_version = asset_names.last_version + 1
returning last_version"""
_INSERT: Final = f"""
insert into assets ({_COLUMNS}) values (:id, :kind, :name, :version, :created_at, :created_by,
    :description, :definition, :tags, :properties, :labels, :run_id, :experiment_name, :size_bytes)
"""
_UPDATE: Final = """
update assets set description = :description, definition = :definition, tags = :tags,
    properties = :properties, labels = :labels where id = :id"""
_BY_ID: Final = f"select {_COLUMNS} from assets where id = :id"
_VERSION: Final = f"""
select {_COLUMNS} from assets where kind = :kind and name = :name and version = :version"""
_LATEST: Final = f"""
select {_COLUMNS} from assets where kind = :kind and name = :name order by version desc limit 1"""
_LATER: Final = """version = (
    select max(b.version) from assets as b where b.kind = a.kind and b.name = a.name)"""
_DELETE: Final = "delete from assets where id = :id"
_ADD_FILE: Final = """
insert into asset_files (asset_id, path, storage_key, size_bytes, blake3)
values (:asset_id, :path, :storage_key, :size_bytes, :blake3)"""
_FILES: Final = """
select path, size_bytes, blake3, storage_key from asset_files where asset_id = :id order by path"""
_HELD: Final = "select 1 from asset_files where storage_key = :key limit 1"


class AssetFileRow(msgspec.Struct, frozen=True):
    """A file of an asset with the key under which its bytes are kept."""

    path: str
    size_bytes: int
    blake3: str
    storage_key: str

    def entry(self, created_at: int) -> FileEntry:
        """The file as callers see it."""
        return FileEntry(self.path, self.size_bytes, self.blake3, created_at)


def next_version(tx: Transaction, kind: AssetKind, name: str) -> int:
    """Take the next number of a name."""
    row = tx.one(_NEXT, {"kind": kind, "name": name})
    assert row is not None, name  # noqa: S101  an upsert returns its row
    return int(row[0])


def insert(tx: Transaction, asset: Asset, files: Iterable[AssetFileRow]) -> None:
    """Add a version with its files."""
    tx.run(_INSERT, _parameters(asset))
    tx.many(_ADD_FILE, [{"asset_id": asset.id, **msgspec.structs.asdict(one)} for one in files])


def update(tx: Transaction, asset: Asset) -> None:
    """Write what may change of an asset."""
    names = ("id", "description", "definition", "tags", "properties", "labels")
    values = _parameters(asset)
    tx.run(_UPDATE, {name: values[name] for name in names})


def delete(tx: Transaction, asset_id: str) -> None:
    """Remove a version; its files' bytes are the caller's business."""
    tx.run(_DELETE, {"id": asset_id})


def by_id(tx: Transaction, asset_id: str) -> Asset | None:
    """One version by its id."""
    row = tx.one(_BY_ID, {"id": asset_id})
    return _asset(row) if row else None


def by_version(tx: Transaction, kind: AssetKind, name: str, version: int) -> Asset | None:
    """One version of a name."""
    row = tx.one(_VERSION, {"kind": kind, "name": name, "version": version})
    return _asset(row) if row else None


def latest(tx: Transaction, kind: AssetKind, name: str) -> Asset | None:
    """The last version of a name that was not deleted."""
    row = tx.one(_LATEST, {"kind": kind, "name": name})
    return _asset(row) if row else None


def listed(tx: Transaction, query: AssetQuery) -> list[Asset]:
    """Assets by name, newest version first; the conditions on labels are not looked at."""
    names = ("kind", "name", "version", "run_id")
    given = {name: getattr(query, name) for name in names}
    parameters: Parameters = {name: value for name, value in given.items() if value is not None}
    # Only what is asked for: a condition that may be absent could not use an index.
    conditions = [f"{name} = :{name}" for name in parameters]
    if query.latest:
        conditions.append(_LATER)
    statement = (
        f"select {_COLUMNS} from assets as a where {' and '.join(conditions)} "
        "order by name, version desc"
    )
    return [_asset(row) for row in tx.all(statement, parameters)]


def files_of(tx: Transaction, asset_id: str) -> list[AssetFileRow]:
    """The files of an asset by name."""
    return [AssetFileRow(*row) for row in tx.all(_FILES, {"id": asset_id})]


def is_held(tx: Transaction, storage_key: str) -> bool:
    """Whether any asset has a file with these bytes."""
    return tx.one(_HELD, {"key": storage_key}) is not None


def _parameters(asset: Asset) -> Parameters:
    written = {
        name: msgspec.json.encode(getattr(asset, name)).decode()
        for name in ("definition", "tags", "properties", "labels")
    }
    return {**msgspec.structs.asdict(asset), **written}


def _asset(row: tuple[Any, ...]) -> Asset:
    return Asset(
        id=row[0],
        kind=row[1],
        name=row[2],
        version=row[3],
        created_at=row[4],
        created_by=row[5],
        description=row[6],
        definition=msgspec.json.decode(row[7], type=dict[str, object]),
        tags=msgspec.json.decode(row[8], type=dict[str, str | None]),
        properties=msgspec.json.decode(row[9], type=dict[str, str | None]),
        labels=msgspec.json.decode(row[10], type=list[str]),
        run_id=row[11],
        experiment_name=row[12],
        size_bytes=row[13],
    )
