"""What notebooks do before and around their runs."""

import os

import pandas as pd

import azureml.core
from azureml.core import Dataset, Datastore, Environment, Experiment, Keyvault, Workspace
from azureml.core.authentication import InteractiveLoginAuthentication
from azureml.core.compute import ComputeTarget
from azureml.core.compute_target import ComputeTargetException
from azureml.core.conda_dependencies import CondaDependencies
from azureml.core.runconfig import DEFAULT_CPU_IMAGE, DockerConfiguration, RunConfiguration
from azureml.core.script_run_config import ScriptRunConfig
from azureml.exceptions import WorkspaceException
from azureml.telemetry import set_diagnostics_collection
from azureml.widgets import RunDetails

print("This notebook was written for", azureml.core.__version__, DEFAULT_CPU_IMAGE)
set_diagnostics_collection(send_diagnostics=True)
auth = InteractiveLoginAuthentication(tenant_id="some-tenant", force=True)

try:
    ws = Workspace.get(
        name="team", subscription_id="a-subscription", resource_group="a-group", auth=auth
    )
except WorkspaceException:
    ws = Workspace.create(
        name="team",
        subscription_id="a-subscription",
        resource_group="a-group",
        create_resource_group=True,
        location="westeurope",
        exist_ok=True,
    )
ws.write_config(path="config-folder")
again = Workspace(
    workspace_name="team", subscription_id="a-subscription", resource_group="a-group"
)
assert again.name == ws.name == "team"
assert (ws.subscription_id, ws.resource_group) == ("a-subscription", "a-group")
print(ws.get_details()["location"], ws.sku, ws.tags)

try:
    target = ComputeTarget(workspace=ws, name="gpu-cluster")
except ComputeTargetException:
    target = ws.compute_targets["local"]
for name, compute in ws.compute_targets.items():
    print(name, compute.type, compute.provisioning_state)

keyvault = ws.get_default_keyvault()
assert isinstance(keyvault, Keyvault)
os.environ["HEADWAY_SECRET_MY_PASSWORD"] = "s3cret"
assert keyvault.get_secret(name="my-password") == "s3cret"

env = Environment.from_pip_requirements("from-file", "requirements.txt")
env.environment_variables = {"GREETING": "hello"}
env.register(workspace=ws)
assert Environment.get(ws, "from-file").name in ws.environments
packages = CondaDependencies.create(conda_packages=["pip"], pip_packages=["azureml-defaults"])
packages.add_pip_package("six")
print(packages.serialize_to_string())
config = RunConfiguration()
config.target = target
config.environment.python.user_managed_dependencies = True
config.environment.docker.enabled = False
config.save(path=".", name="my-config")
config = RunConfiguration.load(path=".", name="my-config")

datastore = Datastore.get(ws, "workspaceblobstore")
assert datastore.name == ws.get_default_datastore().name
frame = pd.DataFrame({"a": [1, 2]})
Dataset.Tabular.register_pandas_dataframe(frame, datastore, "frame")
os.makedirs("pictures", exist_ok=True)
for number in range(3):
    with open(f"pictures/{number}.txt", "w") as file:
        file.write(str(number))
datastore.upload_files(
    [f"pictures/{number}.txt" for number in range(3)], target_path="pictures", overwrite=True
)
pictures = Dataset.File.from_files(path=(datastore, "pictures/*.txt"))
pictures = pictures.register(workspace=ws, name="pictures", create_new_version=True)
print(pictures.to_path(), len(Dataset.get_by_name(ws, "pictures").download("here")))

experiment = Experiment(workspace=ws, name="tour")
src = ScriptRunConfig(
    source_directory=".",
    script="score.py",
    arguments=["--pictures", pictures.as_named_input("pictures").as_mount()],
    run_config=config,
)
run = experiment.submit(config=src)
RunDetails(run).show()
run.wait_for_completion(show_output=True, wait_post_processing=True)
print(run.get_metrics(name="pictures"))
assert run.get_metrics("pictures") == {"pictures": 3}
assert run.get_file_names()
with experiment.start_logging(snapshot_directory=None) as run:
    run.log_row("y over x", **{"x": 1, "y": 2.0})
    run.log_image("picture", path="picture.png")
    with run.child_run() as child:
        child.log("deep", True)
assert [one.id for one in run.get_children(recursive=True)] == [child.id]
print("Web view:", experiment.get_portal_url())
