"""One ``run.log`` with a server that answers, that is killed and that is slow, call by call."""

import os
import signal
import time
from array import array
from typing import Final

from benchmarks.harness import Effort, Line, Timing, percentile
from benchmarks.served import server
from headway import Experiment, Run, Workspace
from headway.sdk.interactive.process import close_sessions

AIM: Final = "p99 as with an embedded workspace"
CALLS: Final = 300_000
_BATCH: Final = 10_000


def measure(effort: Effort) -> list[Line]:
    """Log beside the same in an embedded workspace, in turn."""
    calls = (30_000 if effort.quick else CALLS) * effort.scale
    os.environ["HEADWAY_SERVER_END_WAIT_S"] = "1"
    os.environ["HEADWAY_SERVER_TIMEOUT_S"] = "5"
    lines: list[Line] = []
    embedded = Experiment(Workspace.create("away", exist_ok=True), "away")
    with server() as served:
        os.environ["HEADWAY_TOKEN"] = served.token()
        os.environ["HEADWAY_WORKSPACE"] = served.url
        remote = Experiment(Workspace.from_config(), "away")
        del os.environ["HEADWAY_WORKSPACE"]
        states = {
            "answers": signal.SIGCONT,
            "is stopped": signal.SIGSTOP,
            "is dead": signal.SIGKILL,
        }
        for state, number in states.items():
            with embedded.start_logging() as beside:
                served.process.send_signal(signal.SIGCONT)
                run = remote.start_logging()
                served.process.send_signal(number)
                base, timing = _measure(calls, beside, run)
            what = f"run.log: the server {state}"
            lines.append(Line(what, timing, "an embedded workspace", base, AIM))
        close_sessions()
    return lines


def _measure(calls: int, beside: Run, run: Run) -> tuple[Timing, Timing]:
    taken = (array("q"), array("q"))
    for begin in range(0, calls, _BATCH):
        for one, into in zip((beside, run), taken, strict=True):
            _log(one, into, begin)
        time.sleep(0.05)
    first, second = (_timing(into) for into in taken)
    return first, second


def _log(run: Run, taken: "array[int]", begin: int) -> None:
    clock, log = time.perf_counter_ns, run.log
    for number in range(begin, begin + _BATCH):
        before = clock()
        log("loss", number * 0.5, step=number)
        taken.append(clock() - before)


def _timing(taken: "array[int]") -> Timing:
    ordered = sorted(one / 1e9 for one in taken)
    return Timing(
        count=len(ordered),
        median_s=percentile(ordered, 0.5),
        p99_s=percentile(ordered, 0.99),
        low_s=ordered[0],
        high_s=ordered[-1],
    )
