"""Eight processes that log a million points each into one embedded workspace."""

import subprocess
import sys
import time
from tempfile import TemporaryDirectory

from benchmarks.harness import Effort, Line, timing_of
from headway import Experiment, Workspace

PROCESSES = 8
POINTS = 1_000_000
BASE_PART = 10
"""The baseline writes one in so many of the points, and is multiplied."""
LOG = """\
import sys
from headway import Experiment, Workspace
run = Experiment(Workspace.create("processes", exist_ok=True), "processes").start_logging()
for step in range(int(sys.argv[1])):
    run.log("loss", step * 0.5, step=step)
run.complete()
"""
WRITE = """\
import json, os, sys, time
file = os.open(sys.argv[2] + f"/{os.getpid()}", os.O_WRONLY | os.O_CREAT)
for step in range(int(sys.argv[1])):
    point = {"name": "loss", "value": step * 0.5, "step": step, "time": time.time()}
    os.write(file, json.dumps(point).encode() + b"\\\\n")
"""


class PointsLostError(Exception):
    """Not all of the points were found again."""


def measure(effort: Effort) -> list[Line]:
    """From the start of the first process to the end of the last; then all points are counted."""
    points = POINTS // (10 if effort.quick else 1) * effort.scale
    experiment = Experiment(Workspace.create("processes", exist_ok=True), "processes")
    logged = _together(LOG, str(points))
    with TemporaryDirectory() as folder:
        written = _together(WRITE, str(points // BASE_PART), folder) * BASE_PART
    counts = [len(run.history("loss")) for run in experiment.get_runs()]
    if counts != [points] * PROCESSES:
        raise PointsLostError(f"of {PROCESSES} times {points} points there are {counts}")
    what = f"{PROCESSES} processes log {points:,} points each, all of them found"
    base = "write() of as many JSON lines"
    return [Line(what, timing_of([logged]), base, timing_of([written]))]


def _together(code: str, *arguments: str) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-c", code, *arguments]
    started = [subprocess.Popen(command) for _ in range(PROCESSES)]
    codes = [process.wait() for process in started]
    if any(codes):
        raise subprocess.CalledProcessError(max(codes), command[:2])
    return time.perf_counter() - began
