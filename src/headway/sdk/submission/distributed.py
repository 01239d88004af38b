"""Runs of several processes: ``PyTorchConfiguration``, ``MpiConfiguration`` and what they mean."""

from typing import Final, Protocol

from headway.errors import InvalidValueError
from headway.model import Processes

_BACKENDS: Final = {"nccl": "Nccl", "gloo": "Gloo"}
_MPI_COMMUNICATORS: Final = frozenset({"intelmpi", "openmpi", "mpi"})


class PyTorchConfiguration:
    """Processes that find each other by the variables that ``torch.distributed`` reads.

    Each is given ``RANK``, ``LOCAL_RANK``, ``WORLD_SIZE``, ``MASTER_ADDR``, ``MASTER_PORT`` and
    the like; the program calls ``init_process_group`` itself.

    Args:
        communication_backend: ``Nccl`` or ``Gloo``; kept, and for the program to choose.
        process_count: Processes in all, a multiple of ``node_count``; None for one a machine.
        node_count: Machines. The compute target ``local`` is one.
    """

    def __init__(
        self,
        communication_backend: str = "Nccl",
        process_count: int | None = None,
        node_count: int = 1,
    ) -> None:
        backend = _BACKENDS.get(str(communication_backend).lower())
        if backend is None:
            raise InvalidValueError(
                f"communication_backend was given as {communication_backend!r}: accepted are "
                "'Nccl' and 'Gloo'"
            )
        self.communication_backend = backend
        self.node_count = _count("node_count", node_count)
        self.process_count = (
            self.node_count if process_count is None else _count("process_count", process_count)
        )
        if self.process_count % self.node_count:
            raise InvalidValueError(
                f"process_count was given as {process_count!r} for node_count={node_count!r}: give "
                "a multiple of it, so that every machine has as many"
            )

    def __repr__(self) -> str:
        return (
            f"PyTorchConfiguration({self.communication_backend!r}, "
            f"process_count={self.process_count}, node_count={self.node_count})"
        )


class MpiConfiguration:
    """Processes that are told their rank as Open MPI tells it.

    Each is given ``OMPI_COMM_WORLD_RANK`` and the like, beside what ``PyTorchConfiguration`` gives.
    A program that calls MPI itself needs MPI's own launcher: submit ``mpirun`` as the command.

    Args:
        process_count_per_node: Processes on each machine.
        node_count: Machines. The compute target ``local`` is one.
    """

    def __init__(self, process_count_per_node: int = 1, node_count: int = 1) -> None:
        self.process_count_per_node = _count("process_count_per_node", process_count_per_node)
        self.node_count = _count("node_count", node_count)

    def __repr__(self) -> str:
        return (
            f"MpiConfiguration(process_count_per_node={self.process_count_per_node}, "
            f"node_count={self.node_count})"
        )


class Distributable(Protocol):
    """The part of a run configuration that says how many processes to start."""

    framework: str
    communicator: str
    node_count: int
    mpi: MpiConfiguration
    pytorch: PyTorchConfiguration


def apply(job: object, to: Distributable) -> None:
    """Have a run configuration say what a ``distributed_job_config`` does.

    Raises:
        InvalidValueError: It is neither of the two that are known.
    """
    if isinstance(job, PyTorchConfiguration):
        to.pytorch, to.framework, to.communicator = job, "PyTorch", job.communication_backend
    elif isinstance(job, MpiConfiguration):
        to.mpi, to.framework, to.communicator = job, "Python", "IntelMpi"
    else:
        raise InvalidValueError(
            f"distributed_job_config was given as {type(job).__name__} {job!r}: give a "
            "PyTorchConfiguration or an MpiConfiguration"
        )
    to.node_count = job.node_count


def processes_of(config: Distributable) -> Processes | None:
    """How many processes a run configuration asks for; None for the program alone.

    Raises:
        InvalidValueError: It asks for more machines than one.
    """
    nodes = _count("node_count", config.node_count)
    found: Processes | None = None
    if config.framework.lower() == "pytorch" and config.communicator.lower() in _BACKENDS:
        job = config.pytorch
        nodes = max(nodes, job.node_count)
        found = Processes(count=job.process_count, kind="pytorch")
    elif config.communicator.lower() in _MPI_COMMUNICATORS:
        nodes = max(nodes, config.mpi.node_count)
        found = Processes(count=config.mpi.process_count_per_node * nodes, kind="mpi")
    if nodes != 1:
        raise InvalidValueError(
            f"node_count was given as {nodes}: the compute target 'local' is one machine; set it "
            "to 1, and start more processes on it with process_count (PyTorchConfiguration) or "
            "process_count_per_node (MpiConfiguration)"
        )
    return found


def _count(name: str, given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return given
    raise InvalidValueError(f"{name} was given as {given!r}: give a whole number above 0")
