"""Operations about runs: made, found, changed, ended."""

from typing import Final

import msgspec

from headway.accounts import Scope
from headway.model import (
    CancelOutcome,
    Event,
    NewRun,
    Run,
    RunChange,
    RunError,
    RunPage,
    RunQuery,
    RunUpdate,
    Status,
)
from headway.wire.operation import Body, Operation

LONGEST_WAIT_S: Final = 30.0
"""For so long a server keeps a request waiting; who wants to wait longer asks again."""


class CreateRuns(msgspec.Struct, frozen=True):
    """Runs to be made, all or none."""

    runs: list[NewRun]


class RunRequest(msgspec.Struct, frozen=True):
    """One run."""

    run_id: str


class ChangeRun(msgspec.Struct, frozen=True):
    """What to change of a run."""

    run_id: str
    change: RunChange


class EndRun(msgspec.Struct, frozen=True):
    """How a run is to end."""

    run_id: str
    status: Status
    error: RunError | None = None
    reason: str = ""
    at: int | None = None
    """When it really ended, in microseconds; null for now."""


class CancelRun(msgspec.Struct, frozen=True):
    """How a run is to be canceled."""

    run_id: str
    grace_s: float | None = None
    """Between SIGTERM and SIGKILL; null for what it was submitted with."""


class Canceled(msgspec.Struct, frozen=True):
    """What became of a request to cancel."""

    outcome: CancelOutcome


class WatchRun(msgspec.Struct, frozen=True):
    """What a follower waits for."""

    run_id: str
    log: str
    offset: int
    timeout_s: float
    """At most ``LONGEST_WAIT_S``."""


class LogTime(msgspec.Struct, frozen=True):
    """A place in a log, by when it was written."""

    run_id: str
    log: str
    at: int


class Offset(msgspec.Struct, frozen=True):
    """A number of bytes."""

    offset: int


class RunIds(msgspec.Struct, frozen=True):
    """Several runs."""

    run_ids: list[str]


CREATE: Final = Operation(
    name="runs.create",
    method="POST",
    path="/runs",
    request=CreateRuns,
    answer=list[Run],
    scope=Scope.WRITE,
    help="Make runs, all or none, in this order.",
)
GET: Final = Operation(
    name="runs.get",
    method="GET",
    path="/runs/{run_id}",
    request=RunRequest,
    answer=Run,
    scope=Scope.READ,
    help="One run, brought up to date.",
)
EVENTS: Final = Operation(
    name="runs.events",
    method="GET",
    path="/runs/{run_id}/events",
    request=RunRequest,
    answer=list[Event],
    scope=Scope.READ,
    help="Every change of status, oldest first.",
)
CHANGE: Final = Operation(
    name="runs.change",
    method="PATCH",
    path="/runs/{run_id}",
    request=ChangeRun,
    answer=Run,
    scope=Scope.WRITE,
    help="Apply a change as a whole and return the run after it.",
)
END: Final = Operation(
    name="runs.end",
    method="POST",
    path="/runs/{run_id}/end",
    request=EndRun,
    answer=Run,
    scope=Scope.WRITE,
    help="End a run as Completed, Failed or Canceled, and return it.",
)
CANCEL: Final = Operation(
    name="runs.cancel",
    method="POST",
    path="/runs/{run_id}/cancel",
    request=CancelRun,
    answer=Canceled,
    scope=Scope.WRITE,
    help="Ask for a run to be canceled, and return at once; watch it to see its end.",
)
WATCH: Final = Operation(
    name="runs.watch",
    method="GET",
    path="/runs/{run_id}/watch",
    request=WatchRun,
    answer=RunUpdate,
    scope=Scope.READ,
    gives=Body.PACKED,
    waits=True,
    help="Wait until a log is longer than an offset or the run has ended.",
)
LOG_OFFSET: Final = Operation(
    name="runs.log_offset",
    method="GET",
    path="/runs/{run_id}/log-offset",
    request=LogTime,
    answer=Offset,
    scope=Scope.READ,
    help="Where in a log that stands which was written after a time.",
)
DELETE: Final = Operation(
    name="runs.delete",
    method="POST",
    path="/runs:delete",
    request=RunIds,
    answer=list[str],
    scope=Scope.WRITE,
    help="Put runs into the trash, each with all runs below it; all or none.",
)
RESTORE: Final = Operation(
    name="runs.restore",
    method="POST",
    path="/runs:restore",
    request=RunIds,
    answer=list[str],
    scope=Scope.WRITE,
    help="Take runs out of the trash, each with the runs that went with it; all or none.",
)
LIST: Final = Operation(
    name="runs.list",
    method="POST",
    path="/runs:search",
    request=RunQuery,
    answer=RunPage,
    scope=Scope.READ,
    help="A page of runs in the order asked for.",
)

OPERATIONS: Final = (
    CREATE,
    GET,
    EVENTS,
    CHANGE,
    END,
    CANCEL,
    WATCH,
    LOG_OFFSET,
    DELETE,
    RESTORE,
    LIST,
)
