"""Interactive runs: started and completed, and children made many at once."""

import os
import tempfile
from typing import IO

from benchmarks.harness import Effort, Line, interleave, timed
from headway import Experiment, Workspace

BASELINE = "write 4 KiB and fsync"


def one_run(effort: Effort) -> list[Line]:
    """Start an interactive run and complete it."""
    experiment = Experiment(Workspace.create("interactive", exist_ok=True), "one")

    def empty() -> None:
        experiment.start_logging().complete()

    def logged() -> None:
        run = experiment.start_logging()
        run.log("loss", 0.5)
        run.complete()

    with tempfile.TemporaryFile() as file:
        without, with_point, base = interleave(
            effort.rounds(30, 10), timed(empty), timed(logged), timed(lambda: _write(file))
        )
    return [
        Line("start_logging + complete", without, BASELINE, base),
        Line("start_logging + log + complete", with_point, BASELINE, base),
    ]


def many_children(effort: Effort) -> list[Line]:
    """Make 100 children with one call."""
    experiment = Experiment(Workspace.create("interactive", exist_ok=True), "children")
    count = 100 * effort.scale
    with experiment.start_logging() as run, tempfile.TemporaryFile() as file:
        children, base = interleave(
            effort.rounds(10, 3),
            timed(lambda: run.create_children(count)),
            timed(lambda: _write(file)),
        )
    return [Line(f"create_children({count})", children, BASELINE, base)]


def _write(file: IO[bytes]) -> None:
    """The least that making something durable can cost."""
    os.write(file.fileno(), bytes(4096))
    os.fsync(file.fileno())
