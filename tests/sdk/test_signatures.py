"""The calls take what the calls of the matched API take, in the same order."""

import inspect
from typing import Final

import pytest

from headway import (
    CondaDependencies,
    Environment,
    Experiment,
    Run,
    RunConfiguration,
    ScriptRun,
    ScriptRunConfig,
    Workspace,
)

RUN: Final = """
__init__(self, experiment, run_id, outputs=None, **kwargs)
add_properties(self, properties)
cancel(self)
child_run(self, name=None, run_id=None, outputs=None)
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
get_environment(self)
get_file_names(self)
get_metrics(self, name=None, recursive=False, run_type=None, populate=False)
get_properties(self)
get_snapshot_id(self)
get_status(self)
get_submitted_run(**kwargs)
get_tags(self)
list(experiment, type=None, tags=None, properties=None, status=None, include_children=False, \
_rehydrate_runs=True)
log(self, name, value, description='', step=None)
log_list(self, name, value, description='')
log_row(self, name, description=None, **kwargs)
log_table(self, name, value, description='')
remove_tags(self, tags)
set_tags(self, tags)
start(self)
submit_child(self, config, tags=None, **kwargs)
tag(self, key, value=None)
upload_file(self, name, path_or_stream, datastore_name=None)
upload_files(self, names, paths, return_artifacts=False, timeout_seconds=None, datastore_name=None)
upload_folder(self, name, path, datastore_name=None)
wait_for_completion(self, show_output=False, wait_post_processing=False, raise_on_error=True)
"""
EXPERIMENT: Final = """
__init__(self, workspace, name, _skip_name_validation=False, _id=None, _archived_time=None, \
_create_in_cloud=True, _experiment_dto=None, **kwargs)
archive(self)
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
"""
ENVIRONMENT: Final = """
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
    (ScriptRunConfig, CONFIGURATION),
    (RunConfiguration, RUN_CONFIGURATION),
    (ScriptRun, SCRIPT_RUN),
    (Environment, ENVIRONMENT),
    (CondaDependencies, CONDA_DEPENDENCIES),
]
METHODS: Final = [(cls, line) for cls, text in TABLES for line in text.strip().splitlines()]
PROPERTIES: Final[list[tuple[type, str]]] = [
    (
        Run,
        "description display_name experiment id name number parent properties status tags type",
    ),
    (Experiment, "archived_time id name tags workspace workspace_object"),
    (Workspace, "experiments location name resource_group subscription_id"),
    (RunConfiguration, "environment_variables target"),
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


@pytest.mark.parametrize(("cls", "names"), PROPERTIES, ids=lambda p: getattr(p, "__name__", ""))
def test_a_property_of_the_matched_api_is_a_property(cls: type, names: str) -> None:
    for name in names.split():
        assert isinstance(getattr(cls, name), property)


def test_keyword_only_parameters_come_on_top() -> None:
    added = {"since", "limit", "order_by", "filter"}
    assert added <= set(inspect.signature(Run.list).parameters)
    assert {*added, "status"} <= set(inspect.signature(Experiment.get_runs).parameters)


def test_the_constants_of_the_matched_api_are_there() -> None:
    assert ScriptRun.RUN_TYPE == "azureml.scriptrun"
    assert ScriptRunConfig.MAX_DURATION_SECONDS_DEFAULT == 2592000
