"""Parts of a run configuration that mean something to services that Headway does not have."""

from types import SimpleNamespace

from headway.sdk.environments.docker_configuration import DockerConfiguration


class HistoryConfiguration:
    """What is kept of a run. Accepted as given: outputs, logs and the source always are.

    Attributes:
        output_collection: Whether outputs are collected.
        snapshot_project: Whether the source is kept.
        directories_to_watch: Folders whose logs are kept as they grow.
    """

    def __init__(self) -> None:
        self.output_collection = True
        self.snapshot_project = True
        self.directories_to_watch = ["logs"]


class Sections:
    """The parts of ``RunConfiguration`` that are kept as they are set, and not used.

    Attributes:
        history: What is kept of a run.
        docker: Containers; programs run on the machine itself.
        spark: Not used, nor is what follows.
        hdi: Not used.
        tensorflow: Not used.
        paralleltask: Not used.
        amlcompute: Not used.
        kubernetescompute: Not used.
        services: Not used.
        datacaches: Not used.
        output_data: Not used.
        source_directory_data_store: Not used.
        auto_cluster_compute_specification: Not used.
        credential_passthrough: Not used.
    """

    def __init__(self) -> None:
        self.history = HistoryConfiguration()
        self.docker = DockerConfiguration()
        self.spark = SimpleNamespace(configuration={})
        self.hdi = SimpleNamespace(yarn_deploy_mode="cluster")
        self.tensorflow = SimpleNamespace(worker_count=1, parameter_server_count=1)
        self.paralleltask = SimpleNamespace(max_retries_per_worker=0, worker_count_per_node=1)
        self.amlcompute = SimpleNamespace(vm_size=None, vm_priority=None, cluster_max_node_count=1)
        self.kubernetescompute = SimpleNamespace(instance_type=None)
        self.services: dict[str, object] = {}
        self.datacaches: list[object] = []
        self.output_data: dict[str, object] = {}
        self.source_directory_data_store: str | None = None
        self.auto_cluster_compute_specification: object = None
        self.credential_passthrough = False

    @property
    def auto_prepare_environment(self) -> bool:
        """True: environments are made when they are first needed. Setting it does nothing."""
        return True

    @auto_prepare_environment.setter
    def auto_prepare_environment(self, _: object) -> None:
        return
