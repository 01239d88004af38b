"""Finding a run by its id, or saying that there is none."""

from headway.errors import RunNotFoundError
from headway.store import runs
from headway.store.base import Transaction
from headway.store.runs import StoredRun


def find_run(tx: Transaction, run_id: str) -> StoredRun:
    """One run."""
    found = runs.by_id(tx, run_id)
    if found is None:
        raise _absent(run_id)
    return found


def find_rid(tx: Transaction, run_id: str) -> int:
    """The key of a run's rows."""
    rid = runs.rid_of(tx, run_id)
    if rid is None:
        raise _absent(run_id)
    return rid


def _absent(run_id: str) -> RunNotFoundError:
    return RunNotFoundError(
        f"there is no run {run_id!r} in this workspace; 'headway list' shows what there is"
    )
