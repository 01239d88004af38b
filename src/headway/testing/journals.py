"""Journals in tests: a writer with plain settings, a clock that is set, all that a folder says."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from headway.metrics.drain import journals, read
from headway.metrics.journal import JournalWriter
from headway.metrics.records import Column, NameTable, SeriesKey, decode
from headway.model import Scalar

Point = tuple[int | None, Scalar]
"""A step, or None where it was left out, and a value."""


@dataclass
class SetClock:
    """A clock in nanoseconds that stands still unless it is told otherwise."""

    now: int = 1_700_000_000_000_000_000

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass, or run backwards."""
        self.now += int(seconds * 1e9)


@dataclass
class Told:
    """What a folder of journals says."""

    lost: int = 0
    points: dict[SeriesKey, list[Point]] = field(default_factory=dict[SeriesKey, list[Point]])

    def values(self, name: str) -> list[Scalar]:
        """The values of a scalar metric; none if there is no such metric."""
        return [value for _, value in self.points.get((name, "", "scalar"), [])]


def open_journal(
    folder: Path,
    writer_id: str = "w1",
    *,
    segment_bytes: int = 8192,
    clock: Callable[[], int] = time.time_ns,
    warn: Callable[[str], None] | None = None,
) -> JournalWriter:
    """A writer for ``run-1`` with small segments; without ``warn`` a lost point is a failure."""

    def unexpected(message: str) -> None:
        raise AssertionError(message)

    return JournalWriter(
        folder,
        "run-1",
        writer_id,
        segment_bytes=segment_bytes,
        max_text_bytes=10_000,
        max_name_chars=255,
        clock=clock,
        warn=warn or unexpected,
    )


def points_of(column: Column) -> list[Point]:
    """The points of a column as plain Python values."""
    values = column.values
    plain = values if isinstance(values, list) else cast("list[Scalar]", values.tolist())
    steps: list[int] = column.steps.tolist()
    known: list[bool] = column.has_step.tolist()
    return [
        (step if has_step else None, value)
        for step, has_step, value in zip(steps, known, plain, strict=True)
    ]


def read_journals(folder: Path, max_bytes: int = 1 << 20) -> Told:
    """Read all journals to their ends, in stretches of at most ``max_bytes``."""
    told = Told()
    for journal in journals(folder):
        kept, offset = b"", 0
        while data := read(folder, journal, offset, max_bytes):
            stretch = decode(data, NameTable.from_bytes(kept), torn=not journal.alive)
            kept = stretch.names.to_bytes()
            told.lost += stretch.lost
            for column in stretch.columns:
                key = (column.name, column.column, column.form)
                told.points.setdefault(key, []).extend(points_of(column))
            if not stretch.consumed:
                break
            offset += stretch.consumed
    return told
