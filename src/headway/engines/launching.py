"""Several processes as the program of one run: the command that starts them, and who failed.

Standard library only: the shim and the launcher use it.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from headway.engines import document
from headway.errors import StorageError

LAUNCHER_SCRIPT: Final = Path(__file__).parents[1] / "runner" / "launcher.py"
"""The program that starts the processes. Run, never imported from here."""

_FAILED_FILE: Final = "failed_rank.json"


class FailedRank(NamedTuple):
    """The process that failed first."""

    rank: int
    processes: int
    """How many there were."""
    status: int
    """Its exit code, or minus the signal that ended it."""


def command(
    folder: Path, count: int, kind: str, program: Sequence[str], python: str = sys.executable
) -> list[str]:
    """What starts so many processes of a program.

    Args:
        folder: That of the run.
        count: How many.
        kind: ``pytorch`` or ``mpi``: which variables tell them of each other.
        program: What each executes.
        python: The interpreter of the launcher, not of the program.
    """
    launcher = [python, "-I", "-S", str(LAUNCHER_SCRIPT), str(folder), str(count), kind]
    return [*launcher, *program]


def rank_log(rank: int) -> str:
    """The name of the log of one process. That of the first is the run's main log, too."""
    return f"std_log_process_{rank}.txt"


def write_failed(folder: Path, failed: FailedRank) -> None:
    """Note which process failed first, and how.

    Raises:
        StorageError: It cannot be written.
    """
    document.replace(folder / _FAILED_FILE, failed._asdict(), durable=False)


def read_failed(folder: Path) -> FailedRank | None:
    """The process that failed first; None where none did, or it cannot be known."""
    try:
        fields = document.read(folder / _FAILED_FILE)
        if fields is None:
            return None
        return FailedRank(fields.whole("rank"), fields.whole("processes"), fields.whole("status"))
    except StorageError:
        return None
