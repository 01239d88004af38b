"""Registered assets of an embedded workspace."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Final

from msgspec import UNSET
from msgspec.structs import replace

from headway.assets import ANONYMOUS, Asset, AssetChange, AssetKind, AssetQuery, NewAsset
from headway.checks import check_labels, check_name, check_run_id, check_text
from headway.errors import (
    AssetNotFoundError,
    ConflictError,
    InvalidValueError,
    ModelNotFoundError,
    PropertyConflictError,
)
from headway.files.base import KeptFile
from headway.model import FileEntry
from headway.service.asset_files import AssetFiles, Source
from headway.service.creation import Identity
from headway.service.lookup import find_run
from headway.settings import Settings
from headway.snapshots.unused import exclusive_lock, shared_lock
from headway.store import assets
from headway.store.assets import AssetFileRow
from headway.store.base import Database, Transaction

_MAX_NAME_CHARS: Final = 255
_MOST_NAMED: Final = 10
_DAY_US: Final = 86_400_000_000


class AssetService:
    """Implements ``headway.api.Assets``."""

    def __init__(
        self,
        database: Database,
        lock: Path,
        files: AssetFiles,
        settings: Settings,
        identity: Identity,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._files = files
        self._lock = lock
        self._settings = settings
        self._identity = identity
        self._clock = clock

    def register(self, new: NewAsset, source: Source | None = None) -> Asset:
        """Make the next version of an asset, with the files of a source."""
        self._check(new)
        known = self._known(new)
        if known is not None:
            return known
        # Until the rows name the bytes, nobody may take them for unused.
        with shared_lock(self._lock):
            rows = [] if source is None else self._files.keep(source)
            with self._database.write() as tx:
                asset = self._find_known(tx, new) or self._insert(tx, new, rows)
        self._files.release(source)
        return asset

    def get(self, kind: AssetKind, name: str, version: int | None = None) -> Asset:
        """One version of a name; None for the latest."""
        with self._database.read() as tx:
            if version is None:
                found = assets.latest(tx, kind, name)
            else:
                found = assets.by_version(tx, kind, name, version)
            return found or _fail(tx, kind, name, version)

    def find(self, asset_id: str) -> Asset:
        """One version by its id."""
        with self._database.read() as tx:
            return _by_id(tx, asset_id)

    def change(self, asset_id: str, change: AssetChange) -> Asset:
        """Apply a change as a whole and return the asset after it."""
        self._check_labels(change.set_tags, change.add_properties)
        for label in change.add_labels:
            check_name("label", label, _MAX_NAME_CHARS)
        with self._database.write() as tx:
            asset = _by_id(tx, asset_id)
            changed = _changed(asset, change)
            self._check_count(changed)
            if change.add_labels:
                _take_labels(tx, asset, {*change.add_labels})
            assets.update(tx, changed)
        return changed

    def delete(self, asset_id: str) -> None:
        """Remove one version, and the bytes that no other asset holds."""
        with exclusive_lock(self._lock):
            with self._database.write() as tx:
                _by_id(tx, asset_id)
                keys = {row.storage_key for row in assets.files_of(tx, asset_id)}
                assets.delete(tx, asset_id)
                unused = [key for key in keys if not assets.is_held(tx, key)]
            # Where others may be about to hold them, what is unused goes when it is a day old.
            for key in () if self._files.is_shared else unused:
                self._files.remove(key)

    def unused(self, *, remove: bool) -> Sequence[KeptFile]:
        """The bytes that no asset holds, as an interrupted registration leaves them.

        Args:
            remove: Whether they are removed.
        """
        with exclusive_lock(self._lock):
            found = self._files.found()
            if self._files.is_shared:
                old = self._clock() - _DAY_US
                found = [one for one in found if one.modified_at <= old]
            with self._database.read() as tx:
                gone = [one for one in found if not assets.is_held(tx, one.key)]
            for one in gone if remove else ():
                self._files.remove(one.key)
        return gone

    def files(self, asset_id: str) -> list[FileEntry]:
        """The files of a version by name."""
        with self._database.read() as tx:
            created_at = _by_id(tx, asset_id).created_at
            return [row.entry(created_at) for row in assets.files_of(tx, asset_id)]

    def open(self, asset_id: str, path: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of a file."""
        with self._database.read() as tx:
            asset = _by_id(tx, asset_id)
            rows = {row.path: row for row in assets.files_of(tx, asset_id)}
        if path not in rows:
            names = ", ".join([*rows][:_MOST_NAMED]) or "none"
            raise _not_found(asset.kind)(
                f"{asset.kind} {asset.name!r}, version {asset.version}, has no file {path!r}; its "
                f"files are: {names}"
            )
        what = f"the file {path!r} of {asset.kind} {asset.name!r}, version {asset.version},"
        return self._files.open(rows[path], what)

    # ------------------------------------------------------------

    def _check(self, new: NewAsset) -> None:
        check_run_id(new.id)
        check_name(f"{new.kind} name", new.name, _MAX_NAME_CHARS)
        self._check_labels(new.tags, new.properties)
        if new.description is not None:
            check_text("description", new.description, self._settings.max_description_chars)

    def _check_labels(
        self, tags: Mapping[str, str | None], properties: Mapping[str, str | None]
    ) -> None:
        for kind, labels in (("tag", tags), ("property", properties)):
            check_labels(
                kind,
                labels,
                key_limit=self._settings.max_label_key_chars,
                value_limit=self._settings.max_label_value_chars,
            )

    def _check_count(self, asset: Asset) -> None:
        for kind, labels in (("tags", asset.tags), ("properties", asset.properties)):
            if len(labels) > self._settings.max_labels:
                raise InvalidValueError(
                    f"{asset.kind} {asset.name!r} would have {len(labels)} {kind}; at most "
                    f"{self._settings.max_labels} are accepted (HEADWAY_MAX_LABELS)"
                )

    def _known(self, new: NewAsset) -> Asset | None:
        with self._database.read() as tx:
            return self._find_known(tx, new)

    def _find_known(self, tx: Transaction, new: NewAsset) -> Asset | None:
        """What the request made before, or what does as well."""
        known = assets.by_id(tx, new.id)
        if known is not None:
            if (known.kind, known.name) != (new.kind, new.name):
                raise ConflictError(
                    f"the id {new.id!r} is that of {known.kind} {known.name!r}: give another one"
                )
            return known
        if new.reuse:
            latest = assets.latest(tx, new.kind, new.name)
            if latest is not None and latest.definition == new.definition:
                return latest
        return None

    def _insert(self, tx: Transaction, new: NewAsset, rows: list[AssetFileRow]) -> Asset:
        run = None if new.run_id is None else find_run(tx, new.run_id).run
        asset = Asset(
            id=new.id,
            kind=new.kind,
            name=new.name,
            version=assets.next_version(tx, new.kind, new.name),
            created_at=self._clock(),
            created_by=self._identity.actor,
            description=new.description,
            definition=new.definition,
            tags=new.tags,
            properties=new.properties,
            run_id=new.run_id,
            experiment_name=None if run is None else run.experiment_name,
            size_bytes=sum(row.size_bytes for row in rows),
        )
        self._check_count(asset)
        assets.insert(tx, asset, rows)
        return asset

    def list(  # the last of the class: its name is that of the type
        self, query: AssetQuery
    ) -> list[Asset]:
        """Assets by name, the newest version of each first."""
        with self._database.read() as tx:
            found = assets.listed(tx, query)
        return [
            one
            for one in found
            if _fits(one.tags, query.tags, query.has_tags)
            and _fits(one.properties, query.properties, query.has_properties)
        ]


