"""Cut the line between a training program and its server for a while; then look what arrived.

    python tests/faults/partition.py [--seconds 60]

Nothing passes meanwhile and nobody is told, as when a cable is pulled. A loop logs and prints on
this side, and a run that was submitted here is canceled from the other. At the end everything has
to be true: no call waited for the line, every point and every line arrived once and in order, and
the run that was canceled is dead.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from outage import Line, line_to, serving

from headway import Experiment, Run, ScriptRunConfig, Workspace
from headway.client.workspace import open_remote
from headway.model import CancelOutcome, Status
from headway.sdk.interactive.process import close_sessions
from headway.settings import load_settings

PATIENCE_S = 60.0
PAUSE_S = 0.005
LONGEST_S = 4.0
"""Below the five seconds for which a connection waits, far above what a busy machine adds."""


def until(condition: Callable[[], bool]) -> float:
    """Wait for it; the seconds that it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < PATIENCE_S, "it did not come to be"
        time.sleep(0.05)
    return time.monotonic() - began


def train(run: Run, seconds: float) -> tuple[int, float]:
    """Log and print for so long; how many times, and the longest that it took."""
    count, longest_s, end = 0, 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.perf_counter()
        run.log("loss", float(count), step=count)
        print(f"step {count}")  # noqa: T201
        longest_s = max(longest_s, time.perf_counter() - began)
        count += 1
        time.sleep(PAUSE_S)
    return count, longest_s


def cut(line: Line, direct_url: str, folder: Path, seconds: float) -> dict[str, float]:
    """What is to be told of it."""
    experiment = Experiment(Workspace.from_config(), "partition")
    (folder / "sleep.py").write_text("import time; time.sleep(3600)")
    submitted = experiment.submit(ScriptRunConfig(str(folder), "sleep.py"))
    until(lambda: submitted.get_status() == "Running")
    there = open_remote(direct_url, "default", folder / "elsewhere", load_settings())
    with experiment.start_logging() as run:
        run.log("before", 1)
        until(lambda: "before" in run.get_metrics())
        line.hold()
        outcome = there.runs.cancel(submitted.id, grace_s=1.0, wait_s=0.0)
        assert outcome is CancelOutcome.CANCEL_REQUESTED, outcome
        count, longest_s = train(run, seconds)
        assert there.runs.get(submitted.id).status is not Status.CANCELED
        line.flow()
        canceled_s = until(lambda: there.runs.get(submitted.id).status is Status.CANCELED)
        arrived_s = until(lambda: len(run.history("loss")) == count)
    history = run.history("loss")
    assert np.array_equal(history.steps, np.arange(count))
    assert np.array_equal(history.values, np.arange(count, dtype=float))
    assert there.runs.get(run.id).status is Status.COMPLETED
    with there.files.open(run.id, "logs/user_log.txt") as log:
        lines = log.read().splitlines()
    told = [line for line in lines if line.startswith(b"headway: ")]  # that the server is away
    assert [line for line in lines if line not in told] == [b"step %d" % n for n in range(count)]
    assert len(told) <= 1, told
    assert longest_s < LONGEST_S, longest_s
    there.close()
    return {
        "seconds": seconds,
        "points": count,
        "longest_call_s": round(longest_s, 6),
        "canceled_after_s": round(canceled_s, 3),
        "all_there_after_s": round(arrived_s, 3),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headway-partition-") as place:
        folder = Path(place)
        for name in ("server", "source"):
            (folder / name).mkdir()
        with serving(folder / "server") as server, line_to(server) as line:
            os.environ["HEADWAY_HOME"] = str(folder / "home")
            os.environ["HEADWAY_WORKSPACE"] = line.url
            told = cut(line, server.url, folder / "source", asked.seconds)
            close_sessions()
    print(json.dumps(told), file=sys.stderr)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
