"""What a fork must not find half done.

A child has only the thread that forked. A module that another thread was importing stays locked in
it for ever (the interpreter makes no new locks of modules after a fork): its next import hangs.
"""

import os
import threading
from typing import Final

whole: Final = threading.RLock()
"""Held while a thread of Headway's own imports, and by whoever forks."""

os.register_at_fork(
    before=whole.acquire, after_in_parent=whole.release, after_in_child=whole.release
)
