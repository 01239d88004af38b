"""Data: uploaded to the default datastore, registered, given to a run."""

import os

import pandas as pd

from azureml.core import Dataset, Experiment, ScriptRunConfig, Workspace

ws = Workspace.from_config()
os.makedirs("data", exist_ok=True)
pd.DataFrame({"x": [1, 2, 3], "y": [1.0, 4.0, 9.0]}).to_csv("data/squares.csv", index=False)
datastore = ws.get_default_datastore()
datastore.upload(src_dir="data", target_path="squares", overwrite=True, show_progress=True)
print(datastore.name, sorted(ws.datastores))

table = Dataset.Tabular.from_delimited_files(path=[(datastore, "squares/squares.csv")])
table = table.register(workspace=ws, name="squares", description="x and y", create_new_version=True)
assert ws.datasets["squares"].to_pandas_dataframe()["y"].sum() == 14.0
assert len(Dataset.get_by_name(ws, name="squares").take(2).to_pandas_dataframe()) == 2

src = ScriptRunConfig(
    source_directory=".",
    script="use_data.py",
    arguments=[
        "--folder",
        datastore.path("squares").as_mount(),
        "--table",
        Dataset.get_by_name(ws, "squares").as_named_input("table"),
    ],
)
run = Experiment(ws, "use-data").submit(src)
run.wait_for_completion(show_output=True)
assert run.get_metrics() == {"rows": 3, "files": 1}, run.get_metrics()
