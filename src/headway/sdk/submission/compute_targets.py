"""Compute targets of a workspace by name: this machine, and clusters that stand for it."""

import os
import sys
from collections.abc import Mapping
from typing import ClassVar, NoReturn, Self, cast

from headway.engines.queueing import local_compute
from headway.engines.targets import Target, Targets
from headway.errors import ComputeTargetNotFoundError, InvalidValueError
from headway.sdk.submission.compute import TARGET_NAME, LocalCompute
from headway.sdk.submission.provisioning import (
    AmlComputeProvisioningConfiguration,
    AmlComputeStatus,
    ScaleSettings,
    cluster_status,
    whole_nodes,
)
from headway.sdk.unsupported import refuse
from headway.sdk.warned import warn
from headway.sdk.workspaces.workspace import WorkspaceBase

_CLUSTER_TYPE = "AmlCompute"
_GIBIBYTE = 1 << 30


class ComputeTarget(LocalCompute):
    """A compute target of a workspace by its name.

    ``local`` is this machine. Other names stand for it after ``create``, each with a number of
    runs that go on at a time; they are an ``AmlCompute``.

    Args:
        workspace: The workspace.
        name: Its name.

    Raises:
        ComputeTargetNotFoundError: There is none of that name.
    """

    provisioning_state: ClassVar[str] = "Succeeded"
    provisioning_errors: ClassVar[None] = None

    def __new__(cls, workspace: WorkspaceBase, name: str) -> Self:
        """A cluster for every name but that of this machine."""
        is_cluster = cls is ComputeTarget and name != TARGET_NAME
        return cast("Self", object.__new__(AmlCompute if is_cluster else cls))

    def __init__(self, workspace: WorkspaceBase, name: str) -> None:
        super().__init__(workspace.session.settings, name)
        self.workspace = workspace

    def wait_for_completion(
        self,
        show_output: bool = False,
        min_node_count: int | None = None,
        timeout_in_minutes: float | None = None,
        is_delete_operation: bool = False,
        **kwargs: object,
    ) -> None:
        """Return at once: this machine is there."""
        if show_output:
            sys.stdout.write(f"{self.name}: {self.provisioning_state}\n")

    def refresh_state(self) -> None:
        """Do nothing: what is asked for is always as it is now."""

    def serialize(self) -> dict[str, object]:
        """What is known of it, as a dict that JSON can hold."""
        return {"name": self.name, "type": self.type, **self.get_status().serialize()}

    def delete(self) -> None:
        """Not supported: this machine stays."""
        refuse("compute_target.delete()", "leave it out; remove_slots() removes its slots")

    def detach(self) -> None:
        """Not supported: this machine stays."""
        refuse("compute_target.detach()", "leave it out; remove_slots() removes its slots")

    @staticmethod
    def create(
        workspace: WorkspaceBase, name: str, provisioning_configuration: object
    ) -> "AmlCompute":
        """Let a name stand for this machine; what has the name is changed.

        It holds for all workspaces of this user on this machine, and a warning says so.

        Args:
            workspace: A workspace.
            name: Letters, digits, ``-`` and ``_``, a letter first.
            provisioning_configuration: From ``AmlCompute.provisioning_configuration``, whose
                ``max_nodes`` is how many of its runs go on at a time.

        Raises:
            InvalidValueError: It cannot have that name, or that is no such configuration.
        """
        wanted = provisioning_configuration
        if not isinstance(wanted, AmlComputeProvisioningConfiguration):
            raise InvalidValueError(
                f"provisioning_configuration was given as {type(wanted).__name__} {wanted!r}: give "
                "AmlCompute.provisioning_configuration(max_nodes=4)"
            )
        targets = _targets(workspace)
        targets.write(name, Target(nodes=wanted.max_nodes, vm_size=wanted.vm_size))
        size = f"; vm_size {wanted.vm_size!r} is ignored" if wanted.vm_size else ""
        warn(
            f"compute target {name!r} stands for this machine: its runs are executed here, "
            f"{wanted.max_nodes} at a time{size}. 'headway compute list' shows it"
        )
        return AmlCompute(workspace, name)

    @staticmethod
    def attach(workspace: WorkspaceBase, name: str, attach_configuration: object) -> NoReturn:
        """Not supported: programs run on this machine."""
        refuse(
            f"ComputeTarget.attach({name!r})",
            "give compute_target='local', or leave it out, to run on this machine; 'headway "
            f"compute create {name}' lets that name stand for it",
        )

    @staticmethod
    def list(workspace: WorkspaceBase) -> "list[ComputeTarget]":
        """The compute targets of a workspace."""
        return [*targets_of(workspace).values()]


