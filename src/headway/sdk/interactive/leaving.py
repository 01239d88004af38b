"""Whether a program left by ``sys.exit``: Python tells nobody who cleans up after it.

``sys.exit`` is replaced by a function that remembers what it raised. That may be caught, so it
counts only where the main module did not come to its end: its frame then stands at what raised, and
not at what returns. A ``SystemExit`` that was raised otherwise is not seen.
"""

import dis
import functools
import sys
import threading
from types import FrameType
from typing import Final, NoReturn

_RETURNS: Final = frozenset(
    dis.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in dis.opmap
)


class Leaving:
    """What is remembered of how this process ends.

    Args:
        main: The frame of the main module; None where there is none, as in a notebook.
    """

    def __init__(self, main: FrameType | None) -> None:
        self._main = main
        self._raised: SystemExit | None = None

    def watch(self) -> None:
        """Remember what ``sys.exit`` raises from now on, in the main thread."""
        leave = sys.exit

        @functools.wraps(leave)
        def remembered(*status: object) -> NoReturn:
            try:
                leave(*status)  # pyright: ignore[reportArgumentType]  (it says what it takes)
            except SystemExit as error:
                if threading.current_thread() is threading.main_thread():
                    self._raised = SystemExit(*error.args)  # without the frames of this one
                raise

        sys.exit = remembered

    def failure(self) -> SystemExit | None:
        """What ended the program with another status than 0; asked for after its end."""
        main, raised = self._main, self._raised
        if main is None or main.f_code.co_code[main.f_lasti] in _RETURNS:
            return None  # whatever was raised was caught
        return None if raised is None or raised.code in (None, 0) else raised


def main_frame() -> FrameType | None:
    """The frame of the main module, if it is being executed."""
    names = vars(sys.modules["__main__"])
    frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage]  (documented all the same)
    frame = frames.get(threading.main_thread().ident or 0)
    found = None
    while frame is not None:
        if frame.f_globals is names and frame.f_code.co_name == "<module>":
            found = frame
        frame = frame.f_back
    return found
