"""``docs/benchmarks.md`` and its images, made from a record and from the prose in ``page.md``."""

from pathlib import Path
from string import Template
from typing import Final

from benchmarks.aims import aims_of
from benchmarks.contests.field import Cell
from benchmarks.contests.measures import MEASURES, Measure
from benchmarks.drawing import draw
from benchmarks.harness import Curve, Line, Profile
from benchmarks.peers.table import PEERS, SUBJECT, Peer
from benchmarks.quantities import ahead, duration, exponent, has_tail, quantity, ratio_text
from benchmarks.record import Record

_PROSE: Final = Path(__file__).with_name("page.md")


def write_page(record: Record, docs: Path) -> None:
    """Write the page and the images into the documentation's folder."""
    images = docs / "images"
    images.mkdir(parents=True, exist_ok=True)
    for name, curves in _drawings(record).items():
        draw(curves, images / name)
    docs.joinpath("benchmarks.md").write_text(page(record), encoding="utf-8")


def page(record: Record) -> str:
    """The page's text."""
    return Template(_PROSE.read_text(encoding="utf-8")).substitute(
        ratios=_ratios(record),
        aims=_aims(record),
        behind=_behind(record),
        values=_values(record),
        notes=_notes(record),
        lines=_lines(record),
        growth=_growth(record),
        profiles=_profiles(record),
        origin=_origin(record),
    )


# ---------------------------------------------------------------- peers


def _peers(record: Record) -> list[Peer]:
    """Those that took part, without Headway."""
    took_part = {name for _, cells in _measured(record) for name in cells}
    return [peer for peer in PEERS if peer.name in took_part and peer is not SUBJECT]


def _measured(record: Record) -> list[tuple[Measure, dict[str, Cell]]]:
    return [(one, cells) for one in MEASURES if (cells := record.cells(one.key))]


def _ratios(record: Record) -> str:
    rows: list[list[str]] = []
    for measure, cells in _measured(record):
        subject = cells.get(SUBJECT.name, Cell())
        ratios = [_emphasized(measure, subject, cells.get(peer.name)) for peer in _peers(record)]
        rows.append([measure.title, _own(measure, subject), *ratios])
    return _table(["", SUBJECT.title, *(peer.title for peer in _peers(record))], rows)


def _own(measure: Measure, cell: Cell) -> str:
    return "failed" if cell.value is None else quantity(cell.value, measure.unit)


def _emphasized(measure: Measure, subject: Cell, peer: Cell | None) -> str:
    text = ratio_text(measure, subject, peer)
    return f"**{text}**" if peer is not None and ahead(measure, subject, peer) else text


def _aims(record: Record) -> str:
    said = {True: "yes", False: "**no**", None: ""}
    rows = [
        [
            aim.what,
            f"{aim.said(aim.bar)}{'' if aim.kind == 'times better' else ', ' + aim.kind}",
            "" if aim.figure is None else aim.said(aim.figure),
            said[aim.met],
        ]
        for aim in aims_of(record)
    ]
    return _table(["", "Aim", "Measured", "Met"], rows)


def _behind(record: Record) -> str:
    """A line for each measure in which a peer is ahead."""
    found: list[str] = []
    for measure, cells in _measured(record):
        subject = cells.get(SUBJECT.name, Cell())
        better = [
            f"{peer.title} {quantity(value, measure.unit)}"
            for peer in _peers(record)
            if (cell := cells.get(peer.name)) and ahead(measure, subject, cell)
            if (value := cell.value) is not None
        ]
        if better:
            found.append(f"* {measure.title}: {_own(measure, subject)}; {', '.join(better)}.")
    return "\n".join(found) or "Nowhere in this record."


def _values(record: Record) -> str:
    peers = [SUBJECT, *_peers(record)]
    rows = [
        [measure.title, *(_value(measure, cells.get(peer.name)) for peer in peers)]
        for measure, cells in _measured(record)
    ]
    return _table(["", *(peer.title for peer in peers)], rows)


def _value(measure: Measure, cell: Cell | None) -> str:
    if cell is None:
        return ""
    if cell.value is None:
        return "failed" if cell.error else "-"
    about = "~" if "extrapolated" in cell.note else ""
    return f"{about}{quantity(cell.value, measure.unit)}"


