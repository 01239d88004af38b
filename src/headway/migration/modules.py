"""The table, third part: which module exports what, and what there is not at all."""

from typing import Final

_DEPLOY: Final = (
    "Headway serves no models: take the files with model.download() and serve them with a tool of "
    "your choice"
)
_LOCAL_ONLY: Final = (
    "there are no clusters to make: submit to 'local', this machine (headway compute set local)"
)
_SWEEP: Final = (
    "loop over the values and call exp.submit for each, with tags; the slots of "
    "headway compute set local keep them in line"
)
_ESTIMATOR: Final = "use ScriptRunConfig(source_directory, script, arguments, environment=...)"
_EXPLAIN: Final = "call the explainer yourself and keep its result with run.upload_file"
_PIPELINE: Final = (
    "submit the steps one after the other from a script, with wait_for_completion between them"
)
_AUTOML: Final = "search in a script, with a child run for each candidate (run.child_run)"
_NETWORK: Final = "there is no network of Azure around a workspace; leave it out"

MODULES: Final = {
    "azureml.core": (
        "ComputeTarget ContainerRegistry Dataset Datastore Environment Experiment Image Keyvault "
        "LinkedService Model PrivateEndPoint PrivateEndPointConfig Run RunConfiguration "
        "ScriptRun=Run ScriptRunConfig SynapseWorkspaceLinkedServiceConfiguration VERSION "
        "Webservice Workspace __version__ attach_legacy_compute_target diagnostic_log get_run "
        "is_compute_target_prepared prepare_compute_target remove_legacy_compute_target"
    ),
    "azureml.core.authentication": (
        "AbstractAuthentication ArmTokenAuthentication AzureCliAuthentication "
        "InteractiveLoginAuthentication MsiAuthentication ServicePrincipalAuthentication "
        "TokenAuthentication"
    ),
    "azureml.core.compute": (
        "AdlaCompute AksCompute AmlCompute BatchCompute ComputeInstance ComputeTarget "
        "DatabricksCompute DataFactoryCompute DsvmCompute HDInsightCompute KubernetesCompute "
        "ComputeTargetException RemoteCompute SynapseCompute"
    ),
    "azureml.core.compute.compute": "ComputeTarget ComputeTargetException",
    "azureml.core.compute_target": "ComputeTarget ComputeTargetException",
    "azureml.core.conda_dependencies": "CondaDependencies",
    "azureml.core.container_registry": "ContainerRegistry",
    "azureml.core.dataset": "Dataset",
    "azureml.core.datastore": "Datastore",
    "azureml.core.environment": (
        "CondaDependencies DEFAULT_CPU_IMAGE DEFAULT_GPU_IMAGE DockerSection Environment "
        "PythonSection"
    ),
    "azureml.core.experiment": "Experiment ViewType",
    "azureml.core.image": "ContainerImage Image",
    "azureml.core.keyvault": "Keyvault",
    "azureml.core.model": "InferenceConfig=azureml.core.model.InferenceConfig Model",
    "azureml.core.resource_configuration": "ResourceConfiguration",
    "azureml.core.run": ("RUNNING_STATES Run RunStatus _OfflineRun=Run _SubmittedRun=Run get_run"),
    "azureml.core.runconfig": (
        "CondaDependencies DEFAULT_CPU_IMAGE DEFAULT_GPU_IMAGE DataReferenceConfiguration "
        "DockerConfiguration DockerSection EnvironmentDefinition=Environment HistoryConfiguration "
        "MpiConfiguration ParallelTaskConfiguration PyTorchConfiguration PythonSection "
        "RunConfiguration TensorflowConfiguration"
    ),
    "azureml.core.script_run": "ScriptRun=Run",
    "azureml.core.script_run_config": "ScriptRunConfig",
    "azureml.core.webservice": (
        "AciWebservice AksEndpoint AksWebservice LocalWebservice Webservice"
    ),
    "azureml.core.workspace": "Workspace WorkspaceException",
    "azureml.data": "DataType FileDataset=Dataset OutputFileDatasetConfig TabularDataset=Dataset",
    "azureml.data.azure_storage_datastore": "AzureBlobDatastore AzureFileDatastore",
    "azureml.data.data_reference": "DataReference",
    "azureml.data.dataset_consumption_config": "DatasetConsumptionConfig",
    "azureml.data.dataset_factory": (
        "DataType FileDatasetFactory=Dataset TabularDatasetFactory=Dataset"
    ),
    "azureml.data.datapath": "DataPath",
    "azureml.data.file_dataset": "FileDataset=Dataset",
    "azureml.data.output_dataset_config": "OutputFileDatasetConfig",
    "azureml.data.tabular_dataset": "TabularDataset=Dataset",
    "azureml.exceptions": (
        "ActivityFailedException AuthenticationException AzureMLAggregatedException "
        "AzureMLException ComputeTargetException DatasetTimestampMissingError "
        "DiscoveryUrlNotFoundException ExperimentExecutionException ModelNotFoundException "
        "ModelPathNotFoundException ParallelRunException ProjectSystemException "
        "RunConfigurationException RunEnvironmentException ServiceException SnapshotException "
        "TrainingException "
        "UserErrorException WebserviceException WorkspaceException "
        "WorkspacePrivateEndpointException"
    ),
    "azureml.telemetry": "set_diagnostics_collection",
    "azureml.widgets": "RunDetails",
    "azureml._restclient.constants": "RunStatus ViewType",
    "azureml._restclient.exceptions": "ServiceException",
}
"""Names by module; ``a=b`` where the module's name ``a`` is the row ``b``."""

