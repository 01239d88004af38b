"""One ``run.log`` in a loop on one thread, call by call."""

import json
import os
import tempfile
import time
from array import array
from collections.abc import Callable

import numpy as np

from benchmarks.harness import Effort, Line, Timing, percentile
from headway import Experiment, Run, Workspace

AIM = "2 us median, 20 us p99"
CALLS = 200_000
AT_ONCE = 10_000

Logger = Callable[[int], object]
"""Logs the point of this number."""


def measure(effort: Effort) -> list[Line]:
    """Log points of several types, beside a list and a file that take the same points."""
    calls = (30_000 if effort.quick else CALLS) * effort.scale
    experiment = Experiment(Workspace.create("points", exist_ok=True), "points")
    with experiment.start_logging() as run, tempfile.TemporaryFile() as file:
        appended: list[tuple[str, float, int]] = []
        loggers = _loggers(run)
        timings = _measure(
            calls,
            {
                "list": lambda i: appended.append(("loss", i * 0.5, time.time_ns())),
                "file": lambda i: os.write(file.fileno(), _json_line(i)),
                **loggers,
            },
        )
    base = timings["list"]
    lines = [
        Line(f"run.log: {name}", timings[name], "list.append of a tuple", base, AIM)
        for name in loggers
    ]
    file_line = Line("run.log: float", timings["float"], "write() of a JSON line", timings["file"])
    return [*lines, file_line]


def _loggers(run: Run) -> dict[str, Logger]:
    single = np.float32(0.5)
    return {
        "float": lambda i: run.log("loss", i * 0.5),
        "float, step": lambda i: run.log("stepped", i * 0.5, step=i),
        "int": lambda i: run.log("count", i),
        "bool": lambda i: run.log("flag", i % 2 == 0),
        "np.float32": lambda _: run.log("single", single),
        "str": lambda _: run.log("message", "Hello from run!"),
    }


def _json_line(i: int) -> bytes:
    point = {"name": "loss", "value": i * 0.5, "time": time.time_ns()}
    return json.dumps(point).encode() + b"\n"


def _measure(calls: int, loggers: dict[str, Logger]) -> dict[str, Timing]:
    """Each logger in turn, ``AT_ONCE`` calls at a time. The two clock readings count as well."""
    samples = {name: array("q") for name in loggers}
    clock = time.perf_counter_ns
    for start in range(-AT_ONCE, calls, AT_ONCE):  # the first stretch warms up
        for name, log in loggers.items():
            taken = samples[name] if start >= 0 else array("q")
            for i in range(start, start + AT_ONCE):
                before = clock()
                log(i)
                taken.append(clock() - before)
    return {name: _timing_of(taken) for name, taken in samples.items()}


def _timing_of(taken_ns: "array[int]") -> Timing:
    ordered = array("q", sorted(taken_ns))
    return Timing(
        count=len(ordered),
        median_s=percentile(ordered, 0.5) / 1e9,
        p99_s=percentile(ordered, 0.99) / 1e9,
        low_s=ordered[0] / 1e9,
        high_s=ordered[-1] / 1e9,
    )
