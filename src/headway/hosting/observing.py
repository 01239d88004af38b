"""Where a run of this machine stands, told from its folder in the words of the model."""

from typing import Final

from headway.engines.base import Engine
from headway.engines.folder import RunFolder, ShimRecord
from headway.model import RunError, Status
from headway.runners import RunnerReport

RECOVERY: Final = "recovery"
RUNNER: Final = "runner"
_OUTCOMES: Final = {
    "Completed": Status.COMPLETED,
    "Failed": Status.FAILED,
    "Canceled": Status.CANCELED,
}
_LOST: Final = RunError(
    code="FolderLost",
    message="the folder of this run was removed while it was executed; what its program did since "
    "is not known",
)
FOLDER_LOST: Final = RunnerReport(
    sequence=0,
    status=Status.FAILED,
    reason=_LOST.message,
    actor=RECOVERY,
    error=_LOST,
)
_MEANWHILE: Final = {
    Status.QUEUED: "waits for slots",
    Status.STARTING: "a runner has it",
    Status.CANCEL_REQUESTED: "asked to cancel",
    Status.FINALIZING: "its program is being ended",
    Status.RUNNING: "its runner goes on",
    Status.NOT_RESPONDING: "its runner is stopped: a SIGCONT lets it go on, a cancel too",
}
"""Why a run stands where it does, where its runner says no more."""


def look(engine: Engine, folder: RunFolder) -> RunnerReport | None:
    """Where a run stands now, without a number; None where nothing is known yet.

    A run whose shim is dead is ended first, with all that it left.
    """
    if not folder.path.exists():
        return FOLDER_LOST
    [seen] = engine.poll([folder])
    record = engine.recover(folder) if seen.abandoned else seen.record
    if seen.queued:
        return RunnerReport(sequence=0, status=Status.QUEUED, reason=_MEANWHILE[Status.QUEUED])
    if record is None:
        return None
    if record.ended:
        return _end(record)
    if seen.stopped:
        return RunnerReport(
            sequence=0,
            status=Status.NOT_RESPONDING,
            reason=_MEANWHILE[Status.NOT_RESPONDING],
            actor=RECOVERY,
            started_at=record.started_at,
        )
    status = _status_of(record, folder)
    return RunnerReport(
        sequence=0,
        status=status,
        reason=record.message or _MEANWHILE[status],
        actor=record.by or RUNNER,
        at=record.ending_at,
        started_at=record.started_at,
    )


def _end(record: ShimRecord) -> RunnerReport:
    return RunnerReport(
        sequence=0,
        status=_OUTCOMES[record.outcome or "Failed"],
        reason=_reason(record),
        actor=record.by or RUNNER,
        at=record.ended_at,
        started_at=record.started_at,
        error=_error(record),
    )


def _status_of(record: ShimRecord, folder: RunFolder) -> Status:
    if record.phase == "Starting":
        return Status.STARTING
    if record.phase == "Running":
        return Status.RUNNING
    intent = folder.standing_intent()
    canceled = intent is not None and intent.outcome == "Canceled"
    return Status.CANCEL_REQUESTED if canceled else Status.FINALIZING


def _error(record: ShimRecord) -> RunError | None:
    if record.outcome != "Failed":
        return None
    return RunError(
        code=record.error_code or "ExitCode",
        message=_reason(record),
        exit_code=record.exit_code,
        signal=record.signal,
    )


def _reason(record: ShimRecord) -> str:
    if record.outcome == "Completed":
        return "; ".join(filter(None, ["the program exited with code 0", record.message]))
    return record.message
