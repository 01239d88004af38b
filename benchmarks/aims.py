"""What Headway wants to reach, as ratios within one record, and whether it does."""

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from benchmarks.contests.field import Cell
from benchmarks.contests.measures import BY_KEY
from benchmarks.harness import Curve, Line
from benchmarks.peers.table import PEERS, SUBJECT
from benchmarks.quantities import duration, ratio_of
from benchmarks.record import Record

FLOOR: Final = "plain"
_PEERS: Final = [peer.name for peer in PEERS if peer.name not in {SUBJECT.name, FLOOR}]


class Aim(NamedTuple):
    """One bar, and where Headway stands; no figure where its topic was not measured."""

    what: str
    bar: float
    figure: float | None
    kind: Literal["times better", "at most", "at least"] = "times better"
    unit: Literal["", "s"] = ""

    @property
    def met(self) -> bool | None:
        """Whether it is reached; None, where nothing was measured."""
        if self.figure is None:
            return None
        return self.figure <= self.bar if self.kind == "at most" else self.figure >= self.bar

    def said(self, value: float) -> str:
        """A figure of this aim, as text."""
        if self.unit == "s":
            return duration(value)
        unit = "x" if self.kind == "times better" else ""
        return f"{value:,.3g}{unit}" if value < 1000 else f"{value:,.0f}{unit}"


def aims_of(record: Record) -> list[Aim]:
    """All aims, in the order of the table of measures."""
    figures = _Figures(record)
    sure = [name for name in _PEERS if figures.value("crash.found", name) == 1.0]
    return [
        Aim("log: beside sacred", 1, figures.ratio("log.median", ["sacred"])),
        Aim("log: beside write()", 2, figures.ratio("log.median", [FLOOR])),
        Aim("log: 99th percentile, in medians of write()", 5, figures.tail(), "at most"),
        Aim("found after SIGKILL", 1, figures.value("crash.found", SUBJECT.name), "at least"),
        Aim("stored: beside peers that lose nothing", 5, figures.ratio("log.stored", sure)),
        Aim("stored: beside every peer", 1, figures.ratio("log.stored", _PEERS)),
        Aim("disk: beside tensorboardX", 5, figures.ratio("size.point", ["tensorboardx"])),
        Aim("read: beside mlflow", 500, figures.ratio("series.read", ["mlflow"])),
        Aim("read: beside every peer", 10, figures.ratio("series.read", _PEERS)),
        Aim("reduced: beside mlflow", 100, figures.ratio("series.reduced", ["mlflow"])),
        Aim("1,000 of 100,000,000 points, in those of 1,000,000", 2, figures.growth(), "at most"),
        Aim("drain, points a second", 2e6, figures.drain(), "at least"),
        Aim("find by tag: beside mlflow", 20, figures.ratio(_TAG, ["mlflow"])),
        Aim("find by metric: beside mlflow", 20, figures.ratio(_METRIC, ["mlflow"])),
        Aim("find by tag", 0.01, figures.value(_TAG, SUBJECT.name), "at most", "s"),
        Aim("find by metric", 0.01, figures.value(_METRIC, SUBJECT.name), "at most", "s"),
        Aim("8 writers: beside trackio", 4, figures.ratio("writers.rate", ["trackio"])),
        Aim("8 writers: beside mlflow", 4, figures.ratio("writers.rate", ["mlflow"])),
        Aim("server: points a second", 5e5, figures.value("server.rate", SUBJECT.name), "at least"),
        Aim("server: beside mlflow's", 20, figures.ratio("server.rate", _SERVERS)),
        Aim("server: its memory, MB", 200, figures.memory_mb(), "at most"),
        Aim("server: page", 0.01, figures.value(_PAGE, SUBJECT.name), "at most", "s"),
        Aim("server: page of 10,000, beside mlflow's", 20, figures.ratio(_FEWER, _SERVERS)),
        Aim("server: page, PostgreSQL", 0.01, figures.slowest_page("PostgreSQL"), "at most", "s"),
        Aim("log with a server that is dead, 99th percentile", 1.1, figures.away(), "at most"),
        Aim("8 open a new store", 8, figures.value("open.worked", SUBJECT.name), "at least"),
        Aim("processor time a second beside a loop", 0.01, figures.overhead(), "at most", "s"),
    ]


_TAG: Final = "find.tag.100000"
_METRIC: Final = "find.metric.100000"
_PAGE: Final = "server.page.100000"
_FEWER: Final = "server.page.10000"
_SERVERS: Final = ["mlflow-server"]


class _Figures:
    """The figures of a record that aims are about."""

    def __init__(self, record: Record) -> None:
        self._record = record
        found = [one for topic in record.topics.values() for one in topic.found]
        self._curves = {one.what: one for one in found if isinstance(one, Curve)}
        self._lines = [one for one in found if isinstance(one, Line)]

    def value(self, key: str, name: str) -> float | None:
        return self._record.cells(key).get(name, Cell()).value

    def ratio(self, key: str, names: Iterable[str]) -> float | None:
        """How many times better than the best of these."""
        cells = self._record.cells(key)
        subject = cells.get(SUBJECT.name, Cell())
        ratios = [ratio_of(BY_KEY[key], subject, cells[name]) for name in names if name in cells]
        return min((ratio for ratio in ratios if ratio is not None), default=None)

    def tail(self) -> float | None:
        tail, write = self.value("log.p99", SUBJECT.name), self.value("log.median", FLOOR)
        return tail / write if tail and write else None

    def memory_mb(self) -> float | None:
        memory = self.value("server.memory", SUBJECT.name)
        return memory / 1e6 if memory else None

    def away(self) -> float | None:
        """In those of an embedded workspace."""
        for line in self._lines:
            if line.what == "run.log: the server is dead" and line.base is not None:
                return line.timing.p99_s / line.base.p99_s
        return None

    def slowest_page(self, database: str) -> float | None:
        """Of those that an index leads to, of most runs."""
        pages = [
            line.timing.median_s
            for line in self._lines
            if line.what.startswith("50 of 100,000 runs through a server: ")
            and line.what.endswith(f", {database}")
        ]
        return max(pages, default=None)

    def growth(self) -> float | None:
        at = self._at("1,000 of the points")
        return at[10**8] / at[10**6] if 10**8 in at else None

    def drain(self) -> float | None:
        took_s = self._at("taking in points of one metric").get(10**7)
        return 10**7 / took_s if took_s else None

    def _at(self, what: str) -> dict[int, float]:
        curve = self._curves.get(what)
        return dict(zip(curve.sizes, curve.values, strict=True)) if curve else {}

    def overhead(self) -> float | None:
        """What the process spends beyond the bare loop, and all that the others spend."""
        spent = {
            line.what.partition(": ")[2]: line
            for line in self._lines
            if line.what.startswith("processor time a second: ")
        }
        if not spent:
            return None
        own, beside = spent["the process that logs"], spent["shim and reporter"]
        return (own.above_s or 0.0) + beside.timing.median_s
