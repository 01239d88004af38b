"""What an engine is: something that starts the shim of a run somewhere, and knows little else.

What becomes of the run stands in its folder, written by the shim; an engine does not add to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from headway.engines.folder import RunFolder, RunSpec, ShimRecord
from headway.engines.slots import Need


@dataclass(frozen=True)
class Observation:
    """A run as it was seen at one moment."""

    record: ShimRecord | None
    """What its folder says; None where it says nothing yet, or nothing readable."""
    alive: bool
    """Whether somebody held the run just before the record was read."""
    queued: bool = False
    """Whether it stands in line, so that nobody needs to hold it."""
    stopped: bool = False
    """Whether its runner is stopped (SIGSTOP, a debugger) and answers nobody until it goes on."""

    @property
    def abandoned(self) -> bool:
        """Whether nobody holds the run although it has not ended: ``recover`` is due."""
        ended = self.record is not None and self.record.ended
        return not (self.alive or self.queued or ended)


class Engine(Protocol):
    """Where runs are started.

    All verbs may be called from any thread and any process that can write the folders. None waits
    for a program. The order of a submission is: ``folder.create(spec)``, ``fd = folder.hold()``,
    the caller's own record of the run, ``start(folder, fd)``, ``os.close(fd)``: so a run that can
    be seen is held at every moment from then to its end, and one that is not held is dead. Only
    one that stands in line is held by nobody: it has a ticket instead.
    """

    def plan(self, spec: RunSpec) -> str:
        """What would be executed, as one line that a shell accepts."""
        ...

    def admit(self, need: Need) -> str | None:
        """What a run that needs this would stand in line for; None where it starts at once.

        Raises:
            InvalidValueError: There never is so much here.
            StorageError: What there is cannot be read.
        """
        ...

    def waits_for(self, folder: RunFolder) -> str | None:
        """The run's place in line now and what it waits for; None where it does not."""
        ...

    def start(self, folder: RunFolder, lock_fd: int) -> str:
        """Have a shim take the run over, now or in its turn; return the engine's word for it.

        A program that cannot be started is no error here: the run ends as Failed, with the code
        CannotStart.

        Args:
            folder: The folder, with its specification.
            lock_fd: What ``folder.hold()`` gave. It stays the caller's to close.

        Raises:
            SubmissionError: No shim took over in time. One that does later starts nothing.
        """
        ...

    def poll(self, folders: Sequence[RunFolder]) -> list[Observation]:
        """Look at many runs at once; the answers stand in the order of the folders."""
        ...

    def cancel(self, folder: RunFolder) -> None:
        """Wake the shim, after an intent was written. Harmless at any time, any number of times."""
        ...

    def recover(self, folder: RunFolder) -> ShimRecord | None:
        """End a run whose shim is dead, and return its record after that.

        Its remaining processes are killed first. Does nothing where the run is held or has ended;
        then the record as it stands is returned, which is None before the shim has written one.
        Of those who call it at once, one does it.
        """
        ...
