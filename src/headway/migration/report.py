"""What ``headway migrate check`` finds, name by name."""

from pathlib import Path

import msgspec

from headway.migration.expressions import Use
from headway.migration.flow import uses_of
from headway.migration.sources import Problem, read_sources
from headway.migration.table import Row, Support

_ORDER = (Support.NO, Support.PARTLY, Support.YES)


class Place(msgspec.Struct, frozen=True):
    """One place where a name is used."""

    where: str
    """As in ``train.py:12``; ``notebook.ipynb:cell 3:1`` counts cells and lines from 1."""
    guessed: bool = False
    """Whether what it is used on was known by its name only, as a parameter ``run`` is."""


class Finding(msgspec.Struct, frozen=True):
    """One name of the API that is used, and what becomes of it."""

    name: str
    support: Support
    note: str
    places: list[Place]


class Report(msgspec.Struct, frozen=True):
    """What was found under a path."""

    files: int
    """Scripts and notebooks looked at."""
    using: int
    """Those of them that use the API."""
    findings: list[Finding]
    """Worst first."""
    problems: list[Problem]
    """What could not be read."""

    @property
    def ready(self) -> bool:
        """Whether all of it was read, and all that it uses is supported."""
        return not self.problems and all(one.support is Support.YES for one in self.findings)

    def count(self, support: Support) -> int:
        """How many names are supported so."""
        return sum(one.support is support for one in self.findings)


def check(path: Path) -> Report:
    """Look at a script, a notebook or all of them under a folder, without executing anything.

    Raises:
        NotFoundError: There is nothing at the path.
        InvalidValueError: It is another kind of file.
    """
    reading = read_sources(path)
    places: dict[str, tuple[Row, list[Place]]] = {}
    using: set[str] = set()
    for source in reading.sources:
        uses = uses_of(source)
        if uses:
            using.add(source.path)
        for use in uses:
            _keep(use, places)
    findings = [Finding(row.name, row.support, row.note, found) for row, found in places.values()]
    findings.sort(key=lambda one: (_ORDER.index(one.support), one.name))
    return Report(reading.files, len(using), findings, reading.problems)


def _keep(use: Use, places: dict[str, tuple[Row, list[Place]]]) -> None:
    places.setdefault(use.row.name, (use.row, []))[1].append(Place(use.where, use.guessed))
