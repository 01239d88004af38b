"""What a cluster was asked for and what became of it, in the words of the matched API."""

from typing import cast

import msgspec

from headway.errors import InvalidValueError
from headway.sdk.submission.compute import ComputeStatus

_DEFAULT_NODES = 4
_IDLE_S = 1800


class ScaleSettings(msgspec.Struct, frozen=True, rename="camel"):
    """How many nodes a cluster has."""

    minimum_node_count: int
    """Kept to 0: no node has to be started."""
    maximum_node_count: int
    """How many of its runs go on at a time."""
    node_idle_time_before_scale_down: int
    """Seconds, as it was asked for; not used."""


class NodeStateCounts(msgspec.Struct, frozen=True, rename="camel"):
    """How many nodes do what."""

    idle_node_count: int
    running_node_count: int
    preparing_node_count: int = 0
    unusable_node_count: int = 0
    leaving_node_count: int = 0
    preempted_node_count: int = 0


class AmlComputeStatus(ComputeStatus, frozen=True, rename="camel", kw_only=True):
    """A cluster as it is now."""

    current_node_count: int
    target_node_count: int
    node_state_counts: NodeStateCounts
    vm_size: str
    scale_settings: ScaleSettings
    vm_priority: str = "Dedicated"
    allocation_state: str = "Steady"
    provisioning_state: str = "Succeeded"
    errors: list[str] | None = None


class AmlComputeProvisioningConfiguration:
    """What a cluster is to be: the number of nodes counts, the machine it names does not.

    Attributes:
        vm_size: The size of machine that was asked for; kept as a word.
        min_nodes: Kept as it was given.
        max_nodes: How many of its runs go on at a time.
        idle_seconds_before_scaledown: Kept as it was given.
        tags: Kept as they were given.
        description: Kept as it was given.
    """

    def __init__(
        self,
        vm_size: str | None = "",
        vm_priority: str | None = "dedicated",
        min_nodes: int = 0,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: int | None = None,
        tags: dict[str, str] | None = None,
        description: str | None = None,
    ) -> None:
        self.vm_size = vm_size or ""
        self.vm_priority = vm_priority or "dedicated"
        self.min_nodes = whole_nodes("min_nodes", min_nodes)
        wanted = _DEFAULT_NODES if max_nodes is None else max_nodes
        self.max_nodes = whole_nodes("max_nodes", wanted)
        if self.max_nodes < max(1, self.min_nodes):
            raise InvalidValueError(
                f"max_nodes was given as {max_nodes!r} and min_nodes as {min_nodes!r}: give a "
                "max_nodes of 1 or more that is not below min_nodes"
            )
        idle_s = idle_seconds_before_scaledown
        self.idle_seconds_before_scaledown = _IDLE_S if idle_s is None else idle_s
        self.tags = tags or {}
        self.description = description

    def __repr__(self) -> str:
        return (
            f"AmlComputeProvisioningConfiguration(vm_size={self.vm_size!r}, "
            f"min_nodes={self.min_nodes}, max_nodes={self.max_nodes})"
        )


def whole_nodes(name: str, given: object) -> int:
    """A number of nodes that was given."""
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return given
    raise InvalidValueError(f"{name} was given as {given!r}: give a whole number of nodes")


def cluster_status(status: ComputeStatus, vm_size: str) -> AmlComputeStatus:
    """The status of a compute target with nodes, in the words of the matched API."""
    taken = sum(slot.run_id is not None for slot in status.slots)
    nodes = cast("int", status.nodes)
    return AmlComputeStatus(
        cpus=status.cpus,
        gpus=status.gpus,
        nodes=nodes,
        slots=status.slots,
        queued=status.queued,
        current_node_count=taken,
        target_node_count=taken,
        node_state_counts=NodeStateCounts(idle_node_count=0, running_node_count=taken),
        vm_size=vm_size,
        scale_settings=ScaleSettings(0, nodes, _IDLE_S),
    )
