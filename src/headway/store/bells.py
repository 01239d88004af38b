"""Bells: whoever waits for something in a database is woken when it happens, in any process.

A transaction rings topics, texts of the caller's choice such as ``run:<id>``. A ring is heard once
the transaction is committed, and not at all if it is undone::

    with database.write() as tx:
        ...
        tx.ring(f"run:{run_id}")

Whoever waits listens first and looks then, so that nothing is missed between the two::

    with database.listen([f"run:{run_id}"]) as ear:
        while not has_what_it_waits_for():
            if not ear.wait(seconds_left()):
                break

A ring says "look again" and no more. An ear may be woken though none of its topics rang: when the
connection to the database was made anew, at the start, and with SQLite by rings of other topics.
It is never left asleep though one of them did.

In an event loop nothing waits in a thread: ``on_ring`` is called in the thread of the bell, as
``ear.wait`` would return, and may do little::

    with database.listen(topics, on_ring=lambda: loop.call_soon_threadsafe(ready.set)):
        ...

PostgreSQL carries rings by ``notify``. SQLite has none: a ring changes the number ``user_version``,
which listeners read every ``POLL_S`` seconds.
"""

import os
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from typing import Final

from headway.errors import StorageError

POLL_S: Final = 0.02
"""How often a database that cannot call is asked."""
MAX_TOPIC_CHARS: Final = 1000
_AGAIN_S: Final = 0.5
"""So long after a failure the database is listened to again."""

OnRing = Callable[[], object]
Wanted = Callable[[], bool]
Heard = Callable[[str | None], None]
Watch = Callable[[Wanted, Heard], None]
"""Says what rings, None where that is not known, until it is not wanted any more; first of all, as
soon as nothing can be missed, that something may have rung."""


class Ear:
    """Listens to topics. Its block in ``Database.listen`` is its life."""

    def __init__(self, topics: frozenset[str], on_ring: OnRing | None) -> None:
        self._topics = topics
        self._on_ring = on_ring
        self._rung = threading.Event()

    def wait(self, timeout_s: float) -> bool:
        """Wait for a ring since the last wait, or since the ear listens; False if none came."""
        rung = self._rung.wait(timeout_s)
        self._rung.clear()
        return rung

    def hear(self, topic: str | None) -> None:
        """Be told that a topic rang; None for any."""
        if topic is None or topic in self._topics:
            self._rung.set()
            if self._on_ring is not None:
                self._on_ring()


class Ears:
    """The ears of one database in this process, and the thread that listens for all of them."""

    def __init__(self, watch: Watch, *, linger_s: float) -> None:
        """Begin without ears.

        Args:
            watch: Listens to the database, in a thread of its own.
            linger_s: So long it goes on when the last ear is gone, since another may come.
        """
        self._watch = watch
        self._linger_s = linger_s
        self._forget()

    @contextmanager
    def listening(
        self, topics: Iterable[str], on_ring: OnRing | None = None
    ) -> Generator[Ear, None, None]:
        """Listen while the block lasts."""
        if self._pid != os.getpid():
            self._forget()  # what a fork copied: a lock that may be held, and a thread that is none
        ear = Ear(frozenset(topics), on_ring)
        with self._lock:
            self._ears.add(ear)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._listen, name="headway-bell", daemon=True
                )
                self._thread.start()
        try:
            yield ear
        finally:
            with self._lock:
                self._ears.discard(ear)
                self._alone_since = time.monotonic()

    def close(self) -> None:
        """End the thread, and wake every ear: there is nothing more to wait for."""
        if self._pid != os.getpid():
            return
        with self._lock:
            self._closed = True
            thread = self._thread
        self._heard(None)
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _forget(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._ears: set[Ear] = set()
        self._thread: threading.Thread | None = None
        self._alone_since = 0.0
        self._closed = False

    def _listen(self) -> None:
        while self._goes_on():
            try:
                self._watch(self._wanted, self._heard)
            except StorageError:  # it is away: whoever waits looks, and meets the error itself
                self._heard(None)
                time.sleep(_AGAIN_S)

    def _goes_on(self) -> bool:
        with self._lock:
            if not self._wanted():
                self._thread = None
            return self._thread is not None

    def _wanted(self) -> bool:
        if self._closed:
            return False
        return bool(self._ears) or time.monotonic() - self._alone_since < self._linger_s

    def _heard(self, topic: str | None) -> None:
        with self._lock:
            ears = list(self._ears)
        for ear in ears:
            with suppress(RuntimeError):  # its event loop was closed meanwhile
                ear.hear(topic)
