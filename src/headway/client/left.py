"""What processes of this machine left for a server: found, counted, sent.

Any number of processes may do this at once. Journals and logs are taken in exactly once by their
offsets, ends of runs by their status; files by whoever holds the lock of the outbox.
"""

import contextlib
from collections.abc import Callable, Collection, Generator, Sequence
from typing import Final

import msgspec

from headway.api import Api
from headway.client import kept_logs
from headway.client.outbox import EndParcel, FileParcel, Outbox, Parcel
from headway.client.spool import Spool
from headway.errors import (
    ConflictError,
    HeadwayError,
    NotFoundError,
    RunFileExistsError,
    StorageCorruptError,
)
from headway.metrics import drain
from headway.metrics.moving import Mover

_FOR_GOOD: Final = (NotFoundError, ConflictError, StorageCorruptError)
"""What no later attempt changes."""


class Left(msgspec.Struct, frozen=True):
    """What waits on this machine."""

    runs: list[str] = []
    """With points that wait."""
    points: int = 0
    """In journals; some of a living process may be with the server already."""
    log_bytes: int = 0
    ends: int = 0
    """Runs whose end the server has not heard of."""
    files: int = 0
    file_bytes: int = 0
    refused: int = 0
    """Ends and files that the server did not take in and never will."""

    def told(self) -> str:
        """In words; empty where nothing waits."""
        parts = [
            _counted(self.points, "point"),
            _counted(self.log_bytes, "byte") + " of logs" if self.log_bytes else "",
            "the " + _counted(self.ends, "end") + " of runs" if self.ends > 1 else "",
            "the end of a run" if self.ends == 1 else "",
            _counted(self.files, "file"),
        ]
        return ", ".join(filter(None, parts))


class Problem(msgspec.Struct, frozen=True):
    """What could not be sent, and never will be."""

    run_id: str
    what: str
    message: str


def look(
    spool: Spool,
    run_ids: Collection[str] | None = None,
    parcels: Sequence[Parcel] | None = None,
) -> Left:
    """What waits here now. The server is not asked.

    Args:
        spool: The folder.
        run_ids: Only journals of these; None for all.
        parcels: Only these; None for all.
    """
    outbox = Outbox(spool.outbox)
    chosen = [one for one in _runs(spool) if run_ids is None or one in run_ids]
    waiting = {run_id: _used(spool, run_id) for run_id in chosen}
    logs = [one for _, many in kept_logs.left_logs(spool.logs) for one in many]
    if parcels is None:
        parcels = [parcel for _, parcel in outbox]
    files = [parcel for parcel in parcels if isinstance(parcel, FileParcel)]
    return Left(
        runs=[run_id for run_id, used in waiting.items() if used],
        points=sum(waiting.values()),
        log_bytes=sum(one.size_bytes for one in logs),
        ends=len(parcels) - len(files),
        files=len(files),
        file_bytes=sum(one.size_bytes for one in files),
        refused=outbox.refused(),
    )


class Sender:
    """Sends what was left, for one workspace.

    Args:
        api: The workspace.
        spool: This machine's folder for it.
        on_sent: Told what was sent, in a few words.
    """

    def __init__(
        self, api: Api, spool: Spool, on_sent: Callable[[str], None] | None = None
    ) -> None:
        self._api = api
        self._spool = spool
        self._outbox = Outbox(spool.outbox)
        self._say = on_sent or _say_nothing
        self.problems: list[Problem] = []

    def send_all(self) -> None:
        """Send everything: points and logs first, then files, then ends.

        Raises:
            HeadwayError: The server does not answer; what is left is kept.
        """
        self.problems.clear()
        self.send_journals()
        self.send_logs()
        with self._outbox.turn(wait=True):
            self.send_parcels()

    def send_journals(self) -> None:
        """Send what the journals of all runs hold."""
        mover = Mover(self._api.metrics)
        for run_id in _runs(self._spool):
            before = _used(self._spool, run_id)
            with self._noting(run_id, "points"):
                mover.drain(run_id)
                sent = before - _used(self._spool, run_id)
                if sent > 0:
                    self._say(f"run {run_id}: {_counted(sent, 'point')}")

    def send_logs(self) -> None:
        """Send what dead processes left of logs."""
        for folder, logs in kept_logs.left_logs(self._spool.logs):
            for log in logs:
                header = log.header
                with self._noting(header.run_id, header.path):
                    self._send_log(log)
            kept_logs.sweep(folder)

    def send_parcels(self, skip: Collection[str] = ()) -> None:
        """Send files and ends; called by whoever holds the lock of the outbox.

        Args:
            skip: Names of parcels that somebody else sees to.
        """
        for name, parcel in self._outbox:
            if name in skip:
                continue
            try:
                self._send_parcel(name, parcel)
            except _FOR_GOOD as error:
                self._note(parcel.run_id, _named(parcel), error)
                self._outbox.refuse(name)
            else:
                self._outbox.remove(name)
                self._say(f"run {parcel.run_id}: {_named(parcel)}")

    def _send_log(self, log: kept_logs.LeftLog) -> None:
        header = log.header
        known = {
            entry.path: entry.size_bytes
            for entry in self._api.files.list(header.run_id, header.path)
        }
        sent = max(known.get(header.path, 0), header.base)
        end = kept_logs.send_file(self._api.files, log.file, sent)
        log.file.unlink(missing_ok=True)
        if end > sent:
            self._say(f"run {header.run_id}: {_counted(end - sent, 'byte')} of {header.path}")

    def _send_parcel(self, name: str, parcel: Parcel) -> None:
        if isinstance(parcel, EndParcel):
            self._api.runs.end(
                parcel.run_id,
                parcel.status,
                error=parcel.error,
                reason=parcel.reason,
                at=parcel.at,
            )
            return
        content = self._outbox.content(name)
        try:
            self._api.files.put(parcel.run_id, parcel.path, content)
        except RunFileExistsError:
            known = {one.path: one for one in self._api.files.list(parcel.run_id, parcel.path)}
            if parcel.path not in known or known[parcel.path].size_bytes != parcel.size_bytes:
                raise  # and otherwise it was sent before, by somebody who died then

    @contextlib.contextmanager
    def _noting(self, run_id: str, what: str) -> Generator[None]:
        """Note what no later attempt changes, and go on with the rest."""
        try:
            yield
        except _FOR_GOOD as error:
            self._note(run_id, what, error)

    def _note(self, run_id: str, what: str, error: HeadwayError) -> None:
        self.problems.append(Problem(run_id, what, error.message))


def _runs(spool: Spool) -> list[str]:
    """The runs that have journals here."""
    return sorted(folder.name for folder in spool.journals.iterdir())


def _used(spool: Spool, run_id: str) -> int:
    """How many points the journals of a run hold."""
    folder = spool.journals
    return sum(drain.count_points(folder, one) for one in drain.journals_of(folder, run_id))


def _named(parcel: Parcel) -> str:
    return f"ended as {parcel.status}" if isinstance(parcel, EndParcel) else parcel.path


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}" if count else ""


def _say_nothing(_: str) -> None:
    """Nobody wants to hear of it."""
