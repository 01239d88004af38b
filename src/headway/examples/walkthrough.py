"""What ``headway demo`` executes, cell by cell; it may be run by hand or in a notebook as well.

A line that begins with ``# $`` is a command for the shell.
"""

# %% A workspace is a folder on this machine: no server, no account
import time

from headway import ConflictError, Experiment, ScriptRunConfig, Workspace
from headway.examples import FOLDER
from headway.examples.processes import processes_of
from headway.examples.train import fit

ws = Workspace.create("demo", exist_ok=True)
exp = Experiment(ws, "moons")
print("workspace", ws.name, "in", ws.folder)

# %% Submit a script, and watch it while it runs
config = ScriptRunConfig(
    source_directory=FOLDER,
    script="train.py",
    arguments=["--rate", 0.01, "--epochs", 30],
)
run = exp.submit(config)
run.wait_for_completion(show_output=True)

# %% See what it logged and kept
print(run.get_status(), "with the files", run.get_file_names())
# $ headway metrics latest
# $ headway metrics latest loss --plot

# %% Cancel a run: when it says Canceled, no process of it is left
config = ScriptRunConfig(FOLDER, "train.py", arguments=["--epochs", 100_000])
long = exp.submit(config)
while not long.get_metrics("loss"):
    time.sleep(0.05)
print("before:", long.get_status(), processes_of(long.id))
print("cancel() returned", long.cancel())
print("after: ", long.get_status(), processes_of(long.id))

# %% A run with children: here this very process is the run
with exp.start_logging(display_name="learning rates") as parent:
    for rate in (0.003, 0.03, 0.3):
        with parent.child_run(name=f"rate {rate}") as child:
            for epoch in fit(rate, epochs=5):
                child.log("loss", epoch.loss)
for child in parent.get_children():
    print(child.name, child.get_status())

# %% Tags may change; properties are set once
run.tag("quality", "good")
run.tag("quality", "very good")
run.add_properties({"data": "two moons"})
try:
    run.add_properties({"data": "something else"})
except ConflictError as error:
    print("refused:", error)
print(run.get_tags(), run.properties["data"])

# %% Find runs again, by tags, properties, status, metrics
tags, properties = {"quality": "very good"}, {"data": "two moons"}
for found in exp.get_runs(tags=tags, properties=properties, limit=3):
    print("tagged:", found.id)
good = "metrics.loss < 0.1 and created > '1 hour ago'"
for found in exp.get_runs(filter=good, include_children=True):
    print("good:  ", found.id, found.name)
# $ headway list --status canceled --limit 3
# $ headway list --parent latest --order-by metrics.loss
