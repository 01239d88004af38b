"""The calls take what the calls of the matched API take, in the same order."""

import inspect
from typing import Final

import pytest

from headway import (
    CondaDependencies,
    Dataset,
    Datastore,
    Environment,
    Experiment,
    Model,
    Run,
    RunConfiguration,
    ScriptRun,
    ScriptRunConfig,
    Workspace,
)
from headway.sdk.handles import _OfflineRun, _SubmittedRun  # pyright: ignore[reportPrivateUsage]

RUN: Final = """
__enter__(self)
__exit__(self, exit_type, value, traceback)
__init__(self, experiment, run_id, outputs=None, **kwargs)
add_properties(self, properties)
add_type_provider(runtype, run_factory)
cancel(self)
child_run(self, name=None, run_id=None, outputs=None)
clean(self)
complete(self, _set_status=True)
create_children(self, count=None, tag_key=None, tag_values=None)
download_file(self, name, output_file_path=None, _validate_checksum=False)
download_files(self, prefix=None, output_directory=None, output_paths=None, batch_size=100, \
append_prefix=True, timeout_seconds=None)
fail(self, error_details=None, error_code=None, _set_status=True)
flush(self, timeout_seconds=300)
get(workspace, run_id)
get_all_logs(self, destination=None)
get_children(self, recursive=False, tags=None, properties=None, type=None, status=None, \
_rehydrate_runs=True)
get_context(allow_offline=True, used_for_context_manager=False, **kwargs)
get_detailed_status(self)
get_details(self)
get_details_with_logs(self)
get_docs_url()
get_environment(self)
get_file_names(self)
get_metrics(self, name=None, recursive=False, run_type=None, populate=False)
get_portal_url(self)
get_properties(self)
get_secret(self, name)
get_secrets(self, secrets)
get_snapshot_id(self)
get_status(self)
get_submitted_run(**kwargs)
get_tags(self)
list(experiment, type=None, tags=None, properties=None, status=None, include_children=False, \
_rehydrate_runs=True)
list_by_compute(compute, type=None, tags=None, properties=None, status=None)
log(self, name, value, description='', step=None)
log_accuracy_table(self, name, value, description='')
log_confusion_matrix(self, name, value, description='')
log_image(self, name, path=None, plot=None, description='')
log_list(self, name, value, description='')
log_predictions(self, name, value, description='')
log_residuals(self, name, value, description='')
log_row(self, name, description=None, **kwargs)
log_table(self, name, value, description='')
register_model(self, model_name, model_path=None, tags=None, properties=None, \
model_framework=None, model_framework_version=None, description=None, datasets=None, \
sample_input_dataset=None, sample_output_dataset=None, resource_configuration=None, **kwargs)
remove_tags(self, tags)
restore_snapshot(self, snapshot_id=None, path=None)
set_tags(self, tags)
start(self)
submit_child(self, config, tags=None, **kwargs)
tag(self, key, value=None)
take_snapshot(self, file_or_folder_path)
upload_file(self, name, path_or_stream, datastore_name=None)
upload_files(self, names, paths, return_artifacts=False, timeout_seconds=None, datastore_name=None)
upload_folder(self, name, path, datastore_name=None)
wait_for_completion(self, show_output=False, wait_post_processing=False, raise_on_error=True)
"""
SUBMITTED_RUN: Final = """
__enter__(self)
cancel(self)
complete(self)
fail(self, error_details=None, error_code=None)
"""
OFFLINE_RUN: Final = """
__enter__(self)
__exit__(self, exit_type, value, traceback)
add_properties(self, properties)
cancel(self)
child_run(self, name=None, run_id=None, outputs=None)
complete(self)
fail(self, error_details=None, error_code=None)
flush(self)
log(self, name, value, description='')
log_accuracy_table(self, name, value, description=None)
log_confusion_matrix(self, name, value, description=None)
log_image(self, name, path=None, plot=None, description='')
log_list(self, name, value, description='')
log_predictions(self, name, value, description=None)
log_residuals(self, name, value, description=None)
log_row(self, name, description=None, **kwargs)
log_table(self, name, value, description='')
set_tags(self, tags)
tag(self, name, value=None)
upload_file(self, name, path_or_stream, datastore_name=None)
upload_files(self, names, paths, return_artifacts=False, timeout_seconds=None, datastore_name=None)
upload_folder(self, name, path, datastore_name=None)
"""
EXPERIMENT: Final = """
__init__(self, workspace, name, _skip_name_validation=False, _id=None, _archived_time=None, \
_create_in_cloud=True, _experiment_dto=None, **kwargs)
__repr__(self)
__str__(self)
archive(self)
delete(workspace, experiment_id)
from_directory(path, auth=None)
get_docs_url()
get_portal_url(self)
get_runs(self, type=None, tags=None, properties=None, include_children=False)
list(workspace, experiment_name=None, view_type='ActiveOnly', tags=None)
reactivate(self, new_name=None)
refresh(self)
remove_tags(self, tags)
set_tags(self, tags)
start_logging(self, *args, **kwargs)
submit(self, config, tags=None, **kwargs)
tag(self, key, value=None)
"""
WORKSPACE: Final = """
__init__(self, subscription_id, resource_group, workspace_name, auth=None, _location=None, \
_disable_service_check=False, _workspace_id=None, sku='basic', tags=None, _cloud='AzureCloud')
create(name, auth=None, subscription_id=None, resource_group=None, location=None, \
create_resource_group=True, sku='basic', tags=None, friendly_name=None, storage_account=None, \
key_vault=None, app_insights=None, container_registry=None, adb_workspace=None, \
primary_user_assigned_identity=None, cmk_keyvault=None, resource_cmk_uri=None, \
hbi_workspace=False, default_cpu_compute_target=None, default_gpu_compute_target=None, \
private_endpoint_config=None, private_endpoint_auto_approval=True, exist_ok=False, \
show_output=True, user_assigned_identity_for_cmk_encryption=None, \
system_datastores_auth_mode='accessKey', v1_legacy_mode=None)
from_config(path=None, auth=None, _logger=None, _file_name=None)
get(name, auth=None, subscription_id=None, resource_group=None, location=None, cloud='AzureCloud', \
id=None)
get_details(self)
get_run(self, run_id)
write_config(self, path=None, file_name=None)
"""
CONFIGURATION: Final = """
__init__(self, source_directory, script=None, arguments=None, run_config=None, \
_telemetry_values=None, compute_target=None, environment=None, distributed_job_config=None, \
resume_from=None, max_run_duration_seconds=2592000, command=None, docker_runtime_config=None)
"""
RUN_CONFIGURATION: Final = """
__init__(self, script=None, arguments=None, framework=None, communicator=None, \
conda_dependencies=None, _history_enabled=None, _path=None, _name=None, command=None)
__repr__(self)
delete(path, name)
load(path, name=None)
save(self, path=None, name=None, separate_environment_yaml=False)
"""
WORKSPACE_ASSETS: Final = """
add_private_endpoint(self, private_endpoint_config, private_endpoint_auto_approval=True, \
location=None, show_output=True, tags=None)
delete(self, delete_dependent_resources=False, no_wait=False)
delete_connection(self, name)
delete_private_endpoint_connection(self, private_endpoint_connection_name)
diagnose_workspace(self, diagnose_parameters)
get_connection(self, name)
get_default_compute_target(self, type)
get_default_datastore(self)
get_default_keyvault(self)
get_mlflow_tracking_uri(self, _with_auth=False)
list(subscription_id, auth=None, resource_group=None)
list_connections(self, category=None, target=None)
list_keys(self)
set_connection(self, name, category, target, authType, value)
set_default_datastore(self, name)
setup()
sync_keys(self, no_wait=False)
update(self, friendly_name=None, description=None, tags=None, image_build_compute=None, \
service_managed_resources_settings=None, primary_user_assigned_identity=None, \
allow_public_access_when_behind_vnet=None, v1_legacy_mode=None)
update_dependencies(self, container_registry=None, force=False)
"""
MODEL: Final = """
__init__(self, workspace, name=None, id=None, tags=None, properties=None, version=None, \
run_id=None, model_framework=None, expand=True, **kwargs)
__repr__(self)
add_dataset_references(self, datasets)
add_properties(self, properties)
add_tags(self, tags)
delete(self)
deploy(workspace, name, models, inference_config=None, deployment_config=None, \
deployment_target=None, overwrite=False, show_output=False)
deserialize(workspace, model_payload)
download(self, target_dir='.', exist_ok=False, exists_ok=None)
get_model_path(model_name, version=None, _workspace=None)
get_sas_urls(self)
list(workspace, name=None, tags=None, properties=None, run_id=None, latest=False, \
dataset_id=None, expand=True, page_count=255, model_framework=None)
package(workspace, models, inference_config=None, generate_dockerfile=False, image_name=None, \
image_label=None)
print_configuration(models, inference_config, deployment_config, deployment_target)
profile(workspace, profile_name, models, inference_config, input_dataset, cpu=None, \
memory_in_gb=None, description=None)
register(workspace, model_path, model_name, tags=None, properties=None, description=None, \
datasets=None, model_framework=None, model_framework_version=None, child_paths=None, \
sample_input_dataset=None, sample_output_dataset=None, resource_configuration=None)
remove_tags(self, tags)
serialize(self)
update(self, tags=None, description=None, sample_input_dataset=None, \
sample_output_dataset=None, resource_configuration=None)
update_tags_properties(self, add_tags=None, remove_tags=None, add_properties=None)
"""
DATASTORE: Final = """
__init__(self, workspace, name=None)
as_download(self, path_on_compute=None)
as_mount(self)
as_upload(self, path_on_compute=None)
download(self, target_path, prefix=None, overwrite=False, show_progress=True)
get(workspace, datastore_name)
get_default(workspace)
path(self, path=None, data_reference_name=None)
set_as_default(self)
unregister(self)
upload(self, src_dir, target_path=None, overwrite=False, show_progress=True)
upload_files(self, files, relative_root=None, target_path=None, overwrite=False, \
show_progress=True)
"""
DATASET: Final = """
get_all(workspace)
get_by_id(workspace, id)
get_by_name(workspace, name, version='latest')
"""
ENVIRONMENT: Final = """
get(workspace, name, version=None, label=None)
label(workspace, name, version, labels)
list(workspace)
register(self, workspace)
__init__(self, name, **kwargs)
__repr__(self)
__str__(self)
add_private_pip_wheel(workspace, file_path, exist_ok=False)
build(self, workspace, image_build_compute=None)
build_local(self, workspace, platform=None, **kwargs)
clone(self, new_name)
from_conda_specification(name, file_path)
from_docker_build_context(name, docker_build_context)
from_docker_image(name, image, container_registry=None, conda_specification=None, \
pip_requirements=None)
from_dockerfile(name, dockerfile, conda_specification=None, pip_requirements=None)
from_existing_conda_environment(name, conda_environment_name)
from_pip_requirements(name, file_path, pip_version=None)
get_image_details(self, workspace)
load_from_directory(path)
save_to_directory(self, path, overwrite=False)
"""
CONDA_DEPENDENCIES: Final = """
__init__(self, conda_dependencies_file_path=None, _underlying_structure=None)
add_channel(self, channel)
add_cntk_package(self, core_type='cpu')
add_conda_package(self, conda_package)
add_pip_package(self, pip_package)
add_tensorflow_conda_package(self, core_type='cpu', version=None)
add_tensorflow_pip_package(self, core_type='cpu', version=None)
as_dict(self)
create(pip_indexurl=None, pip_packages=None, conda_packages=None, python_version=None, \
pin_sdk_version=True)
get_default_number_of_packages(self)
get_python_version(self)
merge_requirements(requirements)
remove_channel(self, channel)
remove_conda_package(self, conda_package)
remove_pip_option(self, pip_option)
remove_pip_package(self, pip_package)
save(self, path=None)
save_to_file(self, base_directory, conda_file_path=None)
sdk_origin_url()
serialize_to_string(self)
set_pip_index_url(self, index_url)
set_pip_option(self, pip_option)
set_pip_requirements(self, pip_requirements)
set_python_version(self, version)
"""
SCRIPT_RUN: Final = """
__init__(self, experiment, run_id, directory=None, _run_config=None, **kwargs)
"""
TABLES: Final[list[tuple[type, str]]] = [
    (Run, RUN),
    (Experiment, EXPERIMENT),
    (Workspace, WORKSPACE),
    (Workspace, WORKSPACE_ASSETS),
    (Model, MODEL),
    (Datastore, DATASTORE),
    (Dataset, DATASET),
    (ScriptRunConfig, CONFIGURATION),
    (RunConfiguration, RUN_CONFIGURATION),
    (ScriptRun, SCRIPT_RUN),
    (Environment, ENVIRONMENT),
    (CondaDependencies, CONDA_DEPENDENCIES),
]
COLLECTED: Final[list[tuple[type, str]]] = [
    (_SubmittedRun, SUBMITTED_RUN),
    (_OfflineRun, OFFLINE_RUN),
]
"""These are runs as others here; code that was written for them calls them so."""
METHODS: Final = [(cls, line) for cls, text in TABLES for line in text.strip().splitlines()]
PROPERTIES: Final[list[tuple[type, str]]] = [
    (
        Run,
        "description display_name experiment id name number parent properties status tags type",
    ),
    (_SubmittedRun, "input_datasets output_datasets"),
    (Experiment, "archived_time id name tags workspace workspace_object"),
    (
        Workspace,
        "compute_targets datasets datastores discovery_url environments experiments images "
        "linked_services location models name private_endpoints resource_group service_context "
        "sku subscription_id tags webservices",
    ),
    (RunConfiguration, "auto_prepare_environment environment_variables target"),
    (Environment, "environment_variables"),
    (CondaDependencies, "conda_channels conda_packages pip_options pip_packages"),
]


