"""Brings what the folder of a run holds to the server that the run is recorded at.

Who does it holds a lock of the folder, and notes there what the server has. So an agent, a client
and ``headway sync`` may all do it, again and again, and any of them may be killed meanwhile: logs
and points are taken in by their offsets, and each report has a number.
"""

import fcntl
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from headway.api import Files
from headway.engines import agency, document
from headway.engines.base import Engine
from headway.engines.folder import RunFolder
from headway.errors import HeadwayError, RunFileExistsError, RunNotFoundError, StorageError
from headway.hosting import logs, observing
from headway.hosting.layout import Layout
from headway.hosting.live_files import LOGS, OUTPUTS, PROGRAM_LOGS, RECORDS, LiveFiles
from headway.hosting.obeying import obey
from headway.locks import try_lock
from headway.model import Status
from headway.runners import Assignment, EndRequest, RunnerReport, Runners

_PART_BYTES: Final = 1 << 20
_SENT_FILE: Final = "sent.json"
_LOCK_FILE: Final = "sending"
_FILES_AT_ONCE: Final = 64
_EXIT_PATIENCE_S: Final = 1.0
_EXIT_PAUSE_S: Final = 0.002


class Delivery(Enum):
    """How far a run has been brought."""

    LIVE = "live"
    """All that there is by now; more will come."""
    DONE = "done"
    """All, its end included."""
    BUSY = "busy"
    """Somebody else is at it."""
    UNKNOWN = "unknown"
    """The server does not know the run."""


class Place(msgspec.Struct, frozen=True):
    """How far a log was sent."""

    read: int = 0
    """In the file, of which stretches may have been cut out."""
    sent: int = 0
    """At the server."""


class Sent(msgspec.Struct):
    """What the server has of a run."""

    sequence: int = 0
    """The number of the last report."""
    report: RunnerReport | None = None
    """The last one that is known to be there."""
    logs: dict[str, Place] = {}


class Server(Protocol):
    """What is used of a workspace."""

    @property
    def files(self) -> Files:
        """Files that belong to a run."""
        ...

    @property
    def runners(self) -> Runners:
        """Runs that are executed elsewhere."""
        ...


