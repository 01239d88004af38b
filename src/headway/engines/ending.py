"""How a run ended, in the words of its record. Pure functions of what was seen."""

import signal
import time
from dataclasses import dataclass, replace

from headway.engines.folder import Intent, Outcome, ShimRecord
from headway.engines.launching import FailedRank


@dataclass(frozen=True, kw_only=True)
class Ending:
    """What the final record says."""

    outcome: Outcome
    error_code: str | None = None
    message: str = ""
    exit_code: int | None = None
    signal: int | None = None
    by: str | None = None


def of_program(status: int | None, *, out_of_memory: bool = False) -> Ending:
    """The ending of a program that nobody asked to end.

    Args:
        status: Its exit code, or minus the signal that ended it; None where that is not known.
        out_of_memory: Whether the kernel is known to have killed it for memory.
    """
    if status == 0:
        return Ending(outcome="Completed", exit_code=0)
    if status is None:
        return Ending(
            outcome="Failed", error_code="ShimLost", message="the end of the program was not seen"
        )
    if status > 0:
        return Ending(
            outcome="Failed",
            error_code="ExitCode",
            message=f"the program exited with code {status}",
            exit_code=status,
        )
    if out_of_memory and status == -signal.SIGKILL:
        return Ending(
            outcome="Failed",
            error_code="OutOfMemory",
            message="the kernel killed the program because memory ran out",
            signal=-status,
        )
    return Ending(
        outcome="Failed",
        error_code="Signal",
        message=f"the program was ended by {signal_name(-status)}, which Headway did not send",
        signal=-status,
    )


def of_intent(intent: Intent, status: int | None = None) -> Ending:
    """The ending of a run that was asked to end, with the status of its program, if known."""
    default = f"canceled by {intent.by}" if intent.outcome == "Canceled" else ""
    return Ending(
        outcome=intent.outcome,
        error_code=None if intent.outcome == "Canceled" else intent.code or "UserError",
        message=intent.message or default or f"failed by {intent.by}",
        exit_code=None if status is None or status < 0 else status,
        signal=None if status is None or status >= 0 else -status,
        by=intent.by,
    )


def of_unasked_sigterm(status: int | None) -> Ending:
    """The ending after somebody sent SIGTERM to the runner without asking for an end."""
    program = of_program(status)
    ended = program.message or "the program then exited with code 0"
    return replace(
        program,
        outcome="Failed",
        error_code="Terminated",
        message="the runner was sent SIGTERM, but nobody asked to cancel or fail the run: the host "
        f"was shutting down, or its engine ended the job; {ended}",
    )


def of_rank(failed: FailedRank, *, out_of_memory: bool = False) -> Ending:
    """The ending of a run of several processes, one of which failed first."""
    program = of_program(failed.status, out_of_memory=out_of_memory)
    who = f"rank {failed.rank} of {failed.processes} processes failed first"
    return replace(program, message=f"{who}: {program.message}")


def on_full_disk(ending: Ending, full_at: float | None) -> Ending:
    """The ending of a run whose disk was full at some time, in seconds since the epoch."""
    if full_at is None:
        return ending
    at = time.strftime("%H:%M:%S", time.gmtime(full_at))
    what = f"the disk was full at {at} UTC: output of the program after that may be missing"
    return replace(ending, message=f"{ending.message}; {what}".removeprefix("; "))


def final(record: ShimRecord, ending: Ending, survivors: list[int]) -> ShimRecord:
    """The record that ends a run."""
    message = ending.message
    if survivors:
        pids = ", ".join(map(str, survivors))
        message = f"{message}; could not be killed: pid {pids}".removeprefix("; ")
    return replace(
        record,
        sequence=record.sequence + 1,
        phase="Ended",
        ended_at=now_us(),
        outcome=ending.outcome,
        exit_code=ending.exit_code,
        signal=ending.signal,
        error_code=ending.error_code,
        message=message,
        clean=not survivors,
        survivors=survivors,
        by=ending.by,
    )


def signal_name(number: int) -> str:
    """A signal as people know it."""
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def now_us() -> int:
    """The time as records hold it."""
    return time.time_ns() // 1000
