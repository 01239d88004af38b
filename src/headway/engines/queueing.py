"""The engine of this host where it has slots: runs that need one stand in line for it."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from headway.engines import dispatching, tickets
from headway.engines.base import Observation
from headway.engines.folder import RunFolder, RunSpec, ShimRecord
from headway.engines.local import LocalEngine, observe
from headway.engines.slots import Need, Slots
from headway.engines.tickets import Order, Ticket, Tickets
from headway.engines.tree import SHIM_SCRIPT
from headway.errors import (
    ComputeTargetNotFoundError,
    InvalidValueError,
    StorageError,
    SubmissionError,
)

_END_PATIENCE_S: Final = 0.05


def local_compute(home: Path) -> Path:
    """Where the slots and the queue of this machine are, for all workspaces of a user."""
    return home / "compute" / "local"


class QueuedLocalEngine:
    """Starts runs on this host, those that need a limited slot in their turn.

    Keeps nothing: any two of these with the same folder are the same.

    Args:
        root: The folder of the slots and the queue, one for all workspaces of a user.
        tick_s: How often the dispatcher looks without being asked.
        local: What starts runs.
    """

    def __init__(
        self,
        root: Path,
        tick_s: float = dispatching.DEFAULT_TICK_S,
        local: LocalEngine | None = None,
    ) -> None:
        self._root = root
        self._tick_s = tick_s
        self._local = local or LocalEngine()
        self._slots = Slots(root)
        self._tickets = Tickets(root)

    def plan(self, spec: RunSpec) -> str:
        """What would be executed, as one line that a shell accepts."""
        return self._local.plan(spec)

    def admit(self, need: Need) -> str | None:
        """What a run that needs this would stand in line for; None where it starts at once."""
        capacity = self._slots.read()
        if need.target and need.target not in capacity.nodes:
            names = ["local", *capacity.nodes]
            raise ComputeTargetNotFoundError(
                f"ComputeTargetNotFound: there is no compute target {need.target!r} on this "
                f"machine; there is {', '.join(map(repr, names))}. Give one of these, or let this "
                f"machine have that name too: headway compute create {need.target}"
            )
        beyond = capacity.beyond(need)
        if beyond:
            raise InvalidValueError(
                f"the run asks for {need.words(beyond)}, but the compute target 'local' has "
                f"{capacity.words(beyond)}: ask for no more, or give it more with "
                "'headway compute set local'"
            )
        limited = capacity.limits(need)
        return need.words(limited) if limited else None

    def start(self, folder: RunFolder, lock_fd: int) -> str:
        """Have a shim take the run over at once, or give the run a place in line."""
        spec = folder.read_spec()
        need = Need(cpus=spec.cpus, gpus=spec.gpus, target=spec.target)
        if self.admit(need) is None:
            return self._local.start(folder, lock_fd)
        order = Order(
            folder=str(folder.path.absolute()),
            python=sys.executable,
            shim=str(SHIM_SCRIPT),
            environment=dict(os.environ),
        )
        ticket = self._tickets.write(folder, order, need, spec.priority)
        try:
            dispatching.wake(self._root, self._tick_s)
        except OSError as error:
            ticket.remove()
            raise SubmissionError(
                f"the dispatcher of {self._root} cannot be started: {error.strerror}; correct "
                "that, then submit again"
            ) from error
        return f"local://{os.uname().nodename}/queue/{ticket.number}"

    def poll(self, folders: Sequence[RunFolder]) -> list[Observation]:
        """Look at many runs at once, and see to it that those who wait come to their turn."""
        return [self._observe(folder) for folder in folders]

    def _observe(self, folder: RunFolder) -> Observation:
        # A ticket is removed when there is a state, which is therefore read last.
        alive = folder.alive()
        ticket = _ticket(folder)
        seen = observe(folder)
        if alive or ticket is None or folder.state_file.exists():
            return replace(seen, alive=alive)
        if folder.intent_file.exists() and _end_unstarted(folder, ticket):
            return observe(folder)
        self._wake(ticket)
        return Observation(None, alive, queued=True)

    def _wake(self, ticket: Ticket) -> None:
        try:
            dispatching.wake(ticket.queue, self._tick_s)
        except OSError:
            return  # who reads must not fail for it, and the next one tries again

    def waits_for(self, folder: RunFolder) -> str | None:
        """The run's place in line now and what it waits for; None where it does not."""
        ticket = _ticket(folder)
        if ticket is None or folder.state_file.exists():
            return None
        waiting = [other.path.name for other in Tickets(ticket.queue).waiting()]
        if ticket.path.name not in waiting:
            return None
        place = f"place {waiting.index(ticket.path.name) + 1} of {len(waiting)} in the queue"
        try:
            capacity = Slots(ticket.queue).read()
        except StorageError as error:
            return f"{place}; {error.message}"
        beyond = capacity.beyond(ticket.need)
        if beyond:
            return (
                f"{place}; asks for {ticket.need.words(beyond)}, but there is only "
                f"{capacity.words(beyond)} by now: cancel it, or give the compute target more with "
                "'headway compute set local'"
            )
        limited = capacity.limits(ticket.need)
        if not limited:
            return f"{place}; starts at once"
        return f"{place}; waits for {ticket.need.words(limited)} of {capacity.words(limited)}"

    def cancel(self, folder: RunFolder) -> None:
        """End a run that still waits; else wake its shim. After an intent was written."""
        ticket = _ticket(folder)
        if ticket is not None and _end_unstarted(folder, ticket):
            dispatching.ring(ticket.queue)
            return
        self._local.cancel(folder)

    def recover(self, folder: RunFolder) -> ShimRecord | None:
        """End a run whose shim is dead, and return its record after that."""
        seen = self._observe(folder)
        return None if seen.queued else self._local.recover(folder)


def _ticket(folder: RunFolder) -> Ticket | None:
    try:
        return tickets.of_run(folder)
    except StorageError:
        return None  # damaged: then what was started, or was not, counts alone


def _end_unstarted(folder: RunFolder, ticket: Ticket) -> bool:
    """End a run that still waits; False where the dispatcher has it, whose shim will end it."""
    fd = folder.try_hold(_END_PATIENCE_S)
    if fd is None:
        return False
    try:
        return tickets.end_unstarted(folder, ticket)
    finally:
        os.close(fd)