class AmlCompute(ComputeTarget):
    """A name that stands for this machine, where the matched API has a cluster.

    As many of its runs go on at a time as it has nodes; others wait, Queued. A run of it also
    needs its slots of ``local``, where that has some.

    Args:
        workspace: The workspace.
        name: Its name.

    Raises:
        ComputeTargetNotFoundError: There is none of that name.
    """

    def __init__(self, workspace: WorkspaceBase, name: str) -> None:
        super().__init__(workspace, name)
        self._target()
        self.type = _CLUSTER_TYPE

    @staticmethod
    def provisioning_configuration(
        vm_size: str | None = "",
        vm_priority: str | None = "dedicated",
        min_nodes: int = 0,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: int | None = None,
        admin_username: str | None = None,
        admin_user_password: str | None = None,
        admin_user_ssh_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: dict[str, str] | None = None,
        description: str | None = None,
        remote_login_port_public_access: str = "NotSpecified",
        identity_type: str | None = None,
        identity_id: object = None,
        location: str | None = None,
        enable_node_public_ip: bool | None = None,
        **kwargs: object,
    ) -> AmlComputeProvisioningConfiguration:
        """What ``ComputeTarget.create`` makes a cluster of.

        Args:
            vm_size: Kept as a word.
            vm_priority: Kept as a word.
            min_nodes: Kept as it was given.
            max_nodes: How many of its runs go on at a time; None for 4.
            idle_seconds_before_scaledown: Kept as it was given.
            admin_username: Ignored, as is what is not named here.
            admin_user_password: Ignored.
            admin_user_ssh_key: Ignored.
            vnet_resourcegroup_name: Ignored.
            vnet_name: Ignored.
            subnet_name: Ignored.
            tags: Kept as they were given.
            description: Kept as it was given.
            remote_login_port_public_access: Ignored.
            identity_type: Ignored.
            identity_id: Ignored.
            location: Ignored.
            enable_node_public_ip: Ignored.
            **kwargs: Ignored.

        Raises:
            InvalidValueError: The numbers of nodes make no sense.
        """
        return AmlComputeProvisioningConfiguration(
            vm_size,
            vm_priority,
            min_nodes,
            max_nodes,
            idle_seconds_before_scaledown,
            tags,
            description,
        )

    @staticmethod
    def supported_vmsizes(
        workspace: WorkspaceBase, location: str | None = None
    ) -> list[Mapping[str, object]]:
        """One size of machine: this one."""
        memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        size = {"name": TARGET_NAME, "vCPUs": os.cpu_count(), "memoryGB": memory_bytes / _GIBIBYTE}
        return [size]

    @property
    def vm_size(self) -> str:
        """The size of machine that was asked for."""
        return self._target().vm_size

    @property
    def scale_settings(self) -> ScaleSettings:
        """How many nodes it has."""
        return self.get_status().scale_settings

    @property
    def status(self) -> AmlComputeStatus:
        """What ``get_status`` gives."""
        return self.get_status()

    def get_status(self) -> AmlComputeStatus:
        """How many nodes it has, who has them and how many runs wait."""
        return cluster_status(super().get_status(), self._target().vm_size)

    def update(
        self,
        min_nodes: int | None = None,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: int | None = None,
    ) -> None:
        """Change how many of its runs go on at a time; those that go on are not ended.

        Args:
            min_nodes: Ignored.
            max_nodes: How many; None for as many as now.
            idle_seconds_before_scaledown: Ignored.
        """
        if max_nodes is not None:
            nodes = whole_nodes("max_nodes", max_nodes)
            changed = Target(nodes=nodes, vm_size=self._target().vm_size)
            _targets(self.workspace).write(self.name, changed)

    def delete(self) -> None:
        """Remove the name; its runs go on, and those that wait begin."""
        _targets(self.workspace).remove(self.name)
        self.wake()

    def detach(self) -> None:
        """The same as ``delete``."""
        self.delete()

    def _target(self) -> Target:
        """What it is now.

        Raises:
            ComputeTargetNotFoundError: It was deleted.
        """
        found = _targets(self.workspace).read()
        if self.name not in found:
            known = ", ".join(map(repr, [TARGET_NAME, *found]))
            raise ComputeTargetNotFoundError(
                f"ComputeTargetNotFound: there is no compute target {self.name!r}; there is "
                f"{known}. To run on this machine, give compute_target={TARGET_NAME!r}, or leave "
                f"it out; 'headway compute create {self.name}' lets that name stand for it"
            )
        return found[self.name]


def targets_of(workspace: WorkspaceBase) -> dict[str, ComputeTarget]:
    """The compute targets of a workspace by name."""
    names = [TARGET_NAME, *_targets(workspace).read()]
    return {name: ComputeTarget(workspace, name) for name in names}


def _targets(workspace: WorkspaceBase) -> Targets:
    return Targets(local_compute(workspace.session.settings.home))
