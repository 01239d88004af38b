"""Runs removed for good.

A run's rows go in one transaction, which notes that its files are to go; then the files go, and the
note. Whoever is killed in between has removed the run, and the next purge removes what was left.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from headway.engines.folder import RunFolder
from headway.errors import RunStateError
from headway.hosting.layout import Layout
from headway.metrics import drain
from headway.service.lookup import find_run
from headway.service.storage import Storage
from headway.service.upkeep import folders
from headway.store import runs, trash
from headway.store.base import CompactableDatabase, Database, Transaction
from headway.store.trash import Disposal, Member
from headway.upkeep import Purged, PurgeOrder

_SECOND: Final = 1_000_000


class _Count(msgspec.Struct):
    """What has gone so far."""

    run_ids: list[str] = msgspec.field(default_factory=list[str])
    kept: list[str] = msgspec.field(default_factory=list[str])
    rows: int = 0
    database_bytes: int = 0
    file_bytes: int = 0


class Purger:
    """Removes runs of the trash with everything that is theirs."""

    def __init__(
        self,
        database: Database,
        layout: Layout,
        storage: Storage,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._layout = layout
        self._storage = storage
        self._clock = clock

    def purge(self, order: PurgeOrder) -> Purged:
        """Remove runs of the trash for good, as far as the order goes."""
        before = self._clock() - int(order.older_than_s * _SECOND)
        with self._database.read() as tx:
            tops = _named(tx, order.run_ids) if order.run_ids else trash.tops(tx, before)
        now, left = tops[: max(1, order.limit)], tops[max(1, order.limit) :]
        count = _Count()
        if not order.dry_run:
            count.file_bytes += self.finish()
        for run_id in now:
            self._purge_tree(run_id, count, order)
        purged = Purged(
            run_ids=count.run_ids,
            rows=count.rows,
            database_bytes=count.database_bytes,
            file_bytes=count.file_bytes,
            kept=count.kept,
            left=len(left),
        )
        return purged if left else self._with_snapshots(purged, order)

    def finish(self) -> int:
        """Remove the files of runs whose purge was interrupted; how many bytes that were."""
        with self._database.read() as tx:
            left = trash.disposals(tx)
        return sum(self._dispose(one) for one in left)

    # ------------------------------------------------------------ inside

    def _purge_tree(self, run_id: str, count: _Count, order: PurgeOrder) -> None:
        with self._database.read() as tx:
            members = trash.tree(tx, run_id)
        busy = [
            one.id
            for one in members
            if not one.ended or one.id in order.spare or self._is_written(one.id)
        ]
        if busy:
            count.kept += busy
            return
        for member in members:  # the deepest first: no run ever stands without its parent
            if order.dry_run:
                self._measure(member, count)
            else:
                self._purge(member, count)

    def _purge(self, member: Member, count: _Count) -> None:
        with self._database.read() as tx:
            held = trash.database_bytes(tx, member.rid)
        with self._database.write() as tx:
            # It may have been restored, or purged by somebody else, while the others went.
            if runs.rid_of(tx, member.id) != member.rid or not trash.holds(tx, member.rid):
                return
            keys = trash.storage_keys(tx, member.rid)
            count.rows += trash.purge(tx, member, at=self._clock())
        count.run_ids.append(member.id)
        count.database_bytes += held
        count.file_bytes += self._dispose(Disposal(member.id, keys))

    def _measure(self, member: Member, count: _Count) -> None:
        with self._database.read() as tx:
            count.rows += trash.count_rows(tx, member.rid)
            count.database_bytes += trash.database_bytes(tx, member.rid)
        count.run_ids.append(member.id)
        count.file_bytes += self._size(member.id)

    def _dispose(self, disposal: Disposal) -> int:
        """Remove the files of a run that is gone; how many bytes they had."""
        run_id = disposal.run_id
        with self._database.read() as tx:
            made_again = runs.rid_of(tx, run_id) is not None
        size = 0 if made_again else self._size(run_id)
        if not made_again:
            for key in disposal.storage_keys:
                self._storage.files.remove(run_id, key)
            self._storage.logs.remove(run_id)
            for place in self._places(run_id):
                folders.remove(place)
        with self._database.write() as tx:
            trash.disposed(tx, run_id)
        return size

    def _places(self, run_id: str) -> tuple[Path, Path]:
        """What of a run is on this machine."""
        return self._layout.run(run_id), self._layout.journals / run_id

    def _size(self, run_id: str) -> int:
        """The bytes of all files of a run."""
        size = sum(map(folders.size_of, self._places(run_id)))
        if self._storage.shared:  # they are elsewhere then
            size += sum(one.size_bytes for one in self._storage.files.found(run_id))
            size += sum(one.size_bytes for one in self._storage.logs.list(run_id))
        return size

    def _is_written(self, run_id: str) -> bool:
        """Whether a process has the run's folder or one of its journals in its hands."""
        if any(one.alive for one in drain.journals_of(self._layout.journals, run_id)):
            return True
        folder = RunFolder(self._layout.run(run_id))
        return folder.lock_file.exists() and folder.alive()

    def _with_snapshots(self, purged: Purged, order: PurgeOrder) -> Purged:
        """Remove what only these runs were made from, and give room back to the disk."""
        with self._database.read() as tx:
            going = set(purged.run_ids) if order.dry_run else set[str]()
            kept = trash.snapshot_ids(tx, without=going)
        if order.dry_run:
            gone = self._storage.snapshots.unused(kept)
        else:
            gone = self._storage.snapshots.remove_unused(kept)
        compacted = 0
        if order.compact and not order.dry_run and isinstance(self._database, CompactableDatabase):
            compacted = self._database.compact()
        return msgspec.structs.replace(
            purged,
            snapshots=len(gone),
            snapshot_bytes=sum(blob.size_bytes for blob in gone),
            compacted_bytes=compacted,
        )


def _named(tx: Transaction, run_ids: Sequence[str]) -> list[str]:
    for run_id in run_ids:
        if find_run(tx, run_id).run.deleted_at is None:
            raise RunStateError(
                f"run {run_id} is not in the trash and cannot be purged: delete it first, with "
                f"'headway delete {run_id}'"
            )
    return list(dict.fromkeys(run_ids))
