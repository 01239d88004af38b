"""The life of one run, from its shim's point of view: start, watch, stop, leave nothing behind.

The shim must outlast what it watches. So nothing here depends on the disk having space, on the
program being well-behaved, or on anybody being there to read.
"""

import math
import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from headway.engines import cgroup, ending, launching, processes, tree
from headway.engines.ending import Ending
from headway.engines.folder import Intent, RunFolder, ShimRecord
from headway.engines.processes import Process
from headway.errors import StorageError
from headway.runner import holding, program
from headway.runner.agent_watch import AgentWatch
from headway.runner.companion import Companion
from headway.runner.log_index import LogIndex
from headway.runner.log_keeper import LogKeepers
from headway.runner.program import CannotStartError

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

_TICK_S: Final = 1.0
"""A request to end is looked for at least this often; normally a signal announces it."""
_REST_TICK_S: Final = 0.02
_FIRST_SCAN_S: Final = 0.05
_SCAN_SHARE: Final = 0.003
"""Of one core, at most, for looking at the tree of processes."""
_GROUPED_SCAN_S: Final = 10.0
"""A cgroup knows its members by itself, so the recorded tree matters less."""
_KEEP_TRYING_S: Final = 3600.0


@dataclass(frozen=True)
class _Stop:
    """Why the program is being ended, since when, and when its grace is over."""

    intent: Intent
    asked_at: float
    kill_at: float


