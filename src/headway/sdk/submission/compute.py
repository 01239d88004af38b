"""Compute targets: where a run can be submitted to, and how much of it there is."""

from collections.abc import Sequence
from typing import ClassVar, Final, Literal, NoReturn, cast

import msgspec

from headway.engines import dispatching
from headway.engines.queueing import local_compute
from headway.engines.slots import UNLIMITED, Capacity, Slots
from headway.engines.tickets import Tickets
from headway.errors import ComputeTargetNotFoundError, InvalidValueError
from headway.sdk.unsupported import refuse
from headway.sdk.workspaces.workspace import WorkspaceBase
from headway.settings import Settings

TARGET_NAME: Final = "local"

_INSTEAD: Final = (
    "give compute_target='local', or leave it out, to run on this machine; 'headway compute set "
    "local --gpus 0,1' shares its GPUs among runs"
)


class SlotStatus(msgspec.Struct, frozen=True):
    """One slot of a compute target."""

    kind: Literal["cpu", "gpu"]
    name: str
    """The number of a CPU slot; index or UUID of a GPU."""
    run_id: str | None = None
    """The run that has it; None where it is free."""


class ComputeStatus(msgspec.Struct, frozen=True):
    """How much there is of a compute target, and how much of that is taken."""

    cpus: int | None
    """CPU slots; None where they are not limited."""
    gpus: list[str] | None
    """Index or UUID of each GPU slot; None where they are not limited."""
    slots: list[SlotStatus]
    queued: int
    """Runs that wait for a slot, of all workspaces of this user."""

    def serialize(self) -> dict[str, object]:
        """The same as a dict that JSON can hold."""
        return cast("dict[str, object]", msgspec.to_builtins(self))


class LocalCompute:
    """This machine, shared by all workspaces of one user.

    Without slots every run starts when it is submitted. With slots, a run waits until as many are
    free as its ``RunConfiguration.resources`` ask for.

    Attributes:
        name: What a run configuration names it by.
        type: The kind of compute target.
    """

    def __init__(self, settings: Settings) -> None:
        self.name: Final = TARGET_NAME
        self.type: Final = "local"
        self._tick_s = settings.queue_tick_s
        self._root = local_compute(settings.home)
        self._slots = Slots(self._root)

    def get_status(self) -> ComputeStatus:
        """How much there is, what is taken and how many runs wait.

        Raises:
            StorageCorruptError: What is configured cannot be read.
        """
        capacity = self._slots.read()
        return ComputeStatus(
            cpus=capacity.cpus,
            gpus=None if capacity.gpus is None else list(capacity.gpus),
            slots=[
                SlotStatus(state.kind, state.name, state.holder and state.holder.name)
                for state in self._slots.states()
            ],
            queued=len(Tickets(self._root).waiting()),
        )

    def set_slots(
        self,
        cpus: int | msgspec.UnsetType | None = msgspec.UNSET,
        gpus: int | Sequence[int | str] | msgspec.UnsetType | None = msgspec.UNSET,
    ) -> None:
        """Set how many runs can have a CPU or GPU at a time; what is left out stays.

        It holds for runs that are started from now on: those that go on keep what they have.

        Args:
            cpus: CPU slots; None for no limit.
            gpus: How many GPUs, or the index or UUID of each; None for no limit.
        """
        unset = msgspec.UNSET
        given = (cpus, gpus)
        # Damaged ones can be replaced, if nothing of them is to stay.
        known = UNLIMITED if unset not in given else self._slots.read()
        self._slots.write(
            Capacity(
                cpus=known.cpus if cpus is unset else _cpus(cpus),
                gpus=known.gpus if gpus is unset else _gpus(gpus),
            )
        )
        dispatching.wake(self._root, self._tick_s)

    def remove_slots(self) -> None:
        """Let every run start when it is submitted, and those that wait start now."""
        self.set_slots(cpus=None, gpus=None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, folder={str(self._root)!r})"


class ComputeTarget(LocalCompute):
    """A compute target of a workspace by its name: ``local`` is this machine.

    Args:
        workspace: The workspace.
        name: Its name.

    Raises:
        ComputeTargetNotFoundError: There is none of that name.
    """

    provisioning_state: ClassVar[str] = "Succeeded"

    def __init__(self, workspace: WorkspaceBase, name: str) -> None:
        super().__init__(workspace.session.settings)
        if name != self.name:
            raise ComputeTargetNotFoundError(
                f"ComputeTargetNotFound: there is no compute target {name!r}; there is "
                f"{self.name!r}. To run on this machine, give compute_target={self.name!r}, or "
                "leave it out"
            )
        self.workspace = workspace

    def wait_for_completion(self, show_output: bool = False, **kwargs: object) -> None:
        """Return at once: this machine is there."""

    def refresh_state(self) -> None:
        """Do nothing: what is asked for is always as it is now."""

    def serialize(self) -> dict[str, object]:
        """What is known of it, as a dict that JSON can hold."""
        status = cast("dict[str, object]", msgspec.to_builtins(self.get_status()))
        return {"name": self.name, "type": self.type, **status}

    def delete(self) -> NoReturn:
        """Not supported: this machine stays."""
        refuse("compute_target.delete()", "leave it out; remove_slots() removes its slots")

    def detach(self) -> NoReturn:
        """Not supported: this machine stays."""
        refuse("compute_target.detach()", "leave it out; remove_slots() removes its slots")

    @staticmethod
    def create(workspace: WorkspaceBase, name: str, provisioning_configuration: object) -> NoReturn:
        """Not supported: Headway makes no machines."""
        refuse(f"ComputeTarget.create({name!r})", _INSTEAD)

    @staticmethod
    def attach(workspace: WorkspaceBase, name: str, attach_configuration: object) -> NoReturn:
        """Not supported: programs run on this machine."""
        refuse(f"ComputeTarget.attach({name!r})", _INSTEAD)

    @staticmethod
    def list(workspace: WorkspaceBase) -> "list[ComputeTarget]":
        """The compute targets of a workspace."""
        return [*targets_of(workspace).values()]


def targets_of(workspace: WorkspaceBase) -> dict[str, ComputeTarget]:
    """The compute targets of a workspace by name."""
    local = ComputeTarget(workspace, TARGET_NAME)
    return {local.name: local}


def _cpus(given: object) -> int | None:
    if given is None or (isinstance(given, int) and not isinstance(given, bool)):
        return given
    raise InvalidValueError(f"cpus were given as {given!r}: give a whole number, or None")


def _gpus(given: object) -> tuple[str, ...] | None:
    if given is None:
        return None
    if isinstance(given, int) and not isinstance(given, bool) and given >= 0:
        return tuple(map(str, range(given)))
    if isinstance(given, list | tuple):
        return tuple(map(str, cast("Sequence[object]", given)))
    raise InvalidValueError(
        f"gpus were given as {given!r}: give a number, or a list of indexes or UUIDs, or None"
    )
