"""Runs put into the trash and taken out of it."""

from collections.abc import Callable, Sequence

from headway.errors import RunStateError
from headway.service.creation import Identity
from headway.service.liveness import Liveness
from headway.service.lookup import find_run
from headway.store import trash
from headway.store.base import Database, Transaction
from headway.store.trash import Member


class Trash:
    """Deletes runs so that they can be restored."""

    def __init__(
        self,
        database: Database,
        liveness: Liveness,
        identity: Identity,
        clock: Callable[[], int],
    ) -> None:
        self._database = database
        self._liveness = liveness
        self._identity = identity
        self._clock = clock

    def delete(self, run_ids: Sequence[str]) -> list[str]:
        """Put runs into the trash with all runs below them; the ids of those that went now."""
        with self._database.read() as tx:
            for run_id in run_ids:
                find_run(tx, run_id)
        self._liveness.refresh_all()  # one whose process is gone has ended, and can go
        gone: list[str] = []
        with self._database.write() as tx:
            for run_id in run_ids:
                gone += self._delete(tx, run_id)
        return gone

    def restore(self, run_ids: Sequence[str]) -> list[str]:
        """Take runs out of the trash with those that went with them; the ids of all of these."""
        back: list[str] = []
        with self._database.write() as tx:
            for run_id in run_ids:
                back += _restore(tx, run_id)
        return back

    def _delete(self, tx: Transaction, run_id: str) -> list[str]:
        find_run(tx, run_id)
        members = trash.tree(tx, run_id)
        _refuse_living(run_id, members)
        if trash.holds(tx, members[-1].rid):
            return []
        going = [one for one in reversed(members) if not trash.holds(tx, one.rid)]
        trash.put(tx, going, run_id, at=self._clock(), by=self._identity.actor)
        return [one.id for one in going]


def _refuse_living(run_id: str, members: Sequence[Member]) -> None:
    living = [one.id for one in members if not one.ended]
    if living == [run_id]:
        raise RunStateError(
            f"run {run_id} has not ended and cannot be deleted: cancel it first, with "
            f"'headway cancel {run_id}'"
        )
    if living:
        others = f" and {len(living) - 1} more" if living[1:] else ""
        raise RunStateError(
            f"run {run_id} cannot be deleted: {living[0]}{others} below it has not ended; cancel "
            "what goes on first"
        )


def _restore(tx: Transaction, run_id: str) -> list[str]:
    stored = find_run(tx, run_id)
    if stored.run.deleted_at is None:
        return []
    parent = stored.run.parent_id
    if parent is not None and find_run(tx, parent).run.deleted_at is not None:
        cause = trash.cause(tx, stored.rid)
        advice = f"restore {parent} first" if cause == run_id else f"restore {cause} with all of it"
        raise RunStateError(
            f"run {run_id} cannot be restored while its parent {parent} is in the trash: {advice}"
        )
    # One that went with a parent which was purged or restored without it comes alone.
    back = trash.taken_with(tx, run_id) or [(stored.rid, run_id)]
    trash.take_out(tx, [rid for rid, _ in back])
    return [one for _, one in back]
