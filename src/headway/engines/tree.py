"""The processes of one run: which they are, and how none of them is left."""

import itertools
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from headway.engines import agency, dispatching, processes
from headway.engines.folder import RunFolder
from headway.engines.processes import Process
from headway.errors import StorageError

SHIM_SCRIPT: Final = Path(__file__).parents[1] / "runner" / "shim.py"
"""The program that an engine starts for every run. Run, never imported from here."""

_SHIM_SUFFIX: Final = "/headway/runner/shim.py"
_KILL_PATIENCE_S: Final = 5.0


def below(roots: Iterable[int]) -> list[Process]:
    """The living processes below these pids that belong to the same run.

    A run may submit another one. Its shim is born below the first run but ends with its own:
    it is left out, with everything below it. So are the dispatcher and the agent, whoever happened
    to start them.
    """
    return processes.descendants(roots, stop_at=holds_a_run)


def holds_a_run(process: Process) -> bool:
    """Whether this is the living shim of a run that goes on, a dispatcher or an agent."""
    arguments = processes.arguments_of(process.pid)
    for script, path in itertools.pairwise(arguments):
        if script.endswith(_SHIM_SUFFIX):
            folder = RunFolder(Path(path))
            try:
                record = folder.read_state()
                return record is not None and record.shim == process and folder.alive()
            except StorageError:
                return False
    return dispatching.is_dispatcher(process, arguments) or agency.is_agent(process, arguments)


def kill_all(
    find: Callable[[], Iterable[Process]],
    none_left: Callable[[], bool],
    *,
    patience_s: float = _KILL_PATIENCE_S,
) -> list[Process]:
    """SIGKILL what ``find`` finds until none is left, and return what could not be killed.

    A process can fork between being found and being killed. So each is stopped the moment it is
    found, which no process can refuse, and killed when all that were born meanwhile are stopped.

    Args:
        find: What is there, as it is found. It may miss a process that forks and exits meanwhile.
        none_left: Whether really nothing is left, asked where nothing is found.
        patience_s: How long to try.
    """
    deadline = time.monotonic() + patience_s
    pause_s = 0.001
    while True:
        left = [p for p in find() if processes.send_signal(p, signal.SIGSTOP)]
        left = list({*left, *find()})
        if not left and none_left():
            return []
        if time.monotonic() > deadline:
            return left
        for process in left:
            processes.send_signal(process, signal.SIGKILL)
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, 0.02)
