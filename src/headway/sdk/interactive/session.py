"""This process's part in the runs of one workspace.

A ``Session`` holds the claim that the process is alive (the lease on which its interactive runs
hang), the journals that it logs to, and one daemon thread. About once a second the thread moves
what was logged into the workspace; several times a second it looks whether somebody wants a run of
this process canceled. ``process`` opens sessions and ends them with the process.

With a server a second thread does the moving, for that may have to wait there. What it does not get
sent stays on this machine (``headway.client.backlog``), and the program goes on.
"""

import contextlib
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from headway.api import Api, Lease
from headway.errors import AccessError, HeadwayError, MissingPackageError, RunStateError
from headway.metrics.journal import JournalWriter
from headway.metrics.moving import MOST_BYTES, Mover
from headway.model import RunError, Status, WorkspaceInfo
from headway.sdk.interactive.interruption import interrupt_main_thread
from headway.sdk.interactive.keeping import RunKeeper, told
from headway.sdk.interactive.pacing import Pace
from headway.settings import Settings

if TYPE_CHECKING:
    from headway.client.backlog import Backlog

_LOOK_S = 0.1
"""Seconds between two looks for a request to cancel."""
_JOIN_S = 5.0
_MOST_OPEN = 64
"""With more journals than these, those that nobody writes to are closed: each holds a file."""
_MUCH_BYTES = 1 << 20
"""So much of a journal is carried to the disk before it is moved, and not by being moved."""
_LOOKING = "looking for requests to cancel"
_MOVING = "moving metrics into the workspace"
_ENDING = "ending a run of this process"
_KEEPING = "keeping the logs of a run"
_SENDING = "sending to the server"
_GLANCE_S = 3.0
"""How long a server that is away is asked whether a run was canceled, before it is ended."""
_SAID_AFTER_S = 5.0
"""A server that is away for less is not spoken of."""
_ATTEMPT_S = 10.0
"""A server that has not answered after so many seconds is asked again later."""
_MOVED_TO_SERVER_BYTES = 2 << 20
"""So much is sent at once: the smaller, the sooner something has arrived over a slow line."""


