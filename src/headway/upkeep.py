"""The life of data: what goes to the trash, what leaves it for good, what comes from elsewhere."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from headway.model import Event, Run


class PurgeOrder(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which runs of the trash to remove for good."""

    run_ids: list[str] = []
    """These, each with all runs below it; empty for any."""
    older_than_s: float = 0.0
    """Only those that have been in the trash for so long, in seconds."""
    limit: int = 100
    """At most so many trees of runs in one call."""
    spare: list[str] = []
    """Leave these alone: a process elsewhere still writes to them."""
    dry_run: bool = False
    """Count, and remove nothing."""
    compact: bool = False
    """Give the room that is free in the database back to the disk as well, where it can do that.
    SQLite writes the whole file anew, and writers wait meanwhile."""


class Purged(msgspec.Struct, frozen=True):
    """What a purge has removed, or would remove."""

    run_ids: list[str]
    rows: int = 0
    database_bytes: int = 0
    """What the rows held; the database uses their room again."""
    file_bytes: int = 0
    """Files, logs, working directories and journals."""
    snapshots: int = 0
    """Contents of source directories that no run has any more. One taken within a day stays until
    the next collection."""
    snapshot_bytes: int = 0
    compacted_bytes: int = 0
    """By so much the database became smaller on the disk."""
    kept: list[str] = []
    """Left alone: some process still writes to them."""
    left: int = 0
    """So many trees of runs are to be purged yet by another call."""


class RetentionRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which runs of an experiment go to the trash by themselves, at the next collection.

    Both bounds hold together. Runs that have not ended, runs with the tag ``keep`` and runs of
    which something was registered stay, with all that is above and below them.
    """

    experiment: str = ""
    """Its name; empty for every experiment without a rule of its own."""
    keep_last: int | None = None
    """The newest so many stay."""
    older_than_s: float | None = None
    """Only runs that ended so long ago, in seconds."""


class Garbage(msgspec.Struct, frozen=True):
    """One kind of thing that nobody needs."""

    kind: str
    """``retention``, ``purged runs``, ``snapshots``, ``assets``, ``run folders``, ``uploads``,
    ``journals``, ``journal names`` or ``owner locks``."""
    count: int = 0
    size_bytes: int = 0
    examples: list[str] = []
    """The first of them by name."""


class RunRecord(msgspec.Struct, frozen=True):
    """A run that ended elsewhere, to be taken in as it is."""

    run: Run
    events: list[Event] = []


class Upkeep(Protocol):
    """What frees space, and what brings runs in from elsewhere."""

    def purge(self, order: PurgeOrder) -> Purged:
        """Remove runs of the trash for good, with their points and files.

        Each run is removed as a whole or not at all, whenever this is interrupted; files that were
        left then go with the next call. Called again and again until nothing is left. A run that is
        named and is not in the trash raises ``RunStateError``.
        """
        ...

    def collect(self, *, dry_run: bool = False) -> list[Garbage]:
        """Apply the retention rules, and remove what no run and no asset needs.

        What is younger than a day is left alone, for its writer may still be at it.

        Args:
            dry_run: Only say what would go.

        Returns:
            What went, by kind; kinds of which there is nothing are left out.
        """
        ...

    def rules(self) -> list[RetentionRule]:
        """The retention rules by experiment."""
        ...

    def set_rule(self, rule: RetentionRule) -> None:
        """Set the rule of an experiment, in place of the one that it had."""
        ...

    def remove_rule(self, experiment: str) -> None:
        """Remove the rule of an experiment; one that is not there is no error."""
        ...

    def adopt(self, records: Sequence[RunRecord]) -> list[str]:
        """Take in runs that ended elsewhere, with their ids, times, labels and events; all or none.

        Their experiments are found by name and made where there are none. A run whose id exists is
        left alone if it was made at the same time, else ``RunExistsError`` is raised; so a repeated
        request is harmless. A number that another run of the experiment has is replaced.

        Returns:
            The ids of those that were not there.
        """
        ...
