"""What becomes the agent of a spool. Run as a script, never imported.

    python -I -S agent_start.py SPOOL

It takes the lock of the agent, leaves the session of whoever started it, and becomes
``headway.runner.agent``, which needs other packages and takes longer to come up.
"""

import os
import sys

# Isolated from the user's environment, Python finds nothing but its own library. Appended, not put
# in front: no module beside ours can take the place of one of the library's.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120 - pathlib would be imported before it is known from where

import signal
from pathlib import Path

from headway.engines import agency, cgroup

del sys.path[-1]

_MOST_LOG_BYTES = 1 << 20


def main(spool: Path) -> None:
    """Become the agent, unless there is one."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # above all the slots of whoever started this
    claim = agency.claim(spool)
    if claim is None:
        return
    pid = os.fork()
    if pid != 0:
        agency.sign(claim, pid)
        os._exit(0)  # so that nobody waits for the one that stays
    os.setsid()
    os.chdir("/")
    cgroup.leave_foreign()
    if os.fstat(2).st_size > _MOST_LOG_BYTES:
        os.ftruncate(2, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.set_inheritable(claim, True)
    os.execv(  # noqa: S606  (there is no shell)
        sys.executable, [sys.executable, "-P", "-m", agency.MODULE, str(spool), str(claim)]
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
