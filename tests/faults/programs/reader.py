"""Reads everything, again and again: lists, metrics, events. It recovers what it finds dead.

reader.py SECONDS
"""

import sys
import time

from headway import Workspace

until = time.monotonic() + float(sys.argv[1])
workspace = Workspace.from_config()
sys.stdout.write("now\n")
sys.stdout.flush()
seen: set[str] = set()
while time.monotonic() < until:
    for experiment in workspace.experiments.values():
        for run in experiment.get_runs(include_children=True):
            if run.id not in seen:
                run.get_metrics()
            if run.get_details()["status"] in {"Completed", "Failed", "Canceled"}:
                seen.add(run.id)
    time.sleep(0.01)
