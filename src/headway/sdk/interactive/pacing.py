"""How often somebody is asked who does not answer: less and less, and not all at one time."""

import random
import time
from collections.abc import Callable
from typing import Final

_LONGEST_S: Final = 15.0


class Pace:
    """Says when to try again.

    Args:
        first_s: The pause after the first attempt that did not work.
        clock: Seconds, from anywhere on.
        jitter: A number from 0 to 1, another each time.
    """

    def __init__(
        self,
        first_s: float,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._first_s = first_s
        self._clock = clock
        self._jitter = jitter
        self._pause_s = 0.0
        self._due_s = 0.0

    def due(self) -> bool:
        """Whether to try now."""
        return self._clock() >= self._due_s

    def note(self, *, worked: bool) -> None:
        """An attempt has been made."""
        if worked:
            self._pause_s = self._due_s = 0.0
            return
        self._pause_s = min(max(2 * self._pause_s, self._first_s), _LONGEST_S)
        self._due_s = self._clock() + self._pause_s * (0.5 + self._jitter() / 2)
