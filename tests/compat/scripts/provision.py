"""A notebook's beginning, as one finds it: a cluster is found or made, and submitted to."""

from azureml.core import Environment, Experiment, ScriptRunConfig, Workspace
from azureml.core.compute import AmlCompute, ComputeTarget
from azureml.core.compute_target import ComputeTargetException

ws = Workspace.from_config()
cluster_name = "cpu-cluster"
try:
    cluster = ComputeTarget(workspace=ws, name=cluster_name)
    print("Found existing compute target")
except ComputeTargetException:
    print("Creating a new compute target...")
    config = AmlCompute.provisioning_configuration(
        vm_size="STANDARD_D2_V2", min_nodes=0, max_nodes=2, vm_priority="lowpriority"
    )
    cluster = ComputeTarget.create(ws, cluster_name, config)
    cluster.wait_for_completion(
        show_output=True, min_node_count=None, timeout_in_minutes=20
    )
print(cluster.get_status().serialize())
if cluster_name in ws.compute_targets:
    found = ws.compute_targets[cluster_name]
    if found and type(found) is AmlCompute:
        print("found compute target:", found.name, found.provisioning_state)

experiment = Experiment(ws, "on-a-cluster")
runs = [
    experiment.submit(
        ScriptRunConfig(
            source_directory=".",
            script="hello.py",
            compute_target=target,
            environment=Environment("user-managed"),
        )
    )
    for target in (cluster, cluster_name)
]
for run in runs:
    run.wait_for_completion(show_output=True)
    print(run.get_details()["target"], run.get_status())
