"""Runs that are executed elsewhere than where they are recorded: what is said between the two.

An *owner* is somebody on whom the life of runs hangs: a process with its interactive runs, or a
*runner*, which stands for all that one user executes on one machine for one workspace. It holds a
lease by beating, and waits for signals, which say that it shall look what is wanted of its runs.
The clock of the workspace alone decides when a lease is missed.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from headway.model import NewRun, Run, RunError, Status, Submission


class LeaseState(msgspec.Struct, frozen=True):
    """What is known of an owner."""

    signals: int
    """Counts up whenever something is wanted of one of its runs; -1 where it holds no lease."""
    missed_after_s: float
    """So long after a beat the owner counts as missing."""


class RunPreview(msgspec.Struct, frozen=True):
    """What a run would be, before anything of it is made."""

    known: Run | None
    """The run, where it was made from an equal request before."""
    experiment_name: str
    root_id: str


class Admission(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run to be recorded whose program is about to be started."""

    new: NewRun
    submission: Submission
    snapshot_id: str | None = None
    source: dict[str, str] = {}
    """Properties that say where the source comes from; those of ``new`` go before them."""
    waits_for: str | None = None
    """What it stands in line for; None where it starts at once."""
    host: str = ""
    """Where it is executed."""
    runner_id: str | None = None
    """Who executes it; None for this machine, whose folders tell what becomes of it."""


class EndRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """That a run shall end."""

    outcome: Status
    """Canceled or Failed."""
    at: int
    by: str
    grace_s: float | None = None
    """Between SIGTERM and SIGKILL; None for what the run was submitted with."""
    code: str | None = None
    """For Failed: the code of its error."""
    message: str = ""


class Assignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run of a runner, as the workspace sees it."""

    run_id: str
    status: Status
    sequence: int
    """Of the last report that was taken."""
    wanted: EndRequest | None = None


class RunnerReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a run stands, as far as its runner knows. Times are those of its clock."""

    sequence: int
    """Counts up with every report on the run: one that is not newer changes nothing."""
    status: Status
    reason: str = ""
    actor: str = "runner"
    at: int | None = None
    """Since when; None for now."""
    sent_at: int | None = None
    """The runner's clock as it was sent: times are corrected by its difference to the workspace's
    clock. None where it is the same clock."""
    started_at: int | None = None
    """When its program was started, if it was."""
    error: RunError | None = None


class Runners(Protocol):
    """Where runs are recorded, as those see it who execute them."""

    def preview(self, new: NewRun) -> RunPreview:
        """Check what a run is to be made from, and tell what it would be.

        Raises:
            RunExistsError: A run of this id was made from another request.
        """
        ...

    def admit(self, admission: Admission) -> Run:
        """Record a run whose program is about to be started.

        A run that was made from an equal request is returned as it is now.
        """
        ...

    def beat(self, owner_id: str, host: str) -> LeaseState:
        """Say that an owner is alive, on a host.

        Its runs that did not respond stand where they stood before.
        """
        ...

    def wait(self, owner_id: str, seen: int, timeout_s: float) -> LeaseState:
        """Wait until there are other signals for an owner than it has seen, or the time is over."""
        ...

    def release(self, owner_id: str) -> None:
        """Give a lease up. Its runs that have not ended are then without a process.

        One that is not held is no error.
        """
        ...

    def assigned(self, runner_id: str) -> Sequence[Assignment]:
        """The runs of a runner that have not ended, oldest first."""
        ...

    def report(self, run_id: str, report: RunnerReport) -> Assignment:
        """Take in where a run stands; what is wanted of it is the answer.

        Each report changes something once: one that comes again, or late, changes nothing.
        """
        ...
