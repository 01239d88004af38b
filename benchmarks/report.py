"""The figures for people, in a terminal: Headway beside its peers, then on its own."""

from collections.abc import Iterator
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.aims import aims_of
from benchmarks.contests.field import Cell
from benchmarks.contests.measures import MEASURES
from benchmarks.harness import Curve, Line, Profile
from benchmarks.peers.table import PEERS, SUBJECT, Peer
from benchmarks.quantities import duration, exponent, has_tail, quantity, ratio_text
from benchmarks.record import Record

_TITLE_WIDTH: Final = 40
_PEER_WIDTH: Final = 16


def show(record: Record, took_s: float) -> None:
    """Print all that was measured."""
    out = _console()
    machine = next((topic.machine for topic in record.topics.values()), "")
    out.print(f"headway {record.headway}, Python {record.python}, {machine}", highlight=False)
    if any(topic.cells for topic in record.topics.values()):
        for table in _comparison(record, out.width):
            out.print(table)
        out.print(
            "x: how many times better headway is; below 1, the peer is ahead", highlight=False
        )
    if missed := [aim for aim in aims_of(record) if aim.met is False]:
        said = ", ".join(
            f"{aim.what} {aim.said(aim.figure or 0.0)} ({aim.said(aim.bar)})" for aim in missed
        )
        out.print(f"Aims that are missed: {said}", highlight=False)
    found = [one for topic in record.topics.values() for one in topic.found]
    if lines := [one for one in found if isinstance(one, Line)]:
        out.print(_lines(lines))
    for one in found:
        if isinstance(one, Curve):
            grows = f"grows as {one.of}^{exponent(one):.2f}"
            values = ", ".join(
                f"{size:,}: {quantity(value, one.unit)}"
                for size, value in zip(one.sizes, one.values, strict=True)
            )
            out.print(f"{one.what}: {values}; {grows}", highlight=False)
        elif isinstance(one, Profile):
            parts = ", ".join(f"{part.name} {part.share:.0%}" for part in one.parts[:3])
            out.print(f"{one.what}: {duration(one.wall_s)}, of it {parts}", highlight=False)
    out.print(f"Measured in {took_s:.0f} s. Aims are for a quiet machine.", highlight=False)


def _console() -> Console:
    """Standard output, wide enough for the tables where nobody has a say in it."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=170)


def _rows(record: Record, peers: list[Peer]) -> list[list[str]]:
    """The measure, headway's figure, and each peer's ratio."""
    rows: list[list[str]] = []
    for measure in MEASURES:
        if not (of_key := record.cells(measure.key)):
            continue
        subject = of_key.get(SUBJECT.name, Cell())
        own = quantity(subject.value, measure.unit) if subject.value is not None else "failed"
        ratios = [ratio_text(measure, subject, of_key.get(peer.name)) for peer in peers]
        rows.append([measure.title, own, *ratios])
    return rows


def _comparison(record: Record, width: int) -> Iterator[Table]:
    """As many peers side by side as the width allows, and below them the others."""
    took_part = {name for measure in MEASURES for name in record.cells(measure.key)}
    peers = [peer for peer in PEERS if peer.name in took_part and peer is not SUBJECT]
    at_once = max(1, (width - _TITLE_WIDTH) // _PEER_WIDTH - 1)
    for first in range(0, max(1, len(peers)), at_once):
        yield _table(record, peers[first : first + at_once])


def _table(record: Record, peers: list[Peer]) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("", width=_TITLE_WIDTH, overflow="fold")
    for peer in (SUBJECT, *peers):
        made.add_column(peer.title, justify="right", width=_PEER_WIDTH - 2, overflow="fold")
    for row in _rows(record, peers):
        made.add_row(*row)
    return made


def _lines(lines: list[Line]) -> Table:
    """One row a line."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("", overflow="fold")
    for name in ("median", "p99", "min - max"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("baseline", overflow="fold")
    for name in ("median", "ratio", "above"):
        made.add_column(name, justify="right", no_wrap=True)
    made.add_column("aim")
    for line in lines:
        made.add_row(*_cells(line))
    return made


def _cells(line: Line) -> list[str]:
    timing, base, ratio, above_s = line.timing, line.base, line.ratio, line.above_s
    return [
        line.what,
        duration(timing.median_s),
        duration(timing.p99_s) if has_tail(timing) else "",
        f"{duration(timing.low_s)} - {duration(timing.high_s)}",
        line.baseline,
        duration(base.median_s) if base else "",
        f"{ratio:.3g}" if ratio is not None else "",
        duration(above_s) if above_s is not None else "",
        line.aim,
    ]