def _changed(asset: Asset, change: AssetChange) -> Asset:
    gone = {*change.remove_tags}
    tags = {key: value for key, value in asset.tags.items() if key not in gone}
    for key, value in change.add_properties.items():
        if asset.properties.get(key, value) != value:
            raise PropertyConflictError(
                f"property {key!r} of {asset.kind} {asset.name!r}, version {asset.version}, is "
                f"{asset.properties[key]!r} and cannot become {value!r}: use a tag for what changes"
            )
    changed = replace(
        asset,
        tags={**tags, **change.set_tags},
        properties={**asset.properties, **change.add_properties},
        labels=sorted({*asset.labels, *change.add_labels}),
    )
    if change.description is not UNSET:
        changed = replace(changed, description=change.description)
    if change.definition is not UNSET:
        changed = replace(changed, definition=change.definition)
    return changed


def _take_labels(tx: Transaction, asset: Asset, labels: set[str]) -> None:
    for other in assets.listed(tx, AssetQuery(asset.kind, name=asset.name)):
        if other.id != asset.id and labels & {*other.labels}:
            kept = [label for label in other.labels if label not in labels]
            assets.update(tx, replace(other, labels=kept))


def _fits(
    labels: Mapping[str, str | None], wanted: Mapping[str, str | None], keys: list[str]
) -> bool:
    return wanted.items() <= labels.items() and {*keys} <= labels.keys()


def _by_id(tx: Transaction, asset_id: str) -> Asset:
    found = assets.by_id(tx, asset_id)
    if found is None:
        raise AssetNotFoundError(
            f"there is no model, environment, dataset or datastore with the id {asset_id!r} in "
            "this workspace: it was deleted, or belongs to another one"
        )
    return found


def _fail(tx: Transaction, kind: AssetKind, name: str, version: int | None) -> Asset:
    same = assets.listed(tx, AssetQuery(kind, name=name))
    if same:
        versions = ", ".join(str(one.version) for one in same[:_MOST_NAMED])
        raise _not_found(kind)(f"{kind} {name!r} has no version {version}; there are: {versions}")
    listed = assets.listed(tx, AssetQuery(kind, latest=True))
    names = sorted(one.name for one in listed if not one.name.startswith(ANONYMOUS))
    shown = ", ".join(map(repr, names[:_MOST_NAMED])) or "none"
    raise _not_found(kind)(f"there is no {kind} {name!r} in this workspace; there are: {shown}")


def _not_found(kind: AssetKind) -> type[AssetNotFoundError]:
    return ModelNotFoundError if kind == "model" else AssetNotFoundError
