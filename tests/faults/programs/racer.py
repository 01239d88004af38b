"""Submits when everybody is let go: prints what came of it as JSON.

    racer.py GATE MARKS RUN_ID

GATE is a file that is locked until all are ready. A program that is run leaves a byte in MARKS. An
empty RUN_ID stands for one of its own.
"""

import fcntl
import json
import sys

from headway import Experiment, ScriptRunConfig, Workspace
from headway.errors import HeadwayError
from headway.service.workspace import open_workspace  # imported before the start of the race

gate, marks, run_id = sys.argv[1:]
assert open_workspace
sys.stdout.write("ready\n")
sys.stdout.flush()
with open(gate) as file:
    fcntl.flock(file, fcntl.LOCK_SH)
    try:
        experiment = Experiment(Workspace.from_config(), "race")
        config = ScriptRunConfig(None, command=f"printf x >> {marks}")
        run = experiment.submit(config, run_id=run_id or None)
        said = {"run": run.id, "status": run.get_status()}
    except HeadwayError as error:
        said = {"error": type(error).__name__, "message": error.message}
sys.stdout.write(json.dumps(said))
