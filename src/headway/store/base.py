"""What a database must do for Headway: transactions over named-parameter SQL.

Statements use ``:name`` parameters and the dialect that SQLite and PostgreSQL share (upsert,
``returning``, partial indexes). ``headway.testing.store_contract`` holds every database to this.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

from headway.store.bells import Ear, OnRing

Value = int | float | str | bytes | None
"""What a column holds."""

Parameters = Mapping[str, Value]

INTEGERS: Final = range(-(2**63), 2**63)
"""Those that a column holds."""
TOO_LARGE: Final = (
    "a whole number was given that is too large to be kept: give one of at most 64 bits"
)
"""What is said where a database cannot take an integer."""


class Dialect(NamedTuple):
    """The words in which the databases differ."""

    serial: str
    """An integer key that the database makes."""
    key: str
    """An integer key that is given, of rows that are looked up by it and by nothing else."""
    text: str
    """Texts, sorted by their code points."""
    blob: str
    """Bytes."""
    indexed_by: str
    """How a query says which index it uses, the index being ``{}``; empty where the database
    knows that from its statistics."""
    like: str
    """The operator for patterns that tells upper from lower case."""
    pattern: Callable[[str], str]
    """From a pattern of the filter language to one of that operator."""
    continue_after: str = ""
    """What makes the keys of ``{table}`` go on after those that were given; empty where they do."""


class Transaction(Protocol):
    """Statements that happen together or not at all. For use by one thread."""

    @property
    def dialect(self) -> Dialect:
        """The words of this database."""
        ...

    def all(self, statement: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        """Every row that the statement gives."""
        ...

    def one(self, statement: str, parameters: Parameters | None = None) -> tuple[Any, ...] | None:
        """The first row, or None."""
        ...

    def run(self, statement: str, parameters: Parameters | None = None) -> int:
        """Execute, and return how many rows changed."""
        ...

    def many(self, statement: str, parameters: Iterable[Parameters]) -> None:
        """Execute once for each set of parameters."""
        ...

    def ring(self, topic: str) -> None:
        """Wake whoever listens to a topic, in any process, once this is committed."""
        ...


@runtime_checkable
class CompactableDatabase(Protocol):
    """A database that keeps the room of what was removed, and can be asked to give it back."""

    def compact(self) -> int:
        """Write everything anew without gaps, while writers wait; by how much it shrank, in bytes.

        Raises:
            StorageFullError: There is no space for both; nothing was changed.
        """
        ...


class Database(Protocol):
    """A database, usable from any thread and after a fork.

    No I/O but the database's own may happen inside a transaction, and none may be opened inside
    another by the same thread.
    """

    def read(self) -> AbstractContextManager[Transaction]:
        """See one state of the database, whatever others write meanwhile."""
        ...

    def write(self) -> AbstractContextManager[Transaction]:
        """Be the only writer; commit at the end, or undo everything if an error leaves the block.

        When the block has ended without an error, what was written survives a power cut.

        Raises:
            StorageBusyError: Others wrote for longer than the patience set; nothing was done.
            StorageFullError: No space is left; nothing was done.
        """
        ...

    def listen(
        self, topics: Iterable[str], on_ring: OnRing | None = None
    ) -> AbstractContextManager[Ear]:
        """Hear topics from now on, as ``headway.store.bells`` says.

        Args:
            topics: Those of which one is enough.
            on_ring: Called in another thread at each ring; it may do little, and not fail.
        """
        ...

    def close(self) -> None:
        """Release what is held. Later transactions raise ``StorageError``; twice is harmless."""
        ...