def signature_of(member: object) -> str:
    """A signature without annotations and without the keyword-only parameters added to it."""
    assert callable(member)
    given = inspect.signature(member)
    kept = [
        parameter.replace(annotation=parameter.empty)
        for parameter in given.parameters.values()
        if parameter.kind is not parameter.KEYWORD_ONLY
    ]
    return str(given.replace(parameters=kept, return_annotation=given.empty))


@pytest.mark.parametrize(
    ("cls", "line"), METHODS, ids=lambda p: p.split("(")[0] if isinstance(p, str) else p.__name__
)
def test_a_call_takes_what_the_matched_call_takes(cls: type, line: str) -> None:
    name, _, parameters = line.partition("(")
    assert signature_of(getattr(cls, name)) == f"({parameters}"


@pytest.mark.parametrize(
    ("cls", "line"),
    [(cls, line) for cls, text in COLLECTED for line in text.strip().splitlines()],
    ids=lambda p: p.split("(")[0] if isinstance(p, str) else p.__name__,
)
def test_a_call_of_a_collected_run_is_taken(cls: type, line: str) -> None:
    """As the script writes it: by position or by name, with what is left out left out."""
    name, _, text = line.partition("(")
    wanted = [one.strip() for one in text.rstrip(")").split(",")]
    given = [one for one in wanted if one and not one.startswith("*")]
    by_position = {one.partition("=")[0]: one for one in given}
    call = inspect.signature(getattr(cls, name))
    call.bind(*by_position)
    names = [key for key in by_position if key != "self"]
    call.bind(None, **dict.fromkeys(names))
    call.bind(*(key for key, one in by_position.items() if "=" not in one))


