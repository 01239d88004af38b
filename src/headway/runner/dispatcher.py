"""The dispatcher: starts queued runs as slots become free. Run as a script, never imported.

    python -I -S dispatcher.py QUEUE TICK_S

QUEUE is the folder with the slots and the tickets. There is one dispatcher a queue, and only while
there is a ticket. It may be killed at any time: all that it knows stands in files and flocks. A run
is in the hands of whoever holds its lock, and that passes from here to its shim without a gap.
"""

import os
import sys

# Isolated from the user's environment, Python finds nothing but its own library. Appended, not put
# in front: no module beside ours can take the place of one of the library's.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120 - pathlib would be imported before it is known from where

import select
import signal
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Final

from headway.engines import cgroup, dispatching, tickets
from headway.engines.folder import RunFolder
from headway.engines.local import LocalEngine
from headway.engines.slots import Assignment, Capacity, Kind, Slot, Slots, variables
from headway.engines.tickets import Order, Ticket, Tickets
from headway.errors import HeadwayError, StorageCorruptError, SubmissionError

del sys.path[-1]

_HOLD_PATIENCE_S: Final = 0.02
_SOON_S: Final = 0.01
"""Until the next look at a run that somebody else holds, which its submitter does for a moment."""
_MOST_LOG_BYTES: Final = 1 << 20


def main(queue: Path, tick_s: float) -> int:
    """Hand out slots until nobody waits."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # above all the slots of whoever started this
    claim = dispatching.claim(queue)
    if claim is None:
        return 0
    bell = dispatching.listen(queue)
    if os.fork() != 0:
        os._exit(
            0
        )  # so that init, not whoever looked at a run, is the parent of the one that stays
    _detach()
    while claim is not None:
        dispatching.sign(claim)
        Dispatcher(queue, bell, tick_s).work()
        os.close(bell)
        os.close(claim)
        # Somebody may have written a ticket and heard that there is a dispatcher.
        if not dispatching.anybody_waits(queue):
            break
        claim = dispatching.claim(queue)
        bell = dispatching.listen(queue)
    return 0


class _Turn(Enum):
    """What became of a run whose turn it was."""

    STARTED = "started"
    OVER = "over"
    """There was nothing to start; the ticket is gone."""
    HELD = "held"
    """Somebody else holds the run at this moment."""


class Dispatcher:
    """The one that hands out the slots of a queue.

    Args:
        queue: Its folder.
        bell: Readable when somebody has rung.
        tick_s: How often to look without that.
    """

    def __init__(self, queue: Path, bell: int, tick_s: float) -> None:
        self._queue = queue
        self._slots = Slots(queue)
        self._tickets = Tickets(queue)
        self._bell = bell
        self._tick_s = tick_s
        self._said = ""

    def work(self) -> None:
        """Start runs, each in its turn, until there is no ticket."""
        soon_s = _SOON_S
        while waiting := self._tickets.waiting():
            try:
                again_soon = self._round(waiting)
            except (HeadwayError, OSError) as error:  # such as damaged slots.json: it gets mended
                self._say(str(error))
                again_soon = False
            soon_s = min(2 * soon_s, self._tick_s) if again_soon else _SOON_S
            self._wait(soon_s if again_soon else self._tick_s)

    def _wait(self, timeout_s: float) -> None:
        readable, _, _ = select.select([self._bell], [], [], timeout_s)
        if readable:
            os.read(self._bell, 65536)

    def _round(self, waiting: Iterable[Ticket]) -> bool:
        """Start what can be started now; whether to look again soon, since somebody holds a run.

        A run overtakes only one that waits for a kind of slot which the overtaker does not use. So
        a large request is not starved by small ones, and CPU runs pass a queue for GPUs.
        """
        capacity = self._slots.read()
        free = self._slots.take_free(capacity)
        lacking: set[Kind] = set()
        held = False
        limits = cache(capacity.limits)
        beyond = cache(capacity.beyond)
        try:
            for ticket in waiting:
                if beyond(ticket.need):
                    continue  # there is less than when it was submitted: it must not block others
                limited = limits(ticket.need)
                lacking |= {kind for kind in limited if ticket.need.of(kind) > len(free[kind])}
                if limited & lacking:
                    continue
                turn = self._attend(ticket, capacity, _pick(free, ticket, limited))
                if turn is _Turn.STARTED:
                    for kind in limited:
                        _close(_pick(free, ticket, {kind}))
                        del free[kind][: ticket.need.of(kind)]
                held = held or turn is _Turn.HELD
        finally:
            for slots in free.values():
                _close(slots)
        return held

    def _attend(self, ticket: Ticket, capacity: Capacity, slots: Sequence[Slot]) -> _Turn:
        """Start the run of a ticket with these slots, if it is still to be started."""
        try:
            order = tickets.read(ticket)
        except StorageCorruptError as error:
            self._say(str(error))
            order = None
        folder = RunFolder(Path(order.folder)) if order is not None else None
        if order is None or folder is None or not folder.spec_file.exists():
            tickets.drop(ticket)  # the run or its folder was deleted
            return _Turn.OVER
        lock_fd = folder.try_hold(_HOLD_PATIENCE_S)
        if lock_fd is None:
            if not folder.state_file.exists():
                return _Turn.HELD
            tickets.drop(ticket)  # a dispatcher was killed after it had started the run
            return _Turn.OVER
        try:
            return self._start(ticket, order, folder, lock_fd, capacity, slots)
        finally:
            os.close(lock_fd)

    def _start(
        self,
        ticket: Ticket,
        order: Order,
        folder: RunFolder,
        lock_fd: int,
        capacity: Capacity,
        slots: Sequence[Slot],
    ) -> _Turn:
        if not ticket.path.exists():
            return _Turn.OVER  # canceled, or started, since the round began
        if folder.state_file.exists():
            tickets.drop(ticket)
            return _Turn.OVER
        if tickets.end_unstarted(folder, ticket):
            return _Turn.OVER
        environment = variables(slots, capacity, ticket.need, order.environment)
        for slot in slots:
            self._slots.hand_over(slot, folder)
        engine = LocalEngine(python=order.python, shim=Path(order.shim))
        try:
            engine.start(folder, lock_fd, Assignment(self._queue, tuple(slots), environment))
        except SubmissionError as error:
            self._say(error.message)  # the run's folder says that it must not begin any more
            tickets.drop(ticket)
            return _Turn.OVER
        tickets.drop(ticket)
        return _Turn.STARTED

    def _say(self, what: str) -> None:
        if what == self._said:
            return
        self._said = what
        try:
            sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {what}\n")
            sys.stderr.flush()
        except OSError:
            return  # the disk is full; nobody can be told


def _pick(
    free: Mapping[Kind, Sequence[Slot]], ticket: Ticket, kinds: Collection[Kind]
) -> list[Slot]:
    need = ticket.need
    return [slot for kind in need.kinds if kind in kinds for slot in free[kind][: need.of(kind)]]


def _close(slots: Iterable[Slot]) -> None:
    for slot in slots:
        os.close(slot.fd)


def _detach() -> None:
    """Keep nothing of whoever started this process: no terminal, no cgroup, no signals."""
    os.setsid()
    os.chdir("/")
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    cgroup.leave_foreign()
    if os.fstat(2).st_size > _MOST_LOG_BYTES:
        os.ftruncate(2, 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), float(sys.argv[2])))
