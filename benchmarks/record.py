"""What was measured, kept: merged run by run, so that a part can be measured again."""

import datetime
import platform
from importlib.metadata import version
from pathlib import Path

import msgspec

from benchmarks.contests.field import Cell, Cells
from benchmarks.harness import Finding
from benchmarks.machine import machine
from benchmarks.peers.installing import version_of
from benchmarks.peers.table import PEERS


class Topic(msgspec.Struct, frozen=True):
    """One topic, as measured in one go; times in seconds."""

    measured_on: str
    """The day, UTC."""
    machine: str
    quick: bool = False
    found: list[Finding] = []
    """Headway beside the least that the same thing costs, how it grows, where its time goes."""
    cells: Cells = {}
    """Headway beside its peers."""
    failure: str = ""
    """Why Headway's own lines are missing."""


class Record(msgspec.Struct, frozen=True):
    """All topics."""

    python: str
    headway: str
    peers: dict[str, str]
    """Versions, by name."""
    topics: dict[str, Topic] = {}

    def cells(self, key: str) -> dict[str, Cell]:
        """What was measured of this measure, by peer."""
        return {
            name: cell
            for topic in self.topics.values()
            for name, cell in topic.cells.get(key, {}).items()
        }


def topic_of(quick: bool, found: list[Finding], cells: Cells, failure: str) -> Topic:
    """What was measured just now, here."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Topic(today, machine(), quick, found, cells, failure)


def record_of(topics: dict[str, Topic]) -> Record:
    """These topics, with the versions of this program and its peers."""
    peers = {peer.name: version_of(peer) for peer in PEERS if peer.package}
    return Record(platform.python_version(), version("headway"), peers, topics)


def merged(path: Path, topics: dict[str, Topic]) -> Record:
    """What the file holds, with these topics in place of its own.

    Of a topic that was measured with fewer peers, the others' figures stay.
    """
    before = read(path).topics if path.exists() else {}
    return record_of(
        {**before, **{name: _over(before.get(name), new) for name, new in topics.items()}}
    )


def _over(old: Topic | None, new: Topic) -> Topic:
    cells = {key: {**of_key} for key, of_key in old.cells.items()} if old else {}
    for key, of_key in new.cells.items():
        cells[key] = {**cells.get(key, {}), **of_key}
    return msgspec.structs.replace(new, cells=cells)


def read(path: Path) -> Record:
    """The record that a file holds."""
    return msgspec.json.decode(path.read_bytes(), type=Record)


def write(path: Path, record: Record) -> None:
    """Put a record into a file, as a whole."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    new.replace(path)