WORDS: Final = (
    "VERSION __version__ RUNNING_STATES RunStatus ViewType "
    "DEFAULT_CPU_IMAGE DEFAULT_GPU_IMAGE DataType "
    f"{MODULES['azureml.exceptions']}"
)
"""Exported names of which nothing but the name is looked at."""

IGNORED: Final = {
    **dict.fromkeys(
        MODULES["azureml.core.authentication"].split(), "no login is needed: accepted and ignored"
    ),
    "ResourceConfiguration": "kept with the model as it is shown; Headway serves no models",
    "set_diagnostics_collection": "nothing is sent to anybody: accepted and ignored",
}
"""Exported names that do nothing, and need not."""

ELSEWHERE: Final = {
    **dict.fromkeys(
        MODULES["azureml.core.compute"]
        .replace(" ComputeTargetException", "")
        .replace(" ComputeTarget", "")
        .replace(" AmlCompute", "")
        .split(),
        _LOCAL_ONLY,
    ),
    **dict.fromkeys(
        (
            "AciWebservice",
            "AksEndpoint",
            "AksWebservice",
            "ContainerImage",
            "Image",
            "LocalWebservice",
            "Webservice",
        ),
        _DEPLOY,
    ),
    **dict.fromkeys(
        MODULES["azureml.data.azure_storage_datastore"].split(),
        "every datastore here is a Datastore: leave the class out",
    ),
    "ContainerRegistry": "runs are executed without containers; leave it out",
    "LinkedService": _NETWORK,
    "PrivateEndPoint": _NETWORK,
    "PrivateEndPointConfig": _NETWORK,
    "SynapseWorkspaceLinkedServiceConfiguration": _NETWORK,
    "attach_legacy_compute_target": _LOCAL_ONLY,
    "azureml.core.model.InferenceConfig": _DEPLOY,
    "diagnostic_log": "set HEADWAY_DEBUG=true",
    "is_compute_target_prepared": _LOCAL_ONLY,
    "prepare_compute_target": _LOCAL_ONLY,
    "remove_legacy_compute_target": _LOCAL_ONLY,
}
"""Exported names that there are not, and what to do instead."""

UNSUPPORTED_MODULES: Final = {
    "azureml.automl": _AUTOML,
    "azureml.contrib": "it was never part of the supported API; leave it out",
    "azureml.datadrift": "compare the data in a script and log what it finds",
    "azureml.dataprep": "read the data with Dataset.Tabular or pandas",
    "azureml.explain": _EXPLAIN,
    "azureml.interpret": _EXPLAIN,
    "azureml.mlflow": "log with run.log; there is no MLflow server",
    "azureml.opendatasets": "download the data and read them with Dataset.Tabular or pandas",
    "azureml.pipeline": _PIPELINE,
    "azureml.responsibleai": _EXPLAIN,
    "azureml.tensorboard": "write to ./logs and start tensorboard on run.download_files",
    "azureml.train.automl": _AUTOML,
    "azureml.train.dnn": _ESTIMATOR,
    "azureml.train.estimator": _ESTIMATOR,
    "azureml.train.hyperdrive": _SWEEP,
    "azureml.train.sklearn": _ESTIMATOR,
}
"""Modules that there are not, with all below them, and what to do instead."""