class Supervisor:
    """Holds one run until no process of it is left."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._spec = folder.read_spec()
        self._reporter = Companion(self._spec, folder, _say)
        self._agent = AgentWatch(self._spec.spool, _say)
        self._logs = LogKeepers(folder.path, self._spec.log, self._spec.max_log_bytes, _say)
        self._index = LogIndex(folder.path, self._spec.log, _say)
        self._group: Path | None = None
        self._main: Process | None = None
        self._main_status: int | None = None
        self._childless = False
        self._stop: _Stop | None = None
        self._sigterm_received = False
        self._sigterm_passed_on = False
        self._unsaved = False
        self._tree: list[Process] = []
        self._scan_at = 0.0
        self._scan_interval_s = _FIRST_SCAN_S
        self._wake_fd = -1
        self._poll = select.poll()
        own = processes.status_of(os.getpid())
        self._record = ShimRecord(
            sequence=0,
            phase="Starting",
            boot_id=processes.boot_id(),
            shim_pid=os.getpid(),
            shim_start=own.process.start if own else 0,
        )

    # ------------------------------------------------------------ beginning
    def take_over(self) -> None:
        """Become the one to whom signals for this run are sent, and say so in the state."""
        self._wake_fd = _receive_signals()
        self._poll.register(self._wake_fd, select.POLLIN)
        holding.hold(self._spec.holds)
        processes.become_subreaper()
        if self._spec.use_cgroup:
            cgroup.leave_foreign()
            self._group = cgroup.make(self._spec.run_id)
        self._save(replace(self._record, cgroup=str(self._group) if self._group else None))

    def run(self) -> None:
        """Run the program to its end, and return when no process of it is left."""
        # Whoever asks writes the intent, then signals the shim named in the state. The state was
        # written before this look, so one of the two sees the other.
        intent = self._folder.standing_intent()
        if intent is not None:
            self._finish(ending.of_intent(intent))
            return
        try:
            self._main = program.start(self._spec, self._folder, self._group)
        except CannotStartError as error:
            self._finish(Ending(outcome="Failed", error_code="CannotStart", message=str(error)))
            return
        self._save(
            replace(
                self._record,
                phase="Running",
                main_pid=self._main.pid,
                main_start=self._main.start,
                started_at=ending.now_us(),
            )
        )
        self._reporter.begin()
        self._watch(self._main)
        self._reporter.end()
        self._end_rest()
        survivors = self._kill_rest()
        if not survivors:
            self._logs.close()
        self._index.note()
        self._finish(self._judge(), survivors)
        self._agent.wake()
        self._reporter.wait()

    # ------------------------------------------------------------ while the program runs
    def _watch(self, main: Process) -> None:
        """Until the program has ended or its grace is over."""
        limit_s = self._spec.max_run_duration_s
        limit_at = math.inf if limit_s is None else time.monotonic() + limit_s
        while self._main_status is None:
            kill_at = self._stop.kill_at if self._stop else math.inf
            self._wait(min(kill_at, limit_at if self._stop is None else math.inf))
            now = time.monotonic()
            if self._main_status is not None or now >= kill_at:
                return
            self._look_for_intent(main)
            if self._stop is None and now >= limit_at:
                self._begin_stop(main, _time_limit(limit_s))
            if self._stop is None and self._sigterm_received:
                _say("passing on a SIGTERM that came without a request to end the run")
                self._sigterm_passed_on = True
                processes.terminate(main)
            self._sigterm_received = False

    def _look_for_intent(self, main: Process) -> None:
        """Obey a request to end; where the end was begun before, it can shorten the grace."""
        intent = self._folder.standing_intent()
        if intent is None:
            return
        if self._stop is None:
            self._begin_stop(main, intent)
        else:
            kill_at = min(self._stop.kill_at, self._stop.asked_at + self._grace_s(intent))
            self._stop = replace(self._stop, kill_at=kill_at)

    def _begin_stop(self, main: Process, intent: Intent) -> None:
        """Ask the program itself first: its helpers may be needed to save what it has."""
        processes.terminate(main)
        now = time.monotonic()
        self._stop = _Stop(intent, now, now + self._grace_s(intent))
        self._save_ending(intent.message, intent.by)

    def _grace_s(self, intent: Intent) -> float:
        return self._spec.grace_s if intent.grace_s is None else intent.grace_s

    def _wait(self, until: float) -> None:
        """Until that time, a signal or the next tick; then take note of what happened."""
        now = time.monotonic()
        until = min(until, self._scan_at, self._reporter.due_at, self._logs.due_at)
        timeout_s = max(0.0, min(until - now, _TICK_S))
        if self._poll.poll(math.ceil(timeout_s * 1000)):
            numbers = os.read(self._wake_fd, 4096)
            if signal.SIGTERM in numbers or signal.SIGINT in numbers:
                self._sigterm_received = True
        self._reap()
        self._logs.look()
        self._index.look()
        self._reporter.attend()
        self._agent.look()
        if time.monotonic() >= self._scan_at:
            self._record_tree()
            if self._unsaved:
                self._save(self._record)

    def _reap(self) -> None:
        """Take note of children that ended; orphans of the program become children of the shim."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                self._childless = True
                return
            self._childless = False
            if pid == 0:
                return
            if self._main is not None and pid == self._main.pid:
                self._main_status = os.waitstatus_to_exitcode(status)
            self._reporter.reaped(pid, os.waitstatus_to_exitcode(status))

    # ------------------------------------------------------------ the tree
    def _find(self) -> Iterator[Process]:
        """The processes of the run that are alive, those of its cgroup included."""
        self._reap()
        # First what is found fastest: a chain that forks and exits passes by here all the time.
        for child in processes.children():
            if not child.dead and not self._stands_apart(child.process):
                yield child.process
        if self._group is not None:
            yield from processes.identify(cgroup.pids(self._group))
        yield from self._below()

    def _below(self) -> list[Process]:
        return [process for process in tree.below([os.getpid()]) if not self._is_reporter(process)]

    def _stands_apart(self, process: Process) -> bool:
        """Whether a child of this process does not belong to the run."""
        return self._is_reporter(process) or tree.holds_a_run(process)

    def _is_reporter(self, process: Process) -> bool:
        return process == self._reporter.process

    def _none_left(self) -> bool:
        """Whether nothing is below this process but the reporter and the shims of other runs.

        Where it has no child at all, not even a dead one, that is certain: whatever is below a
        subreaper is below one of its children.
        """
        self._reap()
        if self._childless:
            return True
        children = processes.children()
        return bool(children) and all(self._stands_apart(child.process) for child in children)

    def _record_tree(self) -> None:
        """Note who is there, as seldom as the cost of looking demands."""
        before = time.process_time()
        found = sorted(self._below())
        if found != self._tree:
            try:
                self._folder.write_tree(found)
                self._tree = found
            except StorageError as error:
                _say(str(error))
        cost_s = time.process_time() - before
        slowest_s = max(_GROUPED_SCAN_S if self._group else _TICK_S, cost_s / _SCAN_SHARE)
        self._scan_interval_s = min(2 * self._scan_interval_s, slowest_s)
        self._scan_at = time.monotonic() + self._scan_interval_s

    def _end_rest(self) -> None:
        """Ask what the program left behind to end, and give it the time that it may take."""
        if self._main_status is None:
            return  # the grace is over, and the program itself goes on
        now = time.monotonic()
        until = self._stop.kill_at if self._stop else now + self._spec.linger_s
        asked: set[Process] = set()
        while (rest := set(self._find())) and time.monotonic() < until:
            if not asked and self._stop is None:
                left = "its program has ended and left processes running, which are being ended"
                self._save_ending(left)
            for process in rest - asked:
                processes.terminate(process)
            asked |= rest
            if intent := self._folder.standing_intent():
                asked_at = self._stop.asked_at if self._stop else now
                until = min(until, asked_at + self._grace_s(intent))
            self._wait(min(until, time.monotonic() + _REST_TICK_S))

    def _kill_rest(self) -> list[int]:
        """SIGKILL whatever is left; what remains even then is returned."""
        if self._group is not None:
            cgroup.kill(self._group)
        survivors = tree.kill_all(self._find, self._none_left)
        self._reap()
        return sorted(process.pid for process in survivors)

    # ------------------------------------------------------------ the end
    def _judge(self) -> Ending:
        if self._stop is not None:
            return ending.of_intent(self._stop.intent, self._main_status)
        if self._sigterm_passed_on or self._terminated_together():
            return ending.of_unasked_sigterm(self._main_status)
        killed_for_memory = self._group is not None and cgroup.killed_for_memory(self._group)
        failed = launching.read_failed(self._folder.path) if self._main_status else None
        if failed is not None:
            return ending.of_rank(failed, out_of_memory=killed_for_memory)
        return ending.of_program(self._main_status, out_of_memory=killed_for_memory)

    def _terminated_together(self) -> bool:
        """Whether somebody sent SIGTERM to the program and to this process, as a shutdown does."""
        both = self._sigterm_received and self._main_status == -signal.SIGTERM
        return both and self._folder.standing_intent() is None

    def _finish(self, how: Ending, survivors: Sequence[int] = ()) -> None:
        """Write the final record, however long the disk stays full."""
        if self._group is not None:
            cgroup.remove(self._group)
        how = ending.on_full_disk(how, self._logs.full_at)
        record = ending.final(self._record, how, list(survivors))
        give_up_at = time.monotonic() + _KEEP_TRYING_S
        while True:
            try:
                self._folder.write_state(record)
            except StorageError as error:
                _say(f"the final record is not written yet: {error}")
                if time.monotonic() > give_up_at or not self._folder.path.exists():
                    _say(f"giving up; the run ended as {record}")
                    return
                time.sleep(_TICK_S)
            else:
                return

    def _save_ending(self, why: str, by: str | None = None) -> None:
        at = ending.now_us()
        self._save(replace(self._record, phase="Ending", ending_at=at, by=by, message=why))

    def _save(self, record: ShimRecord) -> None:
        """Write the state; what cannot be written now is kept and tried again."""
        self._record = replace(record, sequence=self._record.sequence + 1)
        try:
            self._folder.write_state(self._record)
            self._unsaved = False
        except StorageError as error:
            self._unsaved = True
            _say(str(error))


def _time_limit(limit_s: float | None) -> Intent:
    return Intent(
        outcome="Failed",
        at=ending.now_us(),
        by="shim",
        code="TimeLimit",
        message=f"the program ran longer than its maximum duration of {limit_s:g} s",
    )


def _receive_signals() -> int:
    """Have signals wake the loop through a pipe, and return its end."""
    read_fd, write_fd = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, _only_wake)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    return read_fd


def _only_wake(number: int, frame: "FrameType | None") -> None:
    """What came in is read from the pipe, where it cannot interrupt anything."""


def _say(what: str) -> None:
    """Leave a line in shim.log, if there is space for it."""
    try:
        sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {what}\n")
        sys.stderr.flush()
    except OSError:
        return  # the disk is full; nobody can be told
