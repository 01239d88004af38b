"""A program that does all it can to outlive its run.

It forks in five ways, ignores every signal that can be ignored, closes what it was given, and one
of its daemons has an empty environment. Each process says that it is up by a file ``up-<name>``.
"""

import os
import signal
import sys
import time
from pathlib import Path

HERE = Path(sys.argv[1])


def stubborn(name: str) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    os.closerange(0, 64)
    (HERE / f"up-{name}").touch()
    time.sleep(60)


def forked(name: str, *, session: bool = False, twice: bool = False) -> None:
    if os.fork():
        if twice:
            os.wait()
        return
    if session:
        os.setsid()
    if twice and os.fork():
        os._exit(0)
    if name == "nameless":
        os.execve(sys.executable, [sys.executable, __file__, str(HERE), name], {})
    stubborn(name)


if len(sys.argv) > 2:
    stubborn(sys.argv[2])
forked("child")
forked("session", session=True)
forked("daemon", session=True, twice=True)
forked("nameless", session=True, twice=True)
stubborn("main")
