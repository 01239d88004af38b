"""The only place where a run's status changes.

Each change is a compare-and-set against ``model.TRANSITIONS``, in the same transaction as the event
that says who, when and why.
"""

from msgspec.structs import replace

from headway.errors import RunStateError
from headway.model import ENDED, TRANSITIONS, Run, RunError, Status
from headway.store import runs
from headway.store.base import Transaction
from headway.store.runs import StoredRun


def move(
    tx: Transaction,
    stored: StoredRun,
    status: Status,
    *,
    at: int,
    actor: str,
    reason: str = "",
    error: RunError | None = None,
) -> StoredRun | None:
    """Change a run's status, as read in this transaction.

    Returns:
        The run after it, or None where the table does not allow the step or somebody was first.
    """
    run = stored.run
    if status not in TRANSITIONS[run.status]:
        return None
    moved = replace(
        run,
        status=status,
        started_at=_started_at(run, status, at),
        ended_at=(run.ended_at or at) if status in ENDED else None,
        error=error or run.error,
    )
    if not runs.move(tx, stored.rid, run.status, moved):
        return None
    runs.add_event(
        tx,
        stored.rid,
        at=at,
        status=status,
        previous=run.status,
        actor=actor,
        reason=reason,
    )
    tx.ring(f"run:{run.id}")
    return StoredRun(stored.rid, moved)


def move_or_refuse(
    tx: Transaction,
    stored: StoredRun,
    status: Status,
    *,
    at: int,
    actor: str,
    reason: str = "",
    error: RunError | None = None,
) -> StoredRun:
    """``move``, for a caller who asked for exactly this step.

    Raises:
        RunStateError: The run's status does not allow it.
    """
    moved = move(tx, stored, status, at=at, actor=actor, reason=reason, error=error)
    if moved is None:
        raise RunStateError(
            f"run {stored.run.id} is {stored.run.status} and cannot become {status}; "
            f"{_advice(stored.run)}"
        )
    return moved


def _started_at(run: Run, status: Status, at: int) -> int | None:
    if run.started_at is None and status is Status.RUNNING:
        return at
    return run.started_at


def _advice(run: Run) -> str:
    if run.status in ENDED:
        return "a run that has ended stays as it is: start another one"
    allowed = ", ".join(sorted(status.value for status in TRANSITIONS[run.status]))
    return f"from {run.status} it can become {allowed}"
