"""The table, first part: workspaces, experiments, runs and how they are configured."""

from typing import Final

from headway.migration.words import OWN, Known

_AZURE: Final = "it manages an Azure resource; a workspace is a folder here, so leave it out"
_DEPLOY: Final = (
    "Headway serves no models: take the files with model.download() and serve them with a tool of "
    "your choice"
)
_NETWORK: Final = "there is no network of Azure around a workspace; leave it out"

RUNS: Final = (
    Known(
        "Run",
        supported=(
            "add_properties add_type_provider child_run clean complete "
            "description display_name download_file download_files experiment fail flush get "
            "get_all_logs get_children get_detailed_status get_details "
            "get_details_with_logs get_environment get_file_names get_metrics get_portal_url "
            "get_properties get_secret get_secrets get_snapshot_id get_status get_submitted_run "
            "get_tags id input_datasets list log_accuracy_table log_confusion_matrix log_image "
            "log_predictions log_residuals log_row log_table name number output_datasets "
            "parent properties register_model remove_tags restore_snapshot set_tags start status "
            "submit_child tag tags take_snapshot type upload_file upload_files upload_folder "
            "get_docs_url list_by_compute RUN_TYPE"
        ),
        better={
            "cancel": "says Canceled only when no process of its program is left",
            "create_children": "any number of them, all made or none",
            "get_context": (
                "outside of a submitted run it gives a whole run of the experiment offline, whose "
                "metrics, tags and files are kept"
            ),
            "log": (
                "costs about a microsecond, survives kill -9, and takes NumPy's and PyTorch's "
                "numbers of any width"
            ),
            "log_list": "a list of one element stays a list, and an empty one is kept",
            "wait_for_completion": "follows the log by its offset instead of reading it all again",
            **dict.fromkeys(("chart", "history", "log_metrics", "track"), OWN),
        },
        returns={
            "child_run": "Run",
            "create_children": "*Run",
            "experiment": "Experiment",
            "get": "Run",
            "get_children": "*Run",
            "get_context": "Run",
            "get_environment": "Environment",
            "get_submitted_run": "Run",
            "input_datasets": "*Dataset",
            "list": "*Run",
            "parent": "Run",
            "register_model": "Model",
            "submit_child": "Run",
        },
    ),
    Known("get_run", gives="Run"),
    Known(
        "Experiment",
        supported=(
            "archive archived_time delete from_directory get_docs_url get_portal_url id list "
            "name reactivate refresh remove_tags set_tags tag tags workspace "
            "workspace_object"
        ),
        better={
            "get_runs": "takes status, since, limit, order_by and filter as well",
            "start_logging": (
                "sys.exit(0) within the block completes the run; a snapshot is taken only where "
                "snapshot_directory is given"
            ),
            "submit": "the run goes on when the process that submitted it ends",
        },
        returns={
            "get_runs": "*Run",
            "list": "*Experiment",
            "from_directory": "Experiment",
            "start_logging": "Run",
            "submit": "Run",
            "workspace": "Workspace",
            "workspace_object": "Workspace",
        },
    ),
    Known(
        "Workspace",
        supported=(
            "DEFAULT_CPU_CLUSTER_NAME DEFAULT_GPU_CLUSTER_NAME compute_targets create datasets "
            "datastores environments experiments get "
            "get_default_compute_target get_default_datastore get_default_keyvault get_details "
            "get_run list location models name resource_group set_default_datastore setup sku "
            "subscription_id tags update write_config"
        ),
        partly={
            "discovery_url": "the address of the folder: there is no service to discover",
            "images": "empty: there are none",
            "linked_services": "empty: there are none",
            "private_endpoints": "empty: there are none",
            "webservices": "empty: Headway serves no models",
        },
        better={"from_config": "without a config file it opens a workspace in a folder of yours"},
        unsupported={
            **dict.fromkeys(
                (
                    "DEFAULT_CPU_CLUSTER_CONFIGURATION",
                    "DEFAULT_GPU_CLUSTER_CONFIGURATION",
                ),
                "there are no clusters to make: submit to 'local'",
            ),
            "add_private_endpoint": _NETWORK,
            "delete": "remove the folder that ws.get_details()['folder'] names",
            "delete_connection": _NETWORK,
            "delete_private_endpoint_connection": _NETWORK,
            "diagnose_workspace": "headway doctor looks for what is wrong",
            "get_connection": _NETWORK,
            "get_mlflow_tracking_uri": "log with run.log; there is no MLflow server",
            "list_connections": _NETWORK,
            "list_keys": _AZURE,
            "service_context": _AZURE,
            "set_connection": _NETWORK,
            "sync_keys": _AZURE,
            "update_dependencies": _AZURE,
        },
        returns={
            "compute_targets": "*ComputeTarget",
            "create": "Workspace",
            "datasets": "*Dataset",
            "datastores": "*Datastore",
            "environments": "*Environment",
            "experiments": "*Experiment",
            "from_config": "Workspace",
            "get": "Workspace",
            "get_default_compute_target": "ComputeTarget",
            "get_default_datastore": "Datastore",
            "get_default_keyvault": "Keyvault",
            "get_run": "Run",
            "models": "*Model",
            "setup": "Workspace",
        },
    ),
    Known(
        "ScriptRunConfig",
        supported=(
            "MAX_DURATION_SECONDS_DEFAULT arguments command run_config script source_directory"
        ),
        returns={"run_config": "RunConfiguration"},
        arguments={
            "resume_from": "a run is not continued by another: have the script load its checkpoint",
        },
        ignored_arguments={
            "compute_target": "each stands for this machine",
            "docker_runtime_config": "ignored: the program runs on the machine itself",
        },
    ),
    Known(
        "RunConfiguration",
        supported=(
            "arguments auto_prepare_environment command communicator data data_references delete "
            "environment environment_variables framework load max_run_duration_seconds mpi "
            "node_count priority pytorch save script target"
        ),
        better={"resources": OWN},
        partly={
            "amlcompute": "ignored: runs are executed on this machine",
            "docker": "ignored: runs are executed on this machine itself",
            "history": "kept and not used: outputs, logs and the source are kept always",
            "datacaches": "kept and not used",
            "output_data": "kept and not used",
            "services": "kept and not used",
            "source_directory_data_store": "kept and not used",
            "tensorflow": "ignored: there are no parameter servers; use MpiConfiguration",
        },
        unsupported={
            "credential_passthrough": "there are no Azure credentials to pass; leave it out",
            "hdi": "there is no HDInsight; run the script itself",
            "kubernetescompute": "runs are executed on this machine; leave it out",
            "paralleltask": "there are no parallel tasks; submit a run for each part",
            "spark": "there is no Spark cluster; start Spark in the script, in local mode",
        },
        returns={"environment": "Environment", "load": "RunConfiguration"},
    ),
    Known("MpiConfiguration", supported="node_count process_count_per_node"),
    Known("PyTorchConfiguration", supported="communication_backend node_count process_count"),
    Known("DockerConfiguration", supported="use_docker"),
    Known(
        "HistoryConfiguration",
        partly=dict.fromkeys(
            ("output_collection", "snapshot_project", "directories_to_watch"),
            "kept and not used: outputs, logs and the source are kept always",
        ),
    ),
    Known(
        "TensorflowConfiguration",
        instead="there are no parameter servers: use MpiConfiguration or PyTorchConfiguration",
    ),
    Known(
        "ParallelTaskConfiguration",
        instead="there are no parallel tasks: submit a run for each part",
    ),
    Known("RunDetails", supported="show get_widget_data"),
    Known(
        "Keyvault",
        supported="get_secret get_secrets set_secret set_secrets list_secrets "
        "delete_secret delete_secrets",
    ),
)
