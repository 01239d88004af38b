"""Reading the metrics of a tree of runs."""

import json
import time

from benchmarks.harness import Act, Effort, Line, interleave, timed
from headway import Experiment, Run, Workspace

CHILDREN = 300
LIVE = 100
METRICS = 20
POINTS = 10


def measure(effort: Effort) -> list[Line]:
    """``get_metrics(recursive=True)`` over many children with 20 metrics each."""
    count = CHILDREN * effort.scale
    experiment = Experiment(Workspace.create("reading", exist_ok=True), "reading")
    with experiment.start_logging() as parent:
        for number, child in enumerate(parent.create_children(count)):
            _log(child, number)
            child.complete()
        text = json.dumps(parent.get_metrics(recursive=True))
        read, parsed = interleave(
            effort.rounds(30, 5),
            timed(lambda: parent.get_metrics(recursive=True)),
            timed(lambda: json.loads(text)),
        )
    [fresh] = interleave(effort.rounds(3, 1), _read_live_children(experiment))
    size = f"{METRICS} metrics, {POINTS} points each"
    baseline = "json.loads of the ended ones"
    return [
        Line(f"get_metrics of {count} ended children: {size}", read, baseline, parsed, "50 ms"),
        Line(f"get_metrics of {LIVE} children that have just logged", fresh, baseline, parsed),
    ]


def _read_live_children(experiment: Experiment) -> Act:
    """The first read after logging, which takes in what was logged."""

    def act() -> float:
        with experiment.start_logging() as parent:
            children = parent.create_children(LIVE)
            for number, child in enumerate(children):
                _log(child, number)
            started = time.perf_counter()
            parent.get_metrics(recursive=True)
            took_s = time.perf_counter() - started
            for child in children:
                child.complete()
        return took_s

    return act


def _log(child: Run, number: int) -> None:
    for step in range(POINTS):
        for metric in range(METRICS):
            child.log(f"metric {metric}", (number * step + metric) / 7, step=step)
