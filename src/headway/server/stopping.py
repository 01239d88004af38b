"""That a server process is about to end: told to whoever waits, so that nobody holds it up."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager


class Stopping:
    """Begun once. Any thread may ask, or be told."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun = False
        self._told: set[Callable[[], None]] = set()

    @property
    def begun(self) -> bool:
        """Whether the process is about to end."""
        return self._begun

    def begin(self) -> None:
        """Tell all who wait."""
        with self._lock:
            self._begun = True
            told = list(self._told)
        for call in told:
            call()

    @contextmanager
    def telling(self, call: Callable[[], None]) -> Generator[None]:
        """Have a function called when it begins, while the block lasts."""
        with self._lock:
            self._told.add(call)
        try:
            yield
        finally:
            with self._lock:
                self._told.discard(call)
