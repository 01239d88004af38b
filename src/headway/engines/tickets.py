"""The queue of this machine: one ticket a run, in the order in which they come to their turn.

    tickets/        a file for each run that waits; its name says all that the order depends on
    tickets.lock    held for the moment in which a number is drawn

A ticket is written by the submitter, while it holds the run's lock, and removed under that lock: by
the dispatcher when a shim has taken the run over, or by whoever ends the run before. The run's
folder names its ticket. A ticket whose run has a state is stale, whoever failed to remove it.
Standard library only.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from headway.engines import document, ending
from headway.engines.dispatching import TICKET_NAME, TICKETS
from headway.engines.folder import RunFolder
from headway.engines.recovery import unwritten
from headway.engines.slots import Need
from headway.errors import StorageError

HIGHEST_PRIORITY: Final = 1_000_000


@dataclass(frozen=True)
class Ticket:
    """The place of one run in the queue."""

    path: Path
    number: int
    need: Need

    @property
    def queue(self) -> Path:
        """The folder of the queue."""
        return self.path.parent.parent

    def remove(self) -> None:
        """Give the place up."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What stands on a ticket: how its run is started."""

    folder: str
    python: str
    """The interpreter of its submitter, and the shim that belongs to it."""
    shim: str
    environment: dict[str, str]
    """Of its submitter, which the program inherits."""


class Tickets:
    """The tickets below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = root / TICKETS
        self._parsed: dict[str, Ticket | None] = {}

    def write(self, folder: RunFolder, order: Order, need: Need, priority: int) -> Ticket:
        """Put a run at the end of the queue, or before those of lower priority, durably.

        Raises:
            StorageError: There is no space, or the folder cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._folder.mkdir(exist_ok=True, mode=0o700)
            with self._drawing():
                number = max((ticket.number for ticket in self.waiting()), default=0) + 1
                rank = HIGHEST_PRIORITY - priority
                asked = f"{need.cpus}c-{need.gpus}g-{os.urandom(4).hex()}"
                name = f"{rank:07}-{number:012}-{asked}" + (need.target and f"@{need.target}")
                path = self._folder / name
                folder.write_ticket(path)
                document.replace(path, vars(order), durable=True)
        except OSError as error:
            raise document.storage_error(self._folder, error) from error
        return Ticket(path, number, need)

    @contextmanager
    def _drawing(self) -> Generator[None]:
        with (self.root / "tickets.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def waiting(self) -> list[Ticket]:
        """Who waits, whose turn comes first standing first."""
        try:
            names = sorted(os.listdir(self._folder))  # noqa: PTH208 - thousands, many times a second
        except FileNotFoundError:
            return []
        # The dispatcher looks several times a second, at thousands that are mostly the same.
        known = self._parsed
        self._parsed = {
            name: known[name] if name in known else parse(self._folder / name) for name in names
        }
        return [ticket for ticket in self._parsed.values() if ticket is not None]


def parse(path: Path) -> Ticket | None:
    """The ticket of this name; None for a name that is not one."""
    match = TICKET_NAME.fullmatch(path.name)
    if match is None:
        return None
    _, number, cpus, gpus = map(int, match.groups()[:4])
    return Ticket(path, number, Need(cpus=cpus, gpus=gpus, target=match[5] or ""))


def read(ticket: Ticket) -> Order | None:
    """What stands on it; None where it is gone.

    Raises:
        StorageError: It is damaged.
    """
    fields = document.read(ticket.path)
    if fields is None:
        return None
    return Order(
        folder=fields.text("folder"),
        python=fields.text("python"),
        shim=fields.text("shim"),
        environment=fields.mapping("environment"),
    )


def of_run(folder: RunFolder) -> Ticket | None:
    """The ticket of a run, while it is there."""
    path = folder.read_ticket()
    return parse(path) if path is not None and path.exists() else None


def end_unstarted(folder: RunFolder, ticket: Ticket) -> bool:
    """End a run that still waits and that was asked to end; the caller holds its lock.

    Returns:
        Whether that is so. Its program is then never started.
    """
    if folder.state_file.exists():
        return False
    intent = folder.standing_intent()
    if intent is None:
        return False
    folder.write_state(ending.final(unwritten(), ending.of_intent(intent), []))
    ticket.remove()
    return True


def drop(ticket: Ticket) -> None:
    """Remove a ticket that means nothing any more."""
    try:
        ticket.remove()
    except OSError as error:
        raise StorageError(f"{ticket.path} cannot be removed: {error.strerror}") from error
