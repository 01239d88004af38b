"""Names of earlier releases: references by the name of their datastore, what a model needs."""

from pathlib import Path

from azureml.core import Dataset, Datastore, Experiment, Model, ScriptRunConfig, Workspace
from azureml.core.compute.compute import ComputeTarget
from azureml.core.environment import DEFAULT_CPU_IMAGE
from azureml.core.resource_configuration import ResourceConfiguration
from azureml.core.runconfig import DataReferenceConfiguration, RunConfiguration
from azureml.data.datapath import DataPath

ws = Workspace.from_config()
datastore = Datastore.get_default(ws)
Path("numbers.csv").write_text("x,y\n1,2\n3,4\n")
datastore.upload_files(["numbers.csv"], target_path="numbers", overwrite=True)

run_config = RunConfiguration()
run_config.environment.docker.base_image = DEFAULT_CPU_IMAGE
run_config.environment.python.user_managed_dependencies = True
run_config.data_references = {
    "numbers": DataReferenceConfiguration(
        datastore_name=datastore.name, path_on_datastore="numbers", mode="mount"
    )
}
config = ScriptRunConfig(
    source_directory=".",
    command=["cat", "$AZUREML_DATAREFERENCE_numbers/numbers.csv"],
    run_config=run_config,
)
run = Experiment(ws, "older-names").submit(config)
run.wait_for_completion(show_output=True)

table = Dataset.Tabular.from_delimited_files(DataPath(datastore, "numbers/numbers.csv"))
print(table.to_pandas_dataframe()["y"].tolist())

model = Model.register(
    ws,
    model_path="numbers.csv",
    model_name="numbers",
    resource_configuration=ResourceConfiguration(cpu=1, memory_in_gb=0.5),
)
print(model.resource_configuration)
print(ComputeTarget(ws, "local").name)
