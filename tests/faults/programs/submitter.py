"""Submits one run, after a word on standard output so that it can be killed while it does.

submitter.py RUN_ID DIARY SEED
"""

import sys
from pathlib import Path

from headway import Experiment, ScriptRunConfig, Workspace

run_id, *rest = sys.argv[1:]
experiment = Experiment(Workspace.from_config(), "submitted-elsewhere")
config = ScriptRunConfig(Path(__file__).parent, "trainee.py", arguments=rest)
sys.stdout.write("now\n")
sys.stdout.flush()
experiment.submit(config, run_id=run_id)
