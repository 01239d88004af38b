"""What nobody needs any more, found while others write.

What is younger than a day is left alone: its writer may be about to write the row that names it.
What a lock tells for certain (folders of runs, journals, owners) is asked of the lock.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from headway.engines.folder import RunFolder
from headway.errors import RunNotFoundError, RunStateError
from headway.hosting import owners
from headway.hosting.claims import Claim
from headway.hosting.layout import Layout
from headway.metrics import drain
from headway.service.assets import AssetService
from headway.service.storage import Storage
from headway.service.upkeep import folders
from headway.service.upkeep.purging import Purger
from headway.service.upkeep.trash import Trash
from headway.service.uploads import UploadService
from headway.store import retention, runs, trash, unused
from headway.store.base import Database
from headway.upkeep import Garbage

_DAY_US: Final = 86_400_000_000
_NAMES_US: Final = 90 * _DAY_US
"""A journal of a run that ended so long ago does not come any more."""
_EXAMPLES: Final = 5
_UNFINISHED: Final = (".part-", "tmp")
"""How the names of files and folders begin that are being made."""


class _Item(NamedTuple):
    name: str
    size_bytes: int = 0


class Collector:
    """Finds garbage by kind, and removes it."""

    def __init__(
        self,
        database: Database,
        layout: Layout,
        storage: Storage,
        assets: AssetService,
        uploads: UploadService,
        trash: Trash,
        purger: Purger,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._layout = layout
        self._storage = storage
        self._assets = assets
        self._parts = uploads
        self._trash = trash
        self._purger = purger
        self._clock = clock

    def collect(self, *, dry_run: bool) -> list[Garbage]:
        """Remove everything that is not needed, or only say what that is."""
        remove = not dry_run
        kinds = {
            "retention": self._outside_rules,
            "purged runs": self._disposals,
            "run folders": self._strays,
            "uploads": self._uploads,
            "assets": self._asset_files,
            "snapshots": self._snapshot_files,
            "journals": self._journals,
            "journal names": self._names,
            "owner locks": self._owners,
        }
        found = [_garbage(kind, list(look(remove))) for kind, look in kinds.items()]
        return [one for one in found if one.count]

    # ------------------------------------------------------------ kinds

    def _outside_rules(self, remove: bool) -> Iterator[_Item]:
        """Runs that the retention rules do not keep; they go to the trash."""
        with self._database.read() as tx:
            rules = retention.rules(tx)
            going = [one for rule in rules for one in retention.outside(tx, rule, now=self._now)]
        for run_id in going:
            # Something below it may have begun by now, or somebody was first.
            with suppress(RunStateError, RunNotFoundError):
                if not remove or self._trash.delete([run_id]):
                    yield _Item(run_id)

    def _disposals(self, remove: bool) -> Iterator[_Item]:
        """Files of runs whose purge was interrupted."""
        with self._database.read() as tx:
            left = trash.disposals(tx)
        for one in left:
            yield _Item(one.run_id, folders.size_of(self._layout.run(one.run_id)))
        if remove and left:
            self._purger.finish()

    def _strays(self, remove: bool) -> Iterator[_Item]:
        """Folders of runs that never came to be: whoever may still make one holds its lock."""
        for path in folders.entries(self._layout.runs):
            if not path.is_dir() or self._is_known(path.name) or not self._is_old(path):
                continue
            folder = RunFolder(path)
            if not remove:
                if not (folder.lock_file.exists() and folder.alive()):
                    yield _Item(path.name, folders.size_of(path))
                continue
            claim = Claim.of(folder)
            if claim is None:
                continue
            with closing(claim):
                if not self._is_known(path.name):
                    yield _Item(path.name, folders.size_of(path))
                    folders.remove(path)

    def _uploads(self, remove: bool) -> Iterator[_Item]:
        """What was interrupted on its way in: parts, files that no row names, files half made."""
        for one in self._parts.collect(self._now - _DAY_US, dry_run=not remove):
            yield _Item(one.upload_id, one.size_bytes)
        with self._database.read() as tx:
            run_ids = [path.name for path in folders.entries(self._layout.runs)]
            known = [one for one in run_ids if runs.rid_of(tx, one) is not None]
        if not self._storage.shared:  # a bucket would have to be asked about every run there is
            for run_id in known:
                yield from self._unnamed(run_id, remove)
        yield from self._unfinished(known, remove)

    def _unnamed(self, run_id: str, remove: bool) -> Iterator[_Item]:
        before = self._now - _DAY_US
        old = [one for one in self._storage.files.found(run_id) if one.modified_at <= before]
        if not old:
            return
        with self._database.read() as tx:  # after the listing, so that no row can be missed
            named = unused.storage_keys(tx, run_id)
        for one in old:
            if one.key not in named:
                yield _Item(f"{run_id}/{one.key}", one.size_bytes)
                if remove:
                    self._storage.files.remove(run_id, one.key)

    def _unfinished(self, run_ids: list[str], remove: bool) -> Iterator[_Item]:
        places = [self._layout.root, self._layout.runs, self._layout.snapshots]
        places += [self._layout.assets / "content" / "files"]
        for run_id in run_ids:
            places += [self._layout.run(run_id), self._layout.run(run_id) / "files"]
        for path in (path for place in places for path in folders.entries(place)):
            if path.name.startswith(_UNFINISHED) and self._is_old(path):
                yield _Item(str(path.relative_to(self._layout.root)), folders.size_of(path))
                if remove:
                    folders.remove(path)

    def _asset_files(self, remove: bool) -> Iterator[_Item]:
        """Bytes that no asset holds."""
        for one in self._assets.unused(remove=remove):
            yield _Item(one.key, one.size_bytes)

    def _snapshot_files(self, remove: bool) -> Iterator[_Item]:
        """Contents of source directories that no run has."""
        with self._database.read() as tx:
            kept = trash.snapshot_ids(tx)
        store = self._storage.snapshots
        for blob in store.remove_unused(kept) if remove else store.unused(kept):
            yield _Item(blob.blake3, blob.size_bytes)

    def _journals(self, remove: bool) -> Iterator[_Item]:
        """Journals of runs that are not there, whose writers are dead."""
        for path in folders.entries(self._layout.journals):
            if self._is_known(path.name) or not self._is_old(path):
                continue
            if any(one.alive for one in drain.journals_of(self._layout.journals, path.name)):
                continue
            yield _Item(path.name, folders.size_of(path))
            if remove:
                folders.remove(path)

    def _names(self, remove: bool) -> Iterator[_Item]:
        """What journals defined whose runs ended long ago."""
        with self._database.read() as tx:
            old = unused.old_names(tx, self._now - _NAMES_US)
        for writer_id, run_id, size in old:
            if (self._layout.journals / run_id).exists():
                continue
            yield _Item(writer_id, size)
            if remove:
                with self._database.write() as tx:
                    unused.remove_names(tx, writer_id)

    def _owners(self, remove: bool) -> Iterator[_Item]:
        """Lock files of processes that are gone."""
        for path in folders.entries(self._layout.owners):
            if self._is_old(path) and not owners.is_alive(path):
                yield _Item(path.name, folders.size_of(path))
                if remove:
                    folders.remove(path)

    # ------------------------------------------------------------ questions

    @property
    def _now(self) -> int:
        return self._clock()

    def _is_known(self, run_id: str) -> bool:
        with self._database.read() as tx:
            return runs.rid_of(tx, run_id) is not None

    def _is_old(self, path: Path) -> bool:
        return folders.changed_at(path) * 1e6 <= self._now - _DAY_US


def _garbage(kind: str, items: list[_Item]) -> Garbage:
    return Garbage(
        kind=kind,
        count=len(items),
        size_bytes=sum(one.size_bytes for one in items),
        examples=[one.name for one in items[:_EXAMPLES]],
    )
