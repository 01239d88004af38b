"""What a runner says of a run, brought into the database."""

from typing import Final

from headway.hosting.observing import RUNNER
from headway.model import TRANSITIONS, Status
from headway.runners import RunnerReport
from headway.service import transitions
from headway.store import runs
from headway.store.base import Transaction
from headway.store.runs import StoredRun

_SAME_CLOCK_US: Final = 2_000_000
"""A smaller difference is what sending takes."""


def says_more(stored: StoredRun, report: RunnerReport) -> bool:
    """Whether a report may change a run."""
    if report.started_at is not None and stored.run.started_at is None:
        return True
    return report.status in TRANSITIONS[stored.run.status]


def apply(tx: Transaction, stored: StoredRun, report: RunnerReport, *, now: int) -> StoredRun:
    """Change a run as a report says, as far as its status allows; the run after it."""
    current = runs.by_id(tx, stored.run.id) or stored
    if current.run.status.ended:
        return current
    ahead = _ahead(report, now)
    if report.started_at is not None and current.run.started_at is None:
        began = transitions.move(
            tx,
            current,
            Status.RUNNING,
            at=report.started_at - ahead,
            actor=RUNNER,
            reason="program started",
        )
        current = began or current
    if report.status is current.run.status:
        return current
    moved = transitions.move(
        tx,
        current,
        report.status,
        at=now if report.at is None else report.at - ahead,
        actor=report.actor,
        reason=report.reason,
        error=report.error,
    )
    return moved or current


def _ahead(report: RunnerReport, now: int) -> int:
    """By how much the clock of the runner is ahead of that of the workspace."""
    ahead = 0 if report.sent_at is None else report.sent_at - now
    return ahead if abs(ahead) > _SAME_CLOCK_US else 0
