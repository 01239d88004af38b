"""What is done with runs once they are there."""

import json
import os

from azureml._restclient.constants import RunStatus
from azureml.core import Experiment, Run, ScriptRunConfig, Workspace, get_run
from azureml.core.run import RUNNING_STATES
from azureml.exceptions import (
    ActivityFailedException,
    AzureMLException,
    ExperimentExecutionException,
    UserErrorException,
)

ws = Workspace.from_config()
experiment = Experiment(ws, "manage-runs")

run = experiment.submit(ScriptRunConfig(source_directory=".", script="hello.py"))
details = run.get_details()
assert details["runId"] == run.id
run.wait_for_completion(show_output=True)
assert run.status == RunStatus.COMPLETED
assert run.get_status() not in RUNNING_STATES
with_logs = run.get_details_with_logs()
assert any("Hello from a run" in text for text in with_logs["logFiles"].values())
print(json.dumps({key: str(value) for key, value in run.get_details().items()}, indent=2))
paths = run.get_all_logs(destination="downloaded")
assert all(os.path.exists(path) for path in paths)
print(run.get_portal_url(), run.number, run.type, run.name)

run.display_name = "the first one"
run.description = "says hello"
run.tag("quality", "fantastic run")
run.tag("seen")
run.set_tags({"reviewer": "me", "round": 1})
run.remove_tags(["seen"])
assert run.get_tags() == {"quality": "fantastic run", "reviewer": "me", "round": "1"}
run.add_properties({"author": "somebody"})
try:
    run.add_properties({"author": "somebody else"})
except Exception as error:
    print(error)
assert run.get_properties()["author"] == "somebody"

runs = list(experiment.get_runs(properties={"author": "somebody"}, tags={"reviewer": "me"}))
assert [one.id for one in runs] == [run.id]
assert next(experiment.get_runs()).id == run.id
assert [one.id for one in Run.list(experiment, status="Completed")] == [run.id]
assert ws.experiments["manage-runs"].name == experiment.name
assert ws.get_run(run.id).display_name == "the first one"
assert get_run(experiment, run.id).description == "says hello"
assert Run.get(ws, run.id).experiment.workspace.name == ws.name

try:
    experiment.submit(ScriptRunConfig(source_directory=".", script="nowhere.py"))
except ExperimentExecutionException as error:
    print(error)
try:
    Experiment(ws, "white space")
except UserErrorException as error:
    print(error)
try:
    run.download_file("nowhere.txt")
except AzureMLException as error:
    print(error)

failing = experiment.submit(ScriptRunConfig(source_directory=".", command="exit 3"))
try:
    failing.wait_for_completion()
    raise SystemExit("it should have failed")
except ActivityFailedException as error:
    print(error)
failing.wait_for_completion(raise_on_error=False)
assert failing.get_details()["error"]

with experiment.start_logging() as run:
    run.log_table("squares", {"x": [1, 2, 3], "y": [1, 4, 9]})
    run.log_confusion_matrix(
        "confusion",
        {
            "schema_type": "confusion_matrix",
            "schema_version": "1.0.0",
            "data": {"class_labels": ["a", "b"], "matrix": [[3, 1], [0, 4]]},
        },
    )
    run.upload_file(name="outputs/script.py", path_or_stream=__file__)
    os.makedirs("folder", exist_ok=True)
    with open("folder/inside.txt", "w") as file:
        file.write("inside")
    run.upload_folder(name="kept", path="folder")
assert run.get_metrics("squares")["squares"] == {"x": [1, 2, 3], "y": [1, 4, 9]}
assert run.get_metrics()["confusion"].startswith("aml://artifactId/ExperimentRun/dcid.")
assert {"outputs/script.py", "kept/inside.txt"} <= set(run.get_file_names())
run.download_files(prefix="kept", output_directory="back")
assert os.path.exists("back/kept/inside.txt")

experiment.archive()
assert "manage-runs" not in ws.experiments
experiment.reactivate()
