"""The block of an interactive run, ``with run:``: what is printed in it is kept."""

import os
import traceback

from headway.sdk.interactive.keeping import PrintedLog
from headway.sdk.interactive.printing import copy_prints


class Block:
    """Begins when it is made.

    Args:
        printed: Where what is printed is kept too.
    """

    def __init__(self, printed: PrintedLog) -> None:
        self._printed = printed
        self._folder = _current_folder()
        self._end_copying = copy_prints(printed.write)

    def end(self, error: BaseException | None) -> None:
        """Print for the terminal alone again, and go back to where the block began.

        Args:
            error: What ended the block, which is kept with what was printed.
        """
        self._end_copying()
        if error is not None:
            self._printed.write("".join(traceback.format_exception(error)))
        if self._folder is not None and _current_folder() != self._folder:
            try:
                os.chdir(self._folder)
            except OSError:
                return  # it was removed meanwhile


def _current_folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109  (a text to compare, not a path)
    except OSError:
        return None
