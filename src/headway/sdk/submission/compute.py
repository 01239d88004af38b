"""Compute targets: where a run can be submitted to, and how much of it there is."""

from collections.abc import Sequence
from typing import Final, cast

import msgspec

from headway.engines import dispatching
from headway.engines.queueing import local_compute
from headway.engines.slots import KINDS, UNLIMITED, Capacity, Need, Slots
from headway.engines.tickets import Tickets
from headway.errors import InvalidValueError
from headway.settings import Settings

TARGET_NAME: Final = "local"


class SlotStatus(msgspec.Struct, frozen=True):
    """One slot of a compute target."""

    kind: str
    """``cpu`` or ``gpu``; ``node`` of a target that is another name of this machine."""
    name: str
    """The number of a CPU or a node; index or UUID of a GPU."""
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
    nodes: int | None = None
    """How many of its runs go on at a time; None where that is not limited."""

    def serialize(self) -> dict[str, object]:
        """The same as a dict that JSON can hold."""
        return cast("dict[str, object]", msgspec.to_builtins(self))


class LocalCompute:
    """This machine, or a name that stands for it, shared by all workspaces of one user.

    Without slots every run starts when it is submitted. With slots, a run waits until as many are
    free as its ``RunConfiguration.resources`` ask for.

    Attributes:
        name: What a run configuration names it by.
        type: The kind of compute target.
    """

    type: str = "local"

    def __init__(self, settings: Settings, name: str = TARGET_NAME) -> None:
        self.name: Final = name
        self._tick_s = settings.queue_tick_s
        self._root = local_compute(settings.home)
        self._slots = Slots(self._root)

    def get_status(self) -> ComputeStatus:
        """How much there is, what is taken and how many runs wait.

        Raises:
            StorageCorruptError: What is configured cannot be read.
        """
        capacity, waiting = self._slots.read(), Tickets(self._root).waiting()
        if self.name == TARGET_NAME:
            return ComputeStatus(
                cpus=capacity.cpus,
                gpus=None if capacity.gpus is None else list(capacity.gpus),
                slots=[slot for kind in KINDS for slot in self._states(kind, kind)],
                queued=len(waiting),
            )
        [node] = set(Need(target=self.name).kinds).difference(KINDS)
        return ComputeStatus(
            cpus=None,
            gpus=None,
            slots=self._states(node, "node"),
            queued=sum(ticket.need.target == self.name for ticket in waiting),
            nodes=capacity.nodes.get(self.name),
        )

    def _states(self, kind: str, shown: str) -> list[SlotStatus]:
        return [
            SlotStatus(shown, state.name, state.holder and state.holder.name)
            for state in self._slots.states()
            if state.kind == kind
        ]

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
        self.wake()

    def wake(self) -> None:
        """Have runs that wait looked at again. For Headway's own use."""
        dispatching.wake(self._root, self._tick_s)

    def remove_slots(self) -> None:
        """Let every run start when it is submitted, and those that wait start now."""
        self.set_slots(cpus=None, gpus=None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, folder={str(self._root)!r})"


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
