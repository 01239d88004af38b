"""Operations for those who execute runs, or are runs, elsewhere: admission, reports, leases."""

from typing import Final

import msgspec

from headway.accounts import Scope
from headway.model import NewRun, Run
from headway.runners import Admission, Assignment, LeaseState, RunnerReport, RunPreview
from headway.wire.operation import Done, Operation


class PreviewRun(msgspec.Struct, frozen=True):
    """A run to be made."""

    new: NewRun


class RunnerRequest(msgspec.Struct, frozen=True):
    """One runner."""

    runner_id: str


class ReportRun(msgspec.Struct, frozen=True):
    """Where a run stands."""

    run_id: str
    report: RunnerReport


class BeatLease(msgspec.Struct, frozen=True):
    """That an owner is alive."""

    owner_id: str
    host: str


class WaitForSignals(msgspec.Struct, frozen=True):
    """What an owner waits for."""

    owner_id: str
    seen: int
    """How many signals it has seen."""
    timeout_s: float
    """At most ``headway.wire.runs.LONGEST_WAIT_S``."""


class LeaseRequest(msgspec.Struct, frozen=True):
    """One lease."""

    owner_id: str


PREVIEW: Final = Operation(
    name="runners.preview",
    method="POST",
    path="/runs:preview",
    request=PreviewRun,
    answer=RunPreview,
    scope=Scope.WRITE,
    help="Check what a run is to be made from, and tell what it would be.",
)
ADMIT: Final = Operation(
    name="runners.admit",
    method="POST",
    path="/runs:admit",
    request=Admission,
    answer=Run,
    scope=Scope.WRITE,
    help="Record a run whose program is about to be started elsewhere.",
)
ASSIGNED: Final = Operation(
    name="runners.assigned",
    method="GET",
    path="/runners/{runner_id}/runs",
    request=RunnerRequest,
    answer=list[Assignment],
    scope=Scope.WRITE,
    help="The runs of a runner that have not ended, and what is wanted of them.",
)
REPORT: Final = Operation(
    name="runners.report",
    method="POST",
    path="/runs/{run_id}/reports",
    request=ReportRun,
    answer=Assignment,
    scope=Scope.WRITE,
    help="Take in where a run stands; what is wanted of it is the answer.",
)
BEAT: Final = Operation(
    name="runners.beat",
    method="POST",
    path="/leases/{owner_id}",
    request=BeatLease,
    answer=LeaseState,
    scope=Scope.WRITE,
    help="Say that a process with runs, or a runner, is alive.",
)
WAIT: Final = Operation(
    name="runners.wait",
    method="GET",
    path="/leases/{owner_id}",
    request=WaitForSignals,
    answer=LeaseState,
    scope=Scope.WRITE,
    waits=True,
    help="Wait until something is wanted of a run of a process or a runner.",
)
RELEASE: Final = Operation(
    name="runners.release",
    method="DELETE",
    path="/leases/{owner_id}",
    request=LeaseRequest,
    answer=Done,
    scope=Scope.WRITE,
    help="Give a lease up: its runs that have not ended are then without a process.",
)

OPERATIONS: Final = (PREVIEW, ADMIT, ASSIGNED, REPORT, BEAT, WAIT, RELEASE)
