"""What this process has for the server and the server has not got yet.

Everything is on this machine's disk before the server is asked: points in journals, logs in files,
ends of runs in the outbox. So nothing here fails because the server is away; it is sent later, by
this process, by the next one, or by ``headway sync``.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Generator, Mapping
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from headway.api import Api
from headway.client.kept_logs import KeptLogs
from headway.client.left import Sender, look
from headway.client.metrics import RemoteMetrics
from headway.client.outbox import EndParcel, Outbox
from headway.client.spool import Spool
from headway.errors import AccessError, HeadwayError, StorageError
from headway.model import RunError, Status

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_GLANCE_S: Final = 1.0
"""For so long a server is waited for at the end of a run that was away at the end of another."""
_LOOK_S: Final = 60.0
"""Seconds between two looks for what processes left that have died."""


class Backlog:
    """See the module. Any thread may call.

    Args:
        api: The workspace.
        metrics: Its metrics.
        spool: This machine's folder for it.
        bounded: Gives up what is asked of the server within a block after so many seconds.
        once: Asks nothing of the server again within a block.
        end_wait_s: How long the end of a run waits for the server.
        clock: The time now, in microseconds since the epoch.
    """

    def __init__(
        self,
        api: Api,
        metrics: RemoteMetrics,
        spool: Spool,
        *,
        bounded: Callable[[float], contextlib.AbstractContextManager[None]],
        once: Callable[[], contextlib.AbstractContextManager[None]],
        end_wait_s: float,
        clock: Callable[[], int],
    ) -> None:
        self._api = api
        self._metrics = metrics
        self._spool = spool
        self._bounded = bounded
        self._once = once
        self._end_wait_s = end_wait_s
        self._clock = clock
        self._outbox = Outbox(spool.outbox)
        self._gave_up = False
        self._in_flight: set[str] = set()
        self._kept: set[str] = set()
        self._due_s = 0.0
        self.logs = KeptLogs(spool.logs, api.files)
        self.sender = Sender(api, spool)

    @property
    def folder(self) -> Path:
        """Where everything is kept."""
        return self._spool.root

    @contextlib.contextmanager
    def bounded(self, seconds: float | None = None) -> Generator[None]:
        """Within the block the server is given up after so many seconds; None: as at an end."""
        with self._bounded(self._patience_s() if seconds is None else seconds):
            yield

    @contextlib.contextmanager
    def attempt(self, seconds: float) -> Generator[None]:
        """The same, and a server that is away is not asked again within it."""
        with self._bounded(seconds), self._once():
            yield

    # ------------------------------------------------------------ while runs live

    def send(self) -> None:
        """Send logs, what could not be sent before, and now and then what dead processes left.

        Raises:
            HeadwayError: The server does not take it; it is kept.
        """
        self.logs.send()
        now_s = time.monotonic()
        if now_s >= self._due_s:
            self._due_s = now_s + _LOOK_S
            self.sender.problems.clear()
            self.sender.send_journals()
            self.sender.send_logs()
        with self._outbox.turn(wait=False) as held:
            if held:
                self.sender.send_parcels(skip=self._in_flight)
        self._gave_up = False

    def size(self, run_id: str, path: str) -> int:
        """How long a log of a run of this process is."""
        return self.logs.size(run_id, path)

    def append(self, run_id: str, path: str, offset: int, data: bytes) -> int:
        """Keep a stretch of a log; ``send`` sends it.

        Raises:
            StorageError: It cannot be written.
        """
        return self.logs.append(run_id, path, offset, data)

    def taken(self, run_id: str, prefix: str) -> set[str]:
        """The names of files that the server has already; none where it is away."""
        try:
            with self.bounded():
                return {entry.path for entry in self._api.files.list(run_id, prefix)}
        except (StorageError, AccessError) as error:
            if not may_pass(error):
                raise
            self._gave_up = True
            return set()

    def put_many(self, run_id: str, sources: Mapping[str, Path]) -> None:
        """Keep files of a run; copies wait here where the server is away.

        Raises:
            HeadwayError: The server does not take them, or they cannot be copied.
        """
        try:
            with self.bounded():
                self._api.files.put_many(run_id, sources)
        except (StorageError, AccessError) as error:
            if not may_pass(error):
                raise
            self._gave_up = True
            for path, source in sources.items():
                self._kept.add(self._outbox.put_file(run_id, path, source))

    # ------------------------------------------------------------ their ends

    def end_run(
        self, run_id: str, status: Status, *, error: RunError | None, reason: str
    ) -> HeadwayError | None:
        """End a run, its points and logs first. What kept the server from being told, if anything.

        Then it is told later, with the time at which the run really ended.

        Raises:
            RunStateError: The run's status does not allow it.
        """
        parcel = EndParcel(run_id, status, self._clock(), error, reason)
        name = self._keep(parcel)
        try:
            problem = self._insist(lambda: self._end(parcel))
            if problem is None:
                self._outbox.remove(name)
        except HeadwayError:
            self._outbox.remove(name)
            raise
        finally:
            self._in_flight.discard(name)
        self._gave_up = problem is not None
        if not self._gave_up:
            self.logs.drop(run_id)
        return problem

    def _keep(self, parcel: EndParcel) -> str:
        try:
            name = self._outbox.put(parcel)
        except StorageError:
            return ""  # this disk is full: the server may still take it
        self._in_flight.add(name)
        self._kept.add(name)
        return name

    def _end(self, parcel: EndParcel) -> None:
        self.logs.send(parcel.run_id)
        self._metrics.drain(parcel.run_id)
        self._api.runs.end(
            parcel.run_id, parcel.status, error=parcel.error, reason=parcel.reason, at=parcel.at
        )

    def _insist(self, act: Callable[[], None]) -> HeadwayError | None:
        """Do it, again and again where the server is away; what it said last if it stays so."""
        deadline = time.monotonic() + self._patience_s()
        pause_s = _FIRST_PAUSE_S
        while True:
            left_s = deadline - time.monotonic()
            try:
                with self._bounded(max(left_s, _FIRST_PAUSE_S)):
                    act()
            except (StorageError, AccessError) as error:
                if not may_pass(error):
                    raise
                if left_s <= pause_s:
                    return error
            else:
                return None
            threading.Event().wait(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _patience_s(self) -> float:
        return min(_GLANCE_S, self._end_wait_s) if self._gave_up else self._end_wait_s

    # ------------------------------------------------------------ the end of the process

    def left(self, run_ids: Collection[str]) -> str:
        """What of this process waits here, in words; empty where nothing does.

        Args:
            run_ids: The runs for which it logged. Of those that are executed here an agent brings
                the rest.
        """
        run_ids = [one for one in run_ids if not self._spool.layout.run(one).exists()]
        ends = [parcel for name, parcel in self._outbox if name in self._kept]
        waiting = look(self._spool, run_ids, ends)
        return replace(waiting, log_bytes=self.logs.waiting_bytes()).told()

    def close(self) -> None:
        """Let go of the logs."""
        self.logs.close()


def may_pass(error: HeadwayError) -> bool:
    """Whether the same may succeed later: the server is away or full, or the token has run out."""
    return error.transient or isinstance(error, AccessError)