def _notes(record: Record) -> str:
    """What a reader has to know of single figures, and what went wrong."""
    found = [
        f"* `{name}` failed. {_plain(topic.failure)}"
        for name, topic in record.topics.items()
        if topic.failure
    ]
    for measure, cells in _measured(record):
        said: dict[str, list[str]] = {}
        for peer in PEERS:
            cell = cells.get(peer.name, Cell())
            if text := cell.error or cell.absent or cell.note:
                said.setdefault(text, []).append(peer.title)
        if said:
            notes = "; ".join(f"{', '.join(names)}: {text}" for text, names in said.items())
            found.append(f"* *{measure.title}*. {_plain(notes)}.")
    return "\n".join(found)


def _plain(text: str) -> str:
    """Text of a foreign program, without what Markdown or a table would read into it."""
    return text.replace("|", "/").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


# ---------------------------------------------------------------- Headway on its own


def _lines(record: Record) -> str:
    rows = [
        [
            one.what,
            duration(one.timing.median_s),
            duration(one.timing.p99_s) if has_tail(one.timing) else "",
            f"{duration(one.timing.low_s)} - {duration(one.timing.high_s)}",
            f"{duration(one.base.median_s)}, {one.baseline}" if one.base else "",
            f"{one.ratio:.3g}" if one.ratio is not None else "",
            one.aim,
        ]
        for topic in record.topics.values()
        for one in topic.found
        if isinstance(one, Line)
    ]
    return _table(["", "Median", "p99", "Range", "Baseline", "Ratio", "Aim"], rows)


def _curves(record: Record) -> list[Curve]:
    return [
        one for topic in record.topics.values() for one in topic.found if isinstance(one, Curve)
    ]


def _drawings(record: Record) -> dict[str, list[Curve]]:
    """The images by file name: one for each kind of size and unit."""
    drawings: dict[str, list[Curve]] = {}
    for curve in _curves(record):
        drawings.setdefault(f"growth-{curve.of}-{curve.unit}.svg", []).append(curve)
    return drawings


def _growth(record: Record) -> str:
    parts: list[str] = []
    for name, curves in _drawings(record).items():
        sizes = sorted({size for curve in curves for size in curve.sizes})
        rows: list[list[str]] = []
        for curve in curves:
            at = dict(zip(curve.sizes, curve.values, strict=True))
            values = [quantity(at[size], curve.unit) if size in at else "" for size in sizes]
            rows.append([curve.what, *values, f"{exponent(curve):.2f}"])
        kind = "Time" if curves[0].unit == "s" else "Bytes"
        parts.append(f"![{kind} by the number of {curves[0].of}](images/{name})")
        heads = [f"{size:,} {curves[0].of}" for size in sizes]
        parts.append(_table(["", *heads, "Exponent"], rows))
        walls = [f"* {curve.what}: {curve.wall}" for curve in curves if curve.wall]
        if walls:
            parts.append("\n".join(walls))
    return "\n\n".join(parts) or "Not measured in this record."


def _profiles(record: Record) -> str:
    found = [
        one for topic in record.topics.values() for one in topic.found if isinstance(one, Profile)
    ]
    rows = [
        [
            one.what,
            duration(one.wall_s),
            f"{duration(one.user_s)} + {duration(one.system_s)}",
            f"{one.waits:,}",
            f"{one.page_faults:,}",
            ", ".join(
                f"`{part.name}` {part.share:.0%} ({part.calls:,})" for part in one.parts
            ).replace("|", "/"),
        ]
        for one in found
    ]
    heads = ["", "Time", "CPU, user + system", "Waits", "Page faults", "Own time (calls)"]
    bounds = [f"* {one.what}: {one.bound}" for one in found if one.bound]
    return "\n\n".join(filter(None, [_table(heads, rows), "\n".join(bounds)]))


def _origin(record: Record) -> str:
    """When and where, by topic, and of which versions."""
    versions = ", ".join(
        f"{peer.title} {record.peers[peer.name]}" for peer in PEERS if peer.name in record.peers
    )
    rows: dict[tuple[str, str], list[str]] = {}
    for name, topic in record.topics.items():
        quick = " (quick)" if topic.quick else ""
        rows.setdefault((topic.measured_on, topic.machine), []).append(f"`{name}`{quick}")
    where = [[", ".join(names), day, machine] for (day, machine), names in rows.items()]
    return (
        f"Headway {record.headway}, Python {record.python}; {versions}.\n\n"
        f"{_table(['Topics', 'Measured on', 'Machine, and load when it was measured'], where)}"
    )


def _table(heads: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return "Not measured in this record."
    rule = ["---", *("--:" for _ in heads[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in [heads, rule, *rows])
