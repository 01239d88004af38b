"""What an adapter is asked and how it answers: standard library only, as it runs at every peer's.

An adapter is a process: ``python -m benchmarks.peers.NAME.adapter VERB ARGUMENTS``, with the
arguments as a JSON object. It answers with JSON lines on standard output: ``{"ready": true}``
where it was asked to wait (it goes on when a line comes in on standard input), then
``{"result": {...}}``, or ``{"absent": "why"}`` where the peer does not offer what was asked, or
``{"failed": "how"}``. What the peer itself prints goes to standard error.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TextIO

METRIC = "loss"
PROJECT = "bench"
TAG = "group"
GROUPS = 100
"""Runs that are looked for have a tag with one of so many values."""

Result = dict[str, object]


class NotOfferedError(Exception):
    """The peer has no such thing; the message says what it would need."""


class Log(NamedTuple):
    """How a peer logs, in a run that has begun."""

    one: Callable[[int, float], object]
    """Log one value of ``METRIC``: step, value."""
    many: Callable[[int, Mapping[str, float]], object]
    """Log values of several metrics of one step."""


Work = Callable[[Log], None]


class Launched(NamedTuple):
    """A program that a peer has started."""

    wait: Callable[[], object]
    """Wait for its end."""
    cancel: Callable[[], object] | None = None
    """End it, as the peer does that; None where the peer does not."""


class Adapter:
    """A peer, as the work sees it. What a peer does not override, it does not offer.

    A store is a folder: its contents are the peer's own affair.
    """

    def run(self, folder: Path, work: Work) -> None:
        """Begin a run in a store, which is made where there is none; do the work; end the run."""
        raise NotOfferedError("no runs")

    def found(self, folder: Path) -> int:
        """How many points of ``METRIC`` the peer's own reader finds, over all runs of a store."""
        raise NotOfferedError("offline data is read by its server alone")

    def fill(self, folder: Path, values: list[float], limit_s: float) -> Result:
        """Store one series by the fastest way that the peer offers.

        Returns:
            ``points``, how many there are; ``how``, where it was not by logging them.
        """
        raise NotOfferedError("no series to read offline")

    def fill_by_logging(self, folder: Path, values: list[float], limit_s: float) -> Result:
        """``fill`` through the call that everybody uses, as far as the time goes."""
        deadline = time.monotonic() + limit_s
        made = 0

        def work(log: Log) -> None:
            nonlocal made
            for made, value in enumerate(values, 1):
                log.one(made - 1, value)
                if not made % 256 and time.monotonic() > deadline:
                    break

        self.run(folder, work)
        return {"points": made}

    def read(self, folder: Path) -> int:
        """Read the series that ``fill`` made, steps and values; the number of points read."""
        raise NotOfferedError("offline data is read by its server alone")

    def reduce(self, folder: Path) -> int:
        """Read it as for a chart, with what the peer has for it; the number of points read."""
        raise NotOfferedError("no reduced read offline")

    def fill_runs(self, folder: Path, runs: int, limit_s: float) -> Result:
        """Make ended runs: number ``i`` has tag ``group_of(i)`` and one metric, ``loss_of(i)``.

        Returns:
            ``runs``, how many there are; ``how``, where it was not by the peer's API.
        """
        raise NotOfferedError("runs cannot be searched offline")

    def by_tag(self, folder: Path, group: str) -> int:
        """Find the newest 50 runs with a tag; how many were found."""
        raise NotOfferedError("runs cannot be searched offline")

    def by_metric(self, folder: Path, below: float) -> int:
        """Find the newest 50 runs whose metric is below a value; how many were found."""
        raise NotOfferedError("runs cannot be searched offline")

    def send(
        self, folder: Path, values: list[float], limit_s: float, go: Callable[[], None]
    ) -> int:
        """Send a run's points to the server by the fastest call that the peer offers.

        Args:
            folder: The store.
            values: The points.
            limit_s: After so long, no more are sent.
            go: Called when all is prepared; it returns when the others are ready, too.

        Returns:
            How many the server has.
        """
        raise NotOfferedError("no server")

    def in_order(self, folder: Path, below: float) -> int:
        """Find the 50 runs with the least metric whose metric is below a value; how many."""
        raise NotOfferedError("runs cannot be searched offline")

    def children(self, folder: Path, count: int, limit_s: float) -> Result:
        """Make child runs of one run, log a point in each, and end them.

        Returns:
            ``runs``, how many were made; ``took_s``, in what time.
        """
        raise NotOfferedError("no child runs")

    def launch(self, folder: Path, source: Path, script: str, argument: str) -> Launched:
        """Start a script of a folder of source, with one argument, as a run."""
        raise NotOfferedError("does not start programs")


def group_of(number: int) -> str:
    """The tag of the run of this number: one of a hundred runs has the same."""
    return str(number % GROUPS)


def loss_of(number: int) -> float:
    """The metric of the run of this number: spread evenly over 0 to 1, in no order."""
    return (number * 7919 % 100_003) / 100_003


class Channel:
    """The line to whoever asked."""

    def __init__(self, answers: TextIO, orders: TextIO) -> None:
        self._answers = answers
        self._orders = orders

    def say(self, message: Mapping[str, object]) -> None:
        """Answer one line, at once."""
        self._answers.write(json.dumps(message) + "\n")
        self._answers.flush()

    def wait(self) -> None:
        """Say that all is prepared, and wait for the word."""
        self.say({"ready": True})
        self._orders.readline()


Verb = Callable[[Adapter, Channel, dict[str, object]], Result]


def own_channel() -> Channel:
    """The process's standard streams; what else is printed from now on goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout.flush()
    os.dup2(2, 1)
    return Channel(answers, sys.stdin)
