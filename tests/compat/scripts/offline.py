"""A script that finds out by itself whether it was submitted."""

from azureml.core import Experiment, Workspace
from azureml.core.run import Run, _OfflineRun

run = Run.get_context()
if isinstance(run, _OfflineRun) or run.id.startswith("OfflineRun"):
    ws = Workspace.from_config()
    print("offline:", type(run) == _OfflineRun, Experiment(ws, "offline-or-not").name)
else:
    ws = run.experiment.workspace
    print("in", run.experiment.name, "of", ws.name)
run.log("loss", 0.25, description="loss")
run.log_list("losses", [0.5, 0.25])
try:
    Run.get_context(allow_offline=False)
    print("submitted")
except Exception as error:
    print(type(error).__name__, error)