class Courier:
    """Delivers the runs of one spool.

    Args:
        server: Where to.
        layout: The spool.
        engine: What executes the runs.
        clock: Microseconds since the epoch.
        drain: Brings what a run has logged, as points, to the server.
    """

    def __init__(
        self,
        server: Server,
        layout: Layout,
        engine: Engine,
        clock: Callable[[], int],
        drain: Callable[[str], None],
    ) -> None:
        self._server = server
        self._layout = layout
        self._engine = engine
        self._clock = clock
        self._drain = drain

    def deliver(self, run_id: str, *, patient: bool = False, anew: bool = False) -> Delivery:
        """Bring over what is new of a run, and have it end where that is wanted.

        Args:
            run_id: The run, which has a folder in the spool.
            patient: Whether to wait until nobody else is at it.
            anew: Whether to tell where it stands though the server should know: perhaps the server
                has given it up.

        Raises:
            HeadwayError: The server cannot be reached, or does not take it; what was brought over
                until then stays there.
        """
        folder = RunFolder(self._layout.run(run_id))
        if is_delivered(folder.path):
            return Delivery.DONE
        with _alone(folder.path, patient) as alone:
            if not alone:
                return Delivery.BUSY
            try:
                return self._bring(run_id, folder, anew=anew)
            except RunNotFoundError:
                return Delivery.UNKNOWN

    def _bring(self, run_id: str, folder: RunFolder, *, anew: bool) -> Delivery:
        sent = _read_sent(folder.path)
        if anew:
            sent.report = None
        # First: what is in the logs of a run that had ended is all that there will be.
        report = self._look(folder)
        if report is not None and not report.status.ended:
            self._report(run_id, folder, sent, report)
        self._send_logs(run_id, folder, sent, report)
        if report is None or not report.status.ended:
            return Delivery.LIVE
        missing = self._send_rest(run_id, folder)
        if missing:
            report = replace(report, reason="; ".join(filter(None, [report.reason, missing])))
        _wait_for_shim(folder)
        self._report(run_id, folder, sent, report)
        document.replace(folder.path / agency.DELIVERED, {}, durable=True)
        return Delivery.DONE

    # ------------------------------------------------------------ where it stands

    def _look(self, folder: RunFolder) -> RunnerReport | None:
        report = observing.look(self._engine, folder)
        if report is None or report.status is not Status.QUEUED:
            return report
        return replace(report, reason=self._engine.waits_for(folder) or report.reason)

    def _report(self, run_id: str, folder: RunFolder, sent: Sent, report: RunnerReport) -> None:
        if sent.report == report:
            return
        runners = self._server.runners
        if not sent.sequence:  # nothing was sent, or what was noted of it got lost
            sent.sequence = runners.report(run_id, replace(report, sequence=0)).sequence
        # Noted first: a number whose answer got lost is not used for another report.
        sent.sequence += 1
        _write_sent(folder.path, sent)
        numbered = replace(report, sequence=sent.sequence, sent_at=self._clock())
        answer = runners.report(run_id, numbered)
        if answer.sequence > sent.sequence:  # what was noted here is older than what was sent
            sent.sequence = answer.sequence + 1
            _write_sent(folder.path, sent)
            answer = runners.report(run_id, replace(numbered, sequence=sent.sequence))
        sent.report = report
        _write_sent(folder.path, sent)
        self.heed(folder, answer, report)

    def heed(
        self, folder: RunFolder, assignment: Assignment, report: RunnerReport | None = None
    ) -> None:
        """Have a run end where the server wants it, or knows that it has."""
        if report is not None and report.status.ended:
            return
        if assignment.wanted is not None:
            obey(self._engine, folder, assignment.wanted)
        elif assignment.status.ended:
            obey(self._engine, folder, self._given_up(assignment.status))

    def _given_up(self, status: Status) -> EndRequest:
        return EndRequest(
            outcome=Status.FAILED,
            at=self._clock(),
            by="agent",
            code="LostHost",
            message=f"the server had given this run up and says that it is {status}",
        )

    # ------------------------------------------------------------ logs, files, points

    def _send_logs(
        self, run_id: str, folder: RunFolder, sent: Sent, report: RunnerReport | None
    ) -> None:
        live = LiveFiles(folder.path)
        for entry in live.all((PROGRAM_LOGS, RECORDS)):
            log = folder.path / entry.path
            self._send_log(run_id, folder, log, entry.path, sent, report)

    def _send_log(
        self,
        run_id: str,
        folder: RunFolder,
        log: Path,
        path: str,
        sent: Sent,
        report: RunnerReport | None,
    ) -> None:
        place = sent.logs.get(path, Place())
        while True:
            part = logs.read(folder.path, log, place.read, _PART_BYTES)
            if not part.data:
                if path not in sent.logs:  # one in which nothing stands is a log too
                    self._server.files.append(run_id, path, 0, b"")
                    sent.logs[path] = place
                    _write_sent(folder.path, sent)
                return
            ended_at = report.at if report is not None and report.status.ended else None
            now = self._clock()
            self._server.files.append(
                run_id,
                path,
                place.sent,
                part.data,
                written_at=now if ended_at is None else min(now, ended_at),
            )
            place = Place(part.next_offset, place.sent + len(part.data))
            sent.logs[path] = place
            _write_sent(folder.path, sent)

    def _send_rest(self, run_id: str, folder: RunFolder) -> str:
        """Points and outputs of a run that has ended; what could not be kept, in words."""
        self._drain(run_id)
        live = LiveFiles(folder.path)
        taken = {entry.path for entry in self._server.files.list(run_id)}
        found = {
            entry.path: where
            for entry in live.all((OUTPUTS, LOGS))
            if entry.path not in taken and (where := live.find(entry.path)) is not None
        }
        names = list(found)
        missing: list[str] = []
        for start in range(0, len(names), _FILES_AT_ONCE):
            part = {name: found[name] for name in names[start : start + _FILES_AT_ONCE]}
            missing += self._send_files(run_id, part)
        return f"files that could not be kept: {', '.join(missing)}" if missing else ""

    def _send_files(self, run_id: str, files: dict[str, Path]) -> list[str]:
        try:
            self._server.files.put_many(run_id, files)
        except HeadwayError as error:
            if error.transient:
                raise
            if len(files) == 1:
                known = isinstance(error, RunFileExistsError)
                return [] if known else [f"{next(iter(files))} ({error.message})"]
            each = ({name: file} for name, file in files.items())
            return [name for one in each for name in self._send_files(run_id, one)]
        return []


def _wait_for_shim(folder: RunFolder) -> None:
    """After its final record it only has to exit: then really no process is left."""
    deadline = time.monotonic() + _EXIT_PATIENCE_S
    while folder.alive() and time.monotonic() < deadline:
        time.sleep(_EXIT_PAUSE_S)


def is_delivered(folder: Path) -> bool:
    """Whether nothing of a run is left to be told."""
    return (folder / agency.DELIVERED).exists()


def undelivered(layout: Layout) -> list[str]:
    """The runs of a spool of which something is left to be told, by id."""
    try:
        found = sorted(layout.runs.iterdir())
    except FileNotFoundError:
        return []
    return [path.name for path in found if not is_delivered(path)]


@contextmanager
def _alone(folder: Path, patient: bool) -> Generator[bool]:
    """Whether nobody else brings this run over while the block lasts."""
    try:
        fd = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise document.storage_error(folder, error) from error
    try:
        yield _lock(fd, patient)
    finally:
        os.close(fd)


def _lock(fd: int, patient: bool) -> bool:
    if not patient:
        return try_lock(fd)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return True


def _read_sent(folder: Path) -> Sent:
    try:
        return msgspec.json.decode((folder / _SENT_FILE).read_bytes(), type=Sent)
    except FileNotFoundError:
        return Sent()
    except (OSError, msgspec.MsgspecError) as error:
        raise StorageError(f"{folder / _SENT_FILE} cannot be read: {error}; remove it") from error


def _write_sent(folder: Path, sent: Sent) -> None:
    document.replace(folder / _SENT_FILE, msgspec.to_builtins(sent), durable=False)