@pytest.mark.parametrize(("cls", "names"), PROPERTIES, ids=lambda p: getattr(p, "__name__", ""))
def test_a_property_of_the_matched_api_is_a_property(cls: type, names: str) -> None:
    for name in names.split():
        assert isinstance(getattr(cls, name), property)


def test_keyword_only_parameters_come_on_top() -> None:
    added = {"since", "limit", "order_by", "filter"}
    assert added <= set(inspect.signature(Run.list).parameters)
    assert {*added, "status"} <= set(inspect.signature(Experiment.get_runs).parameters)


def test_what_the_matched_api_sets_on_its_objects_is_there() -> None:
    config = RunConfiguration()
    names = (
        "amlcompute arguments auto_cluster_compute_specification command communicator "
        "credential_passthrough data data_references datacaches docker environment framework hdi "
        "history kubernetescompute max_run_duration_seconds mpi node_count output_data "
        "paralleltask priority pytorch script services source_directory_data_store spark tensorflow"
    )
    missing = [name for name in names.split() if not hasattr(config, name)]
    assert not missing
    names = "source_directory script command arguments run_config"
    assert not [name for name in names.split() if not hasattr(ScriptRunConfig("."), name)]


def test_the_constants_of_the_matched_api_are_there() -> None:
    assert ScriptRun.RUN_TYPE == "azureml.scriptrun"
    assert ScriptRunConfig.MAX_DURATION_SECONDS_DEFAULT == 2592000
