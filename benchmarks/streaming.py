"""How long a line of a program's output is on its way to whoever follows the run."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import Effort, Line, timing_of
from headway import Experiment, ScriptRunConfig, Workspace

LOG = "user_logs/std_log.txt"
# The pauses are uneven, so that they do not fall into step with those of a reader.
TALK = """\
import random, sys, time
time.sleep(0.2)
for _ in range(int(sys.argv[1])):
    print(time.time_ns(), flush=True)
    time.sleep(random.uniform(0.02, 0.06))
"""


def measure(effort: Effort) -> list[Line]:
    """Follow a script through ``api.runs.watch``, beside one that writes into a pipe of ours."""
    count = effort.rounds(100, 25)
    with TemporaryDirectory() as folder:
        Path(folder, "talk.py").write_text(TALK)
        watched = timing_of(list(_watched(Path(folder), count)))
        piped = timing_of(list(_piped(Path(folder), count)))
    return [Line("a line's way to a follower", watched, "through a pipe", piped, "100 ms")]


def _watched(source: Path, count: int) -> Iterator[float]:
    workspace = Workspace.create("streaming", exist_ok=True)
    run = Experiment(workspace, "streaming").submit(
        ScriptRunConfig(str(source), "talk.py", [count])
    )
    offset, rest, ended = 0, b"", False
    while not ended:
        update = workspace.api.runs.watch(run.id, log=LOG, offset=offset, timeout_s=5)
        seen = time.time_ns()
        offset = update.log.next_offset
        ended = update.run.status.ended and not update.log.data
        *lines, rest = (rest + update.log.data).split(b"\n")
        for line in lines:
            yield (seen - int(line)) / 1e9


def _piped(source: Path, count: int) -> Iterator[float]:
    command = [sys.executable, str(source / "talk.py"), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield (time.time_ns() - int(line)) / 1e9
