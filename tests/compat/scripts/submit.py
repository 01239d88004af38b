"""Submit the training script, with an environment that is managed by the user, and wait."""

from azureml.core import Environment, Experiment, ScriptRunConfig, Workspace
from azureml.core.runconfig import RunConfiguration

ws = Workspace.from_config()
print(ws.name, ws.resource_group, ws.location, ws.subscription_id, sep="\t")
experiment = Experiment(workspace=ws, name="train-on-local")

# one way: an environment
env = Environment("user-managed-env")
env.python.user_managed_dependencies = True
src = ScriptRunConfig(
    source_directory="./",
    script="train.py",
    arguments=["--alpha", 0.1],
    compute_target="local",
    environment=env,
)
run = experiment.submit(src, tags={"way": "environment"})
run.wait_for_completion(show_output=True)
print(run.get_metrics())
print(run.get_file_names())

# the other: a run configuration
config = RunConfiguration()
config.environment.python.user_managed_dependencies = True
config.environment_variables["SOME_VARIABLE"] = "some value"
src = ScriptRunConfig(source_directory="./", script="train.py", run_config=config)
src.run_config.environment = env
run = experiment.submit(config=src)
run.wait_for_completion()
assert run.get_status() == "Completed", run.get_details()
model = run.register_model(
    model_name="diabetes",
    model_path="outputs/model.pkl",
    tags={"area": "diabetes", "type": "regression"},
    description="Ridge regression",
)
print(model.name, model.id, model.version, sep="\t")
