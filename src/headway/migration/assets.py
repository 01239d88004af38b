"""The table, second part: environments, models, data and compute targets."""

from typing import Final

from headway.migration.words import OWN, Known

_DEPLOY: Final = (
    "Headway serves no models: take the files with model.download() and serve them with a tool of "
    "your choice"
)
_DOCKER: Final = (
    "runs are executed without containers: use Environment.from_pip_requirements or "
    "from_conda_specification"
)
_MADE_LATER: Final = "leave it out: an environment is made when the first run needs it"
_AZURE_STORE: Final = (
    "read and write it by its URL with Dataset, or copy it into ws.get_default_datastore()"
)
_LOCAL_ONLY: Final = (
    "there are no machines to attach: submit to 'local', this machine (headway compute set local)"
)
_STANDS: Final = "the name stands for this machine: max_nodes of its runs go on at a time there"
_NO_SQL: Final = "query the database in the script, or export to files"
_PANDAS: Final = "call to_pandas_dataframe() and use pandas"

ASSETS: Final = (
    Known(
        "Environment",
        supported=(
            "add_private_pip_wheel clone environment_variables from_conda_specification "
            "from_pip_requirements label list "
            "load_from_directory name python register save_to_directory version"
        ),
        partly={
            "docker": "ignored: runs are executed on this machine itself",
            "inferencing_stack_version": "ignored: Headway serves no models",
            "get": "AzureML-..., the name of an image of Azure's, gives the Python that submits",
        },
        unsupported={
            "build": _MADE_LATER,
            "build_local": _MADE_LATER,
            "from_docker_image": _DOCKER,
            "databricks": "there is no Databricks; leave it out",
            "from_docker_build_context": _DOCKER,
            "from_dockerfile": _DOCKER,
            "from_existing_conda_environment": (
                "write it down with conda env export and use Environment.from_conda_specification"
            ),
            "get_image_details": _DOCKER,
            "r": "start Rscript as the command of a ScriptRunConfig",
            "spark": "there is no Spark cluster; start Spark in the script, in local mode",
        },
        returns={
            "clone": "Environment",
            "from_conda_specification": "Environment",
            "from_existing_conda_environment": "Environment",
            "from_pip_requirements": "Environment",
            "from_docker_image": "Environment",
            "get": "Environment",
            "list": "*Environment",
            "load_from_directory": "Environment",
            "register": "Environment",
            "python": "PythonSection",
            "docker": "DockerSection",
        },
    ),
    Known(
        "PythonSection",
        supported=(
            "conda_dependencies user_managed_dependencies interpreter_path "
            "conda_dependencies_file base_conda_environment"
        ),
        returns={"conda_dependencies": "CondaDependencies"},
    ),
    Known(
        "DockerSection",
        partly=dict.fromkeys(
            (
                "enabled",
                "arguments",
                "base_dockerfile",
                "base_image",
                "base_image_registry",
                "gpu_support",
                "shared_volumes",
                "shm_size",
            ),
            "ignored: runs are executed on this machine itself",
        ),
    ),
    Known(
        "CondaDependencies",
        supported=(
            "DEFAULT_NUMBER_OF_CONDA_PACKAGES DEFAULT_NUMBER_OF_PIP_PACKAGES add_channel "
            "add_conda_package add_pip_package add_tensorflow_conda_package "
            "add_tensorflow_pip_package as_dict conda_channels conda_packages create "
            "get_default_number_of_packages get_python_version merge_requirements pip_options "
            "pip_packages remove_channel remove_conda_package remove_pip_option "
            "remove_pip_package save save_to_file sdk_origin_url serialize_to_string "
            "set_pip_index_url set_pip_option set_pip_requirements set_python_version"
        ),
        unsupported={"add_cntk_package": "there is no CNTK for Python 3.11; leave it out"},
        returns={"create": "CondaDependencies", "merge_requirements": ""},
    ),
    Known(
        "Model",
        supported=(
            "Framework add_properties add_tags created_by created_time delete description "
            "deserialize download experiment_name get_model_path id list model_framework "
            "model_framework_version name properties register remove_tags run run_id serialize "
            "tags update update_tags_properties url version workspace datasets mime_type "
            "resource_configuration sample_input_dataset sample_output_dataset unpack"
        ),
        partly={"add_dataset_references": "the names are kept; the data are not"},
        unsupported={
            "deploy": _DEPLOY,
            "get_sas_urls": "there is no Azure storage: take the files with model.download()",
            "package": _DEPLOY,
            "print_configuration": _DEPLOY,
            "profile": _DEPLOY,
        },
        returns={
            "list": "*Model",
            "register": "Model",
            "deserialize": "Model",
            "run": "Run",
            "workspace": "Workspace",
        },
    ),
    Known(
        "Datastore",
        supported=(
            "as_download as_mount as_upload datastore_type download get get_default is_default "
            "name path set_as_default unregister upload upload_files workspace"
        ),
        better={"register": OWN},
        unsupported={
            "register_azure_blob_container": _AZURE_STORE,
            "register_azure_data_lake": _AZURE_STORE,
            "register_azure_data_lake_gen2": _AZURE_STORE,
            "register_azure_file_share": _AZURE_STORE,
            "register_azure_my_sql": _NO_SQL,
            "register_azure_postgre_sql": _NO_SQL,
            "register_azure_sql_database": _NO_SQL,
            "register_dbfs": _AZURE_STORE,
            "register_hdfs": _AZURE_STORE,
        },
        returns={"get": "Datastore", "get_default": "Datastore", "path": "DataReference"},
    ),
    Known(
        "DataReference",
        supported=(
            "as_download as_mount as_upload data_reference_name datastore path path_on_compute "
            "to_config"
        ),
        returns={
            "path": "DataReference",
            "as_mount": "DataReference",
            "as_download": "DataReference",
            "as_upload": "DataReference",
        },
    ),
    Known(
        "DataReferenceConfiguration",
        supported="datastore_name mode overwrite path_on_compute path_on_datastore",
    ),
    Known("DataPath", supported="datastore path_on_datastore"),
    Known(
        "Dataset",
        supported=(
            "File Tabular get_all get_by_id get_by_name name version id description tags register "
            "to_pandas_dataframe to_path download mount take take_sample skip random_split "
            "keep_columns drop_columns as_named_input as_mount as_download from_files "
            "from_delimited_files from_parquet_files from_json_lines_files "
            "register_pandas_dataframe"
        ),
        unsupported={
            **dict.fromkeys(
                (
                    "filter",
                    "partition_by",
                    "time_after",
                    "time_before",
                    "time_between",
                    "time_recent",
                    "with_timestamp_columns",
                ),
                "call to_pandas_dataframe() and choose the rows with pandas",
            ),
            **dict.fromkeys(
                ("add_tags", "remove_tags", "update"),
                "give description and tags to register, with create_new_version=True",
            ),
            **dict.fromkeys(
                ("get_profile", "submit_profile_run"),
                "call to_pandas_dataframe().describe()",
            ),
            "as_hdfs": "there is no Spark cluster; use as_mount()",
            "from_sql_query": _NO_SQL,
            "unregister_all_versions": "versions stay; register under another name",
            "to_spark_dataframe": _PANDAS,
            "to_dask_dataframe": _PANDAS,
            "Scenario": "leave it out",
            "auto_read_files": "use Dataset.Tabular.from_delimited_files",
            "to_csv_files": _PANDAS,
            "to_parquet_files": _PANDAS,
        },
        returns={
            "File": "Dataset",
            "Tabular": "Dataset",
            "get_by_id": "Dataset",
            "get_by_name": "Dataset",
            "register": "Dataset",
            "take": "Dataset",
            "take_sample": "Dataset",
            "skip": "Dataset",
            "keep_columns": "Dataset",
            "drop_columns": "Dataset",
            "random_split": "*Dataset",
            "from_files": "Dataset",
            "from_delimited_files": "Dataset",
            "from_parquet_files": "Dataset",
            "from_json_lines_files": "Dataset",
            "register_pandas_dataframe": "Dataset",
            "as_named_input": "DatasetConsumptionConfig",
        },
    ),
    Known("DatasetConsumptionConfig", supported="as_mount as_download as_direct name"),
    Known(
        "OutputFileDatasetConfig",
        supported="as_upload as_mount",
        unsupported={"register_on_complete": "register it with Dataset.File.from_files afterwards"},
    ),
    Known(
        "ComputeTarget",
        supported=(
            "name type get_status list provisioning_state refresh_state serialize "
            "wait_for_completion"
        ),
        called=(
            "'local' is this machine; a name that create was not called with raises "
            "ComputeTargetException, as that of a cluster that is not there did"
        ),
        better={"remove_slots": OWN, "set_slots": OWN},
        partly={
            "create": _STANDS,
            "delete": "removes the name; 'local' cannot be removed",
            "detach": "removes the name; 'local' cannot be removed",
        },
        unsupported={"attach": _LOCAL_ONLY},
        returns={"create": "AmlCompute", "list": "*ComputeTarget"},
    ),
    Known(
        "AmlCompute",
        supported=(
            "delete detach get_status name provisioning_errors provisioning_state refresh_state "
            "scale_settings serialize status type update wait_for_completion"
        ),
        called=_STANDS,
        partly={
            "provisioning_configuration": f"{_STANDS}; the rest is ignored",
            "supported_vmsizes": "this machine",
            "vm_size": "kept as a word",
        },
    ),
)
