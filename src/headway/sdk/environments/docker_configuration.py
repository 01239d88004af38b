"""``DockerConfiguration``: accepted, though runs are executed without containers."""

from collections.abc import Sequence


class DockerConfiguration:
    """How a container would be started; kept and ignored.

    Args:
        use_docker: Whether one was asked for.
        shared_volumes: Ignored.
        arguments: Ignored.
        shm_size: Ignored.
    """

    def __init__(
        self,
        use_docker: bool = False,
        shared_volumes: bool = True,
        arguments: Sequence[str] | None = None,
        shm_size: str | None = None,
    ) -> None:
        self.use_docker = use_docker
        self.shared_volumes = shared_volumes
        self.arguments = list(arguments or ())
        self.shm_size = shm_size

    def __repr__(self) -> str:
        return f"DockerConfiguration(use_docker={self.use_docker})"
