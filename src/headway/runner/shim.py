"""The shim: starts, watches and stops one user's program. Run as a script, never imported.

    python -I -S shim.py FOLDER READY_FD LOCK_FD

FOLDER is that of the run. To READY_FD it writes a line beginning with ``ready``, or why it cannot.
LOCK_FD holds the run's lock, and is kept open until this process ends.
"""

import os
import sys

# Isolated from the user's environment, Python finds nothing but its own library. Appended, not put
# in front: no module beside ours can take the place of one of the library's.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120 - pathlib would be imported before it is known from where

from pathlib import Path

from headway.engines.folder import RunFolder
from headway.errors import HeadwayError
from headway.runner.supervisor import Supervisor

del sys.path[-1]


def main(path: str, ready_fd: int, lock_fd: int) -> int:
    """Hold the run in this folder to its end."""
    os.set_inheritable(ready_fd, False)
    os.set_inheritable(lock_fd, False)  # or the user's program would keep the run alive
    if os.fork() != 0:
        return 0  # so that init, not the submitter, is the parent of the one that stays
    try:
        supervisor = Supervisor(RunFolder(Path(path)))
        supervisor.take_over()
    except (HeadwayError, OSError) as error:
        _answer(ready_fd, str(error))
        return 1
    _answer(ready_fd, f"ready {os.getpid()}")
    supervisor.run()
    return 0


def _answer(fd: int, message: str) -> None:
    try:
        os.write(fd, message.encode(errors="replace"))
        os.close(fd)
    except BrokenPipeError:
        return  # the submitter is gone; the run goes on without it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
