"""Headway beside its peers: who takes part, and the contests that they take part in."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from benchmarks.contests import crowds, reading, serving, starting, writing
from benchmarks.contests.field import Cell, Cells, Field
from benchmarks.contests.measures import MEASURES
from benchmarks.harness import Effort
from benchmarks.peers.asking import Participant
from benchmarks.peers.installing import PeerMissingError, python_of
from benchmarks.peers.table import PEERS, SUBJECT

Contest = Callable[[Field], None]

# With each, for how long it begins new rounds. What is asked of one peer has limits of its own.
CONTESTS: Final[dict[str, tuple[Contest, float]]] = {
    "import": (starting.imports, 35.0),
    "log": (writing.log, 120.0),
    "several": (writing.several, 45.0),
    "crash": (writing.crash, 40.0),
    "size": (writing.size, 90.0),
    "series": (reading.series, 180.0),
    "find": (reading.find, 180.0),
    "writers": (crowds.writers, 120.0),
    "server": (serving.serving, 120.0),
    "open": (crowds.open_together, 60.0),
    "children": (crowds.children, 30.0),
    "submit": (starting.submit, 30.0),
    "cancel": (starting.cancel, 30.0),
}


class Comparison:
    """Who takes part. Who cannot be installed is shown as such in every measure."""

    def __init__(self, names: Sequence[str], say: Callable[[str], object]) -> None:
        """Install the peers of these names; headway always takes part."""
        self._participants: list[Participant] = []
        self._missing: dict[str, str] = {}
        for peer in PEERS:
            if peer.name not in {*names, SUBJECT.name}:
                continue
            try:
                self._participants.append(Participant(peer, python_of(peer, cache_folder())))
            except PeerMissingError as error:
                say(f"{peer.title}: {error}")
                self._missing[peer.name] = f"not installed: {error}"

    def measure(self, topic: str, effort: Effort) -> Cells:
        """What one topic gives, by measure and peer; nothing, where peers have no part in it."""
        cells: Cells = {}
        if topic not in CONTESTS:
            return cells
        contest, limit_s = CONTESTS[topic]
        with Field(self._participants, effort, limit_s, cells) as field:
            contest(field)
        for measure in MEASURES:
            if measure.topic == topic:
                of_key = cells.setdefault(measure.key, {})
                of_key |= {name: Cell(error=why) for name, why in self._missing.items()}
        return cells


def cache_folder() -> Path:
    """Where the peers' environments are kept: ``HEADWAY_BENCH_CACHE``, or the user's cache."""
    chosen = os.environ.get("HEADWAY_BENCH_CACHE")
    return Path(chosen) if chosen else user_cache_path("headway-benchmarks")
