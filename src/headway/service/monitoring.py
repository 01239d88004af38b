"""The monitor: nothing stays Running for ever in a workspace that many hosts use.

Of the processes that serve a workspace one at a time does it. It holds a token for a while, and
each of its writes looks in the same transaction whether the token still is its own. So one that
was stopped, or that a slow disk held up, changes nothing when it goes on after another has come.
"""

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from headway.errors import StorageBusyError
from headway.service.leases import Leases
from headway.service.liveness import Liveness
from headway.settings import Settings
from headway.store import leases
from headway.store.base import Database, Transaction
from headway.store.bells import Ear, OnRing
from headway.store.leases import Lease

GUARD: Final = "monitor"
HELD_S: Final = 15.0
"""For so long a token is its holder's without being renewed."""
_US: Final = 1_000_000


class FencedDatabase:
    """A database that is written to as long as a token is held, and read at any time."""

    def __init__(self, database: Database, name: str, holder: str) -> None:
        self._database = database
        self._name = name
        self._holder = holder
        self.token = 0
        """Under which is written; another one is refused."""

    def read(self) -> AbstractContextManager[Transaction]:
        """See one state of the database."""
        return self._database.read()

    @contextmanager
    def write(self) -> Generator[Transaction]:
        """Be the only writer, if the token is held.

        Raises:
            StorageBusyError: Somebody else has a newer token; nothing was done.
        """
        with self._database.write() as tx:
            if not leases.holds(tx, self._name, self._holder, self.token):
                raise StorageBusyError(
                    "another process looks after this workspace by now: this one changes nothing"
                )
            yield tx

    def listen(
        self, topics: Iterable[str], on_ring: OnRing | None = None
    ) -> AbstractContextManager[Ear]:
        """Listen to topics while the block lasts."""
        return self._database.listen(topics, on_ring)

    def close(self) -> None:
        """Leave the database open: it is somebody else's."""


class Monitor:
    """Looks after the runs of one workspace, while it is the one to do so.

    Args:
        database: That of the workspace.
        fenced: The same, as what follows writes to it.
        held: The leases.
        liveness: The runs of this machine.
        holder: The name of this process, which no other has.
        settings: The settings that hold.
        clock: Microseconds since the epoch.
        stopwatch: Seconds that only go forward.
    """

    def __init__(
        self,
        database: Database,
        fenced: FencedDatabase,
        held: Leases,
        liveness: Liveness,
        holder: str,
        settings: Settings,
        clock: Callable[[], int],
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._fenced = fenced
        self._leases = held
        self._liveness = liveness
        self._holder = holder
        self._settings = settings
        self._clock = clock
        self._stopwatch = stopwatch
        self._since: float | None = None
        self._renew_at = 0.0

    def is_needed(self) -> bool:
        """Whether there is a run that has not ended, or a lease.

        Raises:
            StorageError: The workspace cannot be read.
        """
        with self._database.read() as tx:
            return leases.anything(tx)

    def look(self) -> bool:
        """Bring all runs up to date; False where another process looks after them.

        Raises:
            StorageError: The workspace cannot be read or written.
        """
        if not self._acquire():
            return False
        try:
            self._liveness.refresh_all()
            if self._served_for_s() >= self._settings.missed_after_s:
                for lease in self._leases.overdue():
                    self._judge(lease)
        except StorageBusyError:
            return False
        return True

    def close(self) -> None:
        """Let another process look after the workspace at once."""
        if self._since is None:
            return
        self._since = None
        with self._database.write() as tx:
            leases.resign(tx, GUARD, self._holder, self._fenced.token)

    def _acquire(self) -> bool:
        if self._since is not None and self._stopwatch() < self._renew_at:
            return True  # and where that is not so, nothing is written
        self._renew_at = self._stopwatch() + HELD_S / 3
        now = self._clock()
        until = now + round(HELD_S * _US)
        with self._database.write() as tx:
            token = leases.acquire(tx, GUARD, self._holder, now=now, expires_at=until)
        if token is None:
            self._since = None
            return False
        if self._since is None:
            self._since = self._stopwatch()
        self._fenced.token = token
        return True

    def _served_for_s(self) -> float:
        """A server that was away has heard nobody: all get the time to be heard again."""
        return 0.0 if self._since is None else self._stopwatch() - self._since

    def _judge(self, lease: Lease) -> None:
        if lease.missed_at is None:
            self._leases.miss(lease)
        elif self._clock() - lease.missed_at > self._settings.lost_after_s * _US:
            self._leases.give_up(lease)