class Session:
    """See the module. Any thread may use it; a child made by fork must not.

    Args:
        api: The workspace.
        settings: The settings that hold.
        warn: Told in one line of what is wrong but stops nobody.
        interrupt: Called when a run of this process was canceled from elsewhere.
        backlog: What waits on this machine for the server; None for an embedded workspace.
    """

    def __init__(
        self,
        api: Api,
        settings: Settings,
        *,
        warn: Callable[[str], None],
        interrupt: Callable[[], None] = interrupt_main_thread,
        backlog: "Backlog | None" = None,
    ) -> None:
        self.api = api
        self.settings = settings
        self.info: WorkspaceInfo = api.info()
        self._warn = warn
        self._warned: set[str] = set()
        self._interrupt = interrupt
        self._backlog = backlog
        self._lock = threading.RLock()
        self._drain_lock = threading.Lock()
        most_bytes = MOST_BYTES if backlog is None else _MOVED_TO_SERVER_BYTES
        self._mover = Mover(api.metrics, self._recycle, most_bytes=most_bytes)
        self._lease: Lease | None = None
        self._owner_id = ""
        self._owned: dict[str, None] = {}  # in the order in which they were made
        self._keepers: dict[str, RunKeeper] = {}
        self._journals: dict[str, JournalWriter] = {}
        self._finished: weakref.WeakValueDictionary[str, JournalWriter] = (
            weakref.WeakValueDictionary()
        )  # of runs that have ended; whoever still holds one may log to it
        self._undrained: set[str] = set()
        self._resting: set[str] = set()
        self._moved: dict[str, tuple[str, int]] = {}  # what was there when a journal was moved last
        self._can_move = True
        self._cancel_wanted = False
        self._away_since_s = 0.0
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()

    # ------------------------------------------------------------ runs of this process

    def owner_id(self) -> str:
        """The name under which runs hang on the life of this process."""
        with self._lock:
            if self._lease is None:
                owner_id = str(uuid.uuid4())
                self._lease = self.api.hold_lease(owner_id)
                self._owner_id = owner_id
                self._start()
            return self._owner_id

    def adopt(self, run_ids: Iterable[str]) -> None:
        """These runs were made by this process: they end with it, at the latest."""
        with self._lock:
            self._owned.update(dict.fromkeys(run_ids))

    def keep(
        self, run_id: str, *, outputs: Path | None = None, logs: Path | None = None
    ) -> RunKeeper:
        """Keep what a run of this process leaves behind, from now to its end.

        Where that was begun before, it goes on as it is.
        """
        with self._lock:
            if run_id not in self._keepers:
                self._keepers[run_id] = RunKeeper(
                    self.api.files,
                    run_id,
                    outputs=outputs,
                    logs=logs,
                    max_log_bytes=self.settings.max_log_bytes,
                    sink=self._backlog,
                )
            return self._keepers[run_id]

    def owns(self, run_id: str) -> bool:
        """Whether the run was made by this process and has not been ended by it."""
        return run_id in self._owned

    def end_run(
        self, run_id: str, status: Status, *, error: RunError | None = None, reason: str = ""
    ) -> bool:
        """End a run; what this process logged for it is safe on the disk before.

        What it leaves behind is collected; files that cannot be kept are named in the reason.

        Returns:
            Whether the workspace knows. A server that is away is told later.

        Raises:
            RunStateError: Its status does not allow it.
        """
        self._close_journal(run_id)
        with self._lock:
            keeper = self._keepers.pop(run_id, None)
        missing = keeper.close() if keeper is not None else []
        if missing:
            self._warn(f"run {run_id}: {told(missing)}")
            reason = "; ".join(filter(None, [reason, told(missing)]))
        if self._backlog is None:
            self.api.runs.end(run_id, status, error=error, reason=reason)
            problem = None
        else:
            problem = self._backlog.end_run(run_id, status, error=error, reason=reason)
        self._owned.pop(run_id, None)
        if problem is not None:
            self._warn_once(_ENDING, f"the end of run {run_id} is not known to the server", problem)
        return problem is None

    def status_at_end(self, run_id: str) -> Status:
        """The status of a run of this process that is about to end; Running if nobody can say.

        Raises:
            HeadwayError: It cannot be read, for another reason than that the server is away.
        """
        try:
            with self._bounded(_GLANCE_S):
                return self.api.runs.get(run_id).status
        except HeadwayError as error:
            if not self._may_pass(error):
                raise
            return Status.RUNNING

    # ------------------------------------------------------------ metrics

    def journal(self, run_id: str) -> JournalWriter:
        """Where this process logs for a run. It may be kept and used for ever."""
        with self._lock:
            found = self._journals.get(run_id) or self._finished.pop(run_id, None)
            if found is None:
                found = JournalWriter(
                    self.api.metrics.journal_dir,
                    run_id,
                    str(uuid.uuid4()),
                    segment_bytes=self.settings.journal_segment_bytes,
                    max_text_bytes=self.settings.max_metric_text_bytes,
                    max_name_chars=self.settings.max_metric_name_chars,
                    warn=self._warn,
                )
                self._start()
            self._journals[run_id] = found
            return found

    def drain(self, run_id: str) -> None:
        """Move what was logged for a run into the workspace, now.

        Left to the next reader where this Python has not the packages for it, and to this session's
        thread where a server is away for as long as the end of a run waits.

        Raises:
            StorageError: The workspace cannot be written; nothing is lost.
        """
        with self._lock:
            journal = self._journals.get(run_id)
        if journal is not None:
            journal.settle()
        moved = False
        try:
            with self._bounded():
                moved = self._move([run_id])
        except HeadwayError as error:
            if not self._may_pass(error):
                raise
            self._warn_once(_MOVING, f"{_MOVING} fails", error)
        finally:
            if journal is not None and not moved:
                journal.sync()

    def _close_journal(self, run_id: str) -> None:
        with self._lock:
            journal = self._journals.pop(run_id, None)
            if journal is None:
                return
            self._finished[run_id] = journal
            self._undrained.add(run_id)
            self._moved.pop(run_id, None)
        journal.close()

    # ------------------------------------------------------------ the thread

    def _start(self) -> None:
        if self._threads:
            return
        loops = {"headway": self._attend}
        if self._backlog is not None:
            loops["headway-sender"] = self._attend_server
        for name, loop in loops.items():
            self._threads.append(threading.Thread(target=loop, name=name, daemon=True))
            self._threads[-1].start()

    def _attend(self) -> None:
        drain_at = time.monotonic() + self.settings.drain_interval_s
        while not self._stopping.wait(_LOOK_S):
            self._attempt(self._see_to_cancels, _LOOKING)
            if self._backlog is None and time.monotonic() >= drain_at:
                self._look_at_logs()
                self._move_metrics()
                drain_at = time.monotonic() + self.settings.drain_interval_s

    def _attend_server(self) -> None:
        pace = Pace(self.settings.drain_interval_s)
        while not self._stopping.wait(self.settings.drain_interval_s):
            self._look_at_logs()
            if not pace.due():
                self._move_metrics(attempt=False)
                continue
            with self._attempting():
                worked = self._move_metrics() and self._send_backlog()
            pace.note(worked=worked)
            if worked:
                self._away_since_s = 0.0

    def _look_at_logs(self) -> None:
        for keeper in list(self._keepers.values()):
            self._attempt(keeper.look, _KEEPING)

    def _send_backlog(self) -> bool:
        return self._backlog is None or self._attempt(self._backlog.send, _SENDING)

    def _bounded(self, seconds: float | None = None) -> contextlib.AbstractContextManager[None]:
        """Within the block a server that is away is given up after so long; None: as at an end."""
        return contextlib.nullcontext() if self._backlog is None else self._backlog.bounded(seconds)

    def _attempting(self) -> contextlib.AbstractContextManager[None]:
        """Within the block a server that is away is asked once, for that is done again later."""
        if self._backlog is None:
            return contextlib.nullcontext()
        return self._backlog.attempt(_ATTEMPT_S)

    def _attempt(self, act: Callable[[], object], what: str) -> bool:
        """Do it, and go on where it cannot be done, which is said once. Whether it was done."""
        try:
            act()
        except (HeadwayError, OSError) as error:
            self._warn_once(what, f"{what} fails", error)
            return False
        return True

    def _may_pass(self, error: Exception) -> bool:
        """Whether a server may take it later: it is away or full, or the token has run out."""
        known = isinstance(error, HeadwayError)
        later = known and (error.transient or isinstance(error, AccessError))
        return self._backlog is not None and later

    def _warn_once(self, topic: str, what: str, error: Exception) -> None:
        if self._backlog is not None and self._may_pass(error):
            now_s = time.monotonic()
            self._away_since_s = self._away_since_s or now_s
            if topic != _ENDING and now_s - self._away_since_s < _SAID_AFTER_S:
                return  # a restart takes some seconds, and nobody needs to hear of it
            topic = _SENDING
            what = f"{error}; the program goes on, and what it logs is kept in "
            what += f"{self._backlog.folder} until the server has it"
        else:
            what = f"{what}: {error}"
        if topic not in self._warned:
            self._warned.add(topic)
            self._warn(what)

    def _see_to_cancels(self) -> None:
        lease = self._lease
        if lease is None:
            return
        self._cancel_wanted = lease.cancel_requested() or self._cancel_wanted
        if not self._cancel_wanted:
            return
        canceled = False
        for run_id in reversed(list(self._owned)):
            if self.api.runs.get(run_id).status is Status.CANCEL_REQUESTED:
                self._end_or_leave(run_id, Status.CANCELED, None, "the process was interrupted")
                canceled = True
        self._cancel_wanted = False
        if canceled:
            self._interrupt()

    def _move_metrics(self, *, attempt: bool = True) -> bool:
        """Move what was logged; where that is not even attempted, it is carried to the disk."""
        with self._lock:
            for run_id, journal in list(self._finished.items()):
                if journal.written:  # logged to after the end of its run
                    self._journals[run_id] = self._finished.pop(run_id)
            journals = dict(self._journals)
            ended = set(self._undrained)
        marks: dict[str, tuple[str, int]] = {}
        for run_id, journal in journals.items():
            journal.settle()
            mark = (journal.writer_id, journal.written)
            if mark != self._moved.get(run_id) or self._has_others(run_id, journal):
                self._resting.discard(run_id)
                marks[run_id] = mark
            elif len(journals) > _MOST_OPEN and run_id not in self._resting:
                # Its files are given up; the next log begins another journal.
                journal.close()
                self._resting.add(run_id)
                ended.add(run_id)
        for run_id, (_, written) in marks.items():
            if written - self._moved.get(run_id, ("", 0))[1] > _MUCH_BYTES:
                journals[run_id].sync()  # moving it takes a while
        wanted = [*marks, *sorted(ended.difference(marks))]
        worked = attempt and self._attempt(lambda: self._move(wanted), _MOVING)
        if worked and self._can_move:
            self._moved.update(marks)
        else:
            for run_id in marks:
                journals[run_id].sync()
        return worked

    def _has_others(self, run_id: str, journal: JournalWriter) -> bool:
        """Whether journals of other writers are there: of forked workers, for one."""
        folder = self.api.metrics.journal_dir / run_id
        try:
            return not all(path.name.startswith(journal.writer_id) for path in folder.iterdir())
        except FileNotFoundError:
            return False

    def _move(self, run_ids: list[str]) -> bool:
        """Whether it could be done here at all."""
        if not self._can_move:
            return False
        if not run_ids:
            return True
        try:
            with self._drain_lock:
                self._mover.drain_many(run_ids)
        except MissingPackageError:
            # As in an environment made for this run alone. Whoever reads next takes it in.
            self._can_move = False
            return False
        self._undrained.difference_update(run_ids)
        return True

    def _recycle(self, run_id: str, writer_id: str, offset: int) -> None:
        with self._lock:
            journal = self._journals.get(run_id)
        if journal is not None:
            journal.recycle(writer_id, offset)

    # ------------------------------------------------------------ the end

    def finish(self, uncaught: RunError | None) -> None:
        """End the runs of this process that have not ended, take in what was logged, let go.

        Args:
            uncaught: The exception that ended the program, if one did.
        """
        self._stopping.set()
        for thread in self._threads:
            thread.join(_JOIN_S)
        with self._bounded():
            self._finish(uncaught)
        if self._backlog is not None:
            left = self._backlog.left({*self._journals, *self._finished})
            if left:
                self._warn(
                    f"not sent to the server yet: {left}; kept in {self._backlog.folder}, and sent "
                    "by the next program that uses this server from here, or by 'headway sync'"
                )
            self._backlog.close()
        self.api.close()

    def _finish(self, uncaught: RunError | None) -> None:
        for run_id in reversed(list(self._owned)):  # children before their parents
            self._attempt(lambda run_id=run_id: self._end_with_process(run_id, uncaught), _ENDING)
        self._move_metrics()
        for run_id in list(self._journals):
            self._close_journal(run_id)
        # Once more, now that they are closed, so that nothing stays behind.
        self._attempt(lambda: self._move(sorted(self._undrained)), _MOVING)
        self._send_backlog()
        if self._lease is not None:
            self._attempt(self._lease.close, _ENDING)

    def _end_with_process(self, run_id: str, uncaught: RunError | None) -> None:
        if self.status_at_end(run_id) is Status.CANCEL_REQUESTED:
            self._end_or_leave(run_id, Status.CANCELED, None, "the process ended")
        elif uncaught is not None:
            self._end_or_leave(run_id, Status.FAILED, uncaught, uncaught.message)
        else:
            self._end_or_leave(run_id, Status.COMPLETED, None, "the process ended normally")

    def _end_or_leave(
        self, run_id: str, status: Status, error: RunError | None, reason: str
    ) -> None:
        """End a run unless somebody else was first."""
        try:
            self.end_run(run_id, status, error=error, reason=reason)
        except RunStateError:
            self._owned.pop(run_id, None)
