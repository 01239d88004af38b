"""What a database must do for Headway: transactions over named-parameter SQL.

Statements use ``:name`` parameters and the dialect that SQLite and PostgreSQL share (upsert,
``returning``, partial indexes). ``headway.testing.store_contract`` holds every database to this.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

Value = int | float | str | bytes | None
"""What a column holds."""

Parameters = Mapping[str, Value]


class Dialect(NamedTuple):
    """The words in which the databases differ."""

    serial: str
    """An integer key that the database makes."""
    key: str
    """An integer key that is given, of rows that are looked up by it and by nothing else."""
    blob: str
    """Bytes."""
    indexed_by: str
    """How a query says which index it uses, the index being ``{}``; empty where the database
    knows that from its statistics."""
    like: str
    """The operator for patterns that tells upper from lower case."""
    pattern: Callable[[str], str]
    """From a pattern of the filter language to one of that operator."""


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

    def close(self) -> None:
        """Release what is held. Later transactions raise ``StorageError``; twice is harmless."""
        ...
