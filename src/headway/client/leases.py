"""A process's claim to be alive, told to a server again and again."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from headway.errors import HeadwayError
from headway.hosting.owners import FileLease
from headway.runners import LeaseState, Runners

Bounded = Callable[[float], AbstractContextManager[None]]

_LONGEST_WAIT_S: Final = 10.0
_ANSWER_S: Final = 5.0
"""So long the server may take to answer what needs no waiting."""
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0


class Heart:
    """Beats for an owner in a thread of its own, and hears the signals for it.

    Args:
        runners: The server.
        owner_id: Who beats.
        host: Where.
        on_signal: Called in that thread when something is wanted of a run of this owner.
        bounded: Gives up what is asked of the server within a block after so many seconds: one
            that says nothing must not be waited for longer than beats may be missed.

    Raises:
        HeadwayError: The server cannot be told.
    """

    def __init__(
        self,
        runners: Runners,
        owner_id: str,
        host: str,
        on_signal: Callable[[], None],
        bounded: Bounded,
    ) -> None:
        self._runners = runners
        self._bounded = bounded
        self._owner_id = owner_id
        self._host = host
        self._on_signal = on_signal
        self._ended = threading.Event()
        state = runners.beat(owner_id, host)
        self._seen = state.signals
        self._thread = threading.Thread(
            target=self._beat, args=(state,), name="headway-lease", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Beat no more. What the thread waits for may still take some seconds."""
        self._ended.set()

    def _beat(self, state: LeaseState) -> None:
        pause_s = _FIRST_PAUSE_S
        while not self._ended.is_set():
            try:
                self._hear(self._wait(state.missed_after_s / 3))
                if not self._ended.is_set():
                    with self._bounded(_ANSWER_S):
                        state = self._runners.beat(self._owner_id, self._host)
                    self._hear(state)
                pause_s = _FIRST_PAUSE_S
            except HeadwayError:  # the server is away: the run goes on, and this is tried again
                self._ended.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _wait(self, longest_s: float) -> LeaseState:
        """What is heard, at the latest after so many seconds."""
        begun = time.monotonic()
        wait_s = min(_LONGEST_WAIT_S, longest_s)
        with self._bounded(wait_s + _ANSWER_S):
            state = self._runners.wait(self._owner_id, self._seen, wait_s)
        if state.signals == self._seen and time.monotonic() - begun < wait_s / 2:
            self._ended.wait(_FIRST_PAUSE_S)  # the server is being stopped, and keeps nobody
        return state

    def _hear(self, state: LeaseState) -> None:
        if state.signals != self._seen:  # -1: it was given up, and its runs with it
            self._seen = state.signals
            self._on_signal()


class RemoteLease:
    """Implements ``headway.api.Lease``: told to the server, and by a lock to this machine.

    By the lock an agent of this machine sees at once that the process is gone.
    """

    def __init__(
        self, runners: Runners, owner_id: str, host: str, owners: Path, bounded: Bounded
    ) -> None:
        self._runners = runners
        self._bounded = bounded
        self._owner_id = owner_id
        self._lock = FileLease(owners / owner_id)
        self._asked = threading.Event()
        try:
            self._heart = Heart(runners, owner_id, host, self._asked.set, bounded)
        except HeadwayError:
            self._lock.close()
            raise

    def cancel_requested(self) -> bool:
        """Whether somebody asked to cancel a run of this owner since the last call."""
        if not self._asked.is_set():
            return False
        self._asked.clear()
        return True

    def close(self) -> None:
        """Give the claim up. Where the server is away, it will miss the beats."""
        self._heart.stop()
        try:
            with self._bounded(_ANSWER_S):
                self._runners.release(self._owner_id)
        except HeadwayError:
            self._lock.forget()  # who comes next on this machine tells the server
            return
        self._lock.close()
