"""The shim: starts, watches and stops one user's program. Run as a script, never imported.

    python -I -S shim.py FOLDER READY_FD LOCK_FD [QUEUE SLOT_FD ...]

FOLDER is that of the run. To READY_FD it writes a line beginning with ``ready``, or why it cannot.
LOCK_FD holds the run's lock, and is kept open until this process ends. Each SLOT_FD holds a slot
of QUEUE: the program inherits it, so that the slot stays taken while anything of the run is left.
"""

import os
import sys

# Isolated from the user's environment, Python finds nothing but its own library. Appended, not put
# in front: no module beside ours can take the place of one of the library's.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))  # noqa: PTH100, PTH120 - pathlib would be imported before it is known from where

from collections.abc import Sequence
from pathlib import Path

from headway.engines import dispatching
from headway.engines.folder import RunFolder
from headway.errors import HeadwayError
from headway.runner.supervisor import Supervisor

del sys.path[-1]


def main(path: str, ready_fd: int, lock_fd: int, queue: str = "", *slot_fds: int) -> int:
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
    if queue:
        _free(Path(queue), slot_fds)
    return 0


def _free(queue: Path, slot_fds: Sequence[int]) -> None:
    """Give the slots back, and have them handed out again at once."""
    for fd in slot_fds:
        os.close(fd)
    try:
        dispatching.wake(queue)
    except OSError as error:  # whoever looks at a run that waits will try again
        sys.stderr.write(f"the dispatcher of {queue} cannot be started: {error}\n")


def _answer(fd: int, message: str) -> None:
    try:
        os.write(fd, message.encode(errors="replace"))
        os.close(fd)
    except BrokenPipeError:
        return  # the submitter is gone; the run goes on without it


if __name__ == "__main__":
    _queue, _slot_fds = "".join(sys.argv[4:5]), map(int, sys.argv[5:])
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), _queue, *_slot_fds))
