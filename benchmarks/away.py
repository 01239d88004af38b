"""One ``run.log`` with a server that answers, that is killed and that is slow, call by call."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.harness import Effort, Line, Timing, percentile
from benchmarks.peers.headway.server import TOKEN
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
    with tempfile.TemporaryDirectory(prefix="headway-bench-") as folder, _server(folder) as server:
        url, process = server
        os.environ["HEADWAY_TOKEN"] = (Path(folder) / TOKEN).read_text()
        os.environ["HEADWAY_WORKSPACE"] = url
        remote = Experiment(Workspace.from_config(), "away")
        del os.environ["HEADWAY_WORKSPACE"]
        states = {
            "answers": signal.SIGCONT,
            "is stopped": signal.SIGSTOP,
            "is dead": signal.SIGKILL,
        }
        for state, number in states.items():
            with embedded.start_logging() as beside:
                process.send_signal(signal.SIGCONT)
                run = remote.start_logging()
                process.send_signal(number)
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


@contextmanager
def _server(folder: str) -> Generator[tuple[str, subprocess.Popen[bytes]], None, None]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "benchmarks.peers.headway.server", folder, str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_served(process, port)
            yield f"http://127.0.0.1:{port}", process
        finally:
            process.kill()


def _wait_until_served(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server does not answer")
