"""The peers that take part, and what was measured of them."""

import statistics
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import msgspec

from benchmarks.harness import Effort
from benchmarks.peers.asking import AbsentError, FailedError, Participant, Store, served


class Cell(msgspec.Struct, frozen=True):
    """One measure of one peer: samples, or why there are none."""

    samples: list[float] = []
    note: str = ""
    """What a reader has to know of it: that it is extrapolated, for one."""
    absent: str = ""
    """Why the peer does not offer it."""
    error: str = ""
    """What went wrong."""

    @property
    def value(self) -> float | None:
        """The median of the samples."""
        return statistics.median(self.samples) if self.samples else None


Cells = dict[str, dict[str, Cell]]
"""By measure, then by peer."""


class Field:
    """A contest's participants, each with a store of its own; all is removed in the end."""

    def __init__(
        self, participants: list[Participant], effort: Effort, limit_s: float, cells: Cells
    ) -> None:
        """Measure into ``cells``; begin no new round after ``limit_s``."""
        self.effort = effort
        self._all = participants
        self._out: set[str] = set()
        self._cells = cells
        self._stores: dict[str, Store] = {}
        self._stack = ExitStack()
        self._folder = Path()
        self._deadline = time.monotonic() + limit_s

    def __enter__(self) -> Self:
        made = tempfile.TemporaryDirectory(prefix="headway-bench-", ignore_cleanup_errors=True)
        self._folder = Path(self._stack.enter_context(made))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def rounds(self, usual: int, quick: int) -> Iterator[int]:
        """Number the rounds: as many as are asked for, or as the time allows; one at least."""
        for number in range(self.effort.rounds(usual, quick)):
            if number and time.monotonic() > self._deadline:
                return
            yield number

    @property
    def standing(self) -> list[Participant]:
        """Who still takes part. What one does is followed by what the next does, in turn."""
        return [one for one in self._all if one.peer.name not in self._out]

    def store(self, participant: Participant) -> Store:
        """The participant's store: made when first asked for, and kept.

        Raises:
            FailedError: It could not be made.
        """
        name = participant.peer.name
        if name not in self._stores:
            store = self._stack.enter_context(served(participant, self._folder / name))
            self._stores[name] = store
        return self._stores[name]

    @contextmanager
    def attempt(self, participant: Participant, *keys: str) -> Generator[None, None, None]:
        """Measure these; if it does not work, note why, and leave the participant out from now."""
        name = participant.peer.name
        try:
            yield
        except AbsentError as error:
            self._give_up(name, keys, Cell(absent=str(error)))
        except FailedError as error:
            self._give_up(name, keys, Cell(error=str(error)))

    @contextmanager
    def aside(self, participant: Participant, key: str) -> Generator[None, None, None]:
        """Measure this; if it does not work, note why, and let the participant go on."""
        was_out = participant.peer.name in self._out
        with self.attempt(participant, key):
            yield
        if not was_out:
            self._out.discard(participant.peer.name)

    @contextmanager
    def extra_store(self, participant: Participant) -> Generator[Store, None, None]:
        """A new, empty store, for as long as the block lasts.

        Raises:
            FailedError: It could not be made.
        """
        with (
            tempfile.TemporaryDirectory(dir=self._folder, ignore_cleanup_errors=True) as folder,
            served(participant, Path(folder, "store")) as store,
        ):
            yield store

    def record(self, participant: Participant, key: str, *samples: float, note: str = "") -> None:
        """Add samples of a measure."""
        of_key = self._cells.setdefault(key, {})
        before = of_key.get(participant.peer.name, Cell())
        of_key[participant.peer.name] = Cell([*before.samples, *samples], note or before.note)

    def _give_up(self, name: str, keys: tuple[str, ...], cell: Cell) -> None:
        self._out.add(name)
        for key in keys:
            self._cells.setdefault(key, {}).setdefault(name, cell)
