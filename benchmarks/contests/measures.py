"""What is measured of each peer, in the order in which it is shown."""

from typing import Final, Literal

import msgspec

Unit = Literal["s", "bytes", "share", "per second", "of 8"]


class Measure(msgspec.Struct, frozen=True):
    """One figure of a peer."""

    key: str
    topic: str
    title: str
    unit: Unit = "s"

    @property
    def more_is_better(self) -> bool:
        """Whether the larger figure is the better one."""
        return self.unit in {"share", "per second", "of 8"}


MEASURES: Final = (
    Measure("log.median", "log", "log one scalar, median"),
    Measure("log.p99", "log", "log one scalar, 99th percentile"),
    Measure("log.stored", "log", "100,000 calls, until all is stored"),
    Measure("several.median", "several", "log ten metrics of one step, median"),
    Measure("crash.found", "crash", "found after SIGKILL, of the points logged", "share"),
    Measure("size.point", "size", "disk, a point of a loss curve", "bytes"),
    Measure("series.read", "series", "read 1,000,000 points"),
    Measure("series.reduced", "series", "read them reduced, as for a chart"),
    Measure("find.tag.10000", "find", "newest 50 of 10,000 runs, by tag"),
    Measure("find.metric.10000", "find", "newest 50 of 10,000 runs, by metric"),
    Measure("find.tag.100000", "find", "newest 50 of 100,000 runs, by tag"),
    Measure("find.metric.100000", "find", "newest 50 of 100,000 runs, by metric"),
    Measure("writers.rate", "writers", "8 processes, one store: points", "per second"),
    Measure("writers.found", "writers", "of those points, found", "share"),
    Measure("server.rate", "server", "one server: points taken in", "per second"),
    Measure("server.memory", "server", "its memory after that", "bytes"),
    Measure("server.page.10000", "server", "through it, 50 of 10,000 runs, by metric and by order"),
    Measure(
        "server.page.100000", "server", "through it, 50 of 100,000 runs, by metric and by order"
    ),
    Measure("open.worked", "open", "8 processes open one new store: worked", "of 8"),
    Measure("children.made", "children", "1,000 child runs with a point each"),
    Measure("import.above", "import", "import, above bare Python"),
    Measure("submit.begins", "submit", "submit a script, to its first line"),
    Measure("cancel.gone", "cancel", "cancel a sleeping script, until it is gone"),
)
BY_KEY: Final = {measure.key: measure for measure in MEASURES}
