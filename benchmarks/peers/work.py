"""The work, the same for every peer: standard library only, as it runs at each of them."""

import json
import math
import os
import random
import signal
import struct
import sys
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import cast

from benchmarks.peers import launching
from benchmarks.peers.protocol import (
    Adapter,
    Channel,
    Log,
    NotOfferedError,
    Result,
    Verb,
    own_channel,
)

NAMES = [f"metric {number}" for number in range(10)]


def loss_curve(points: int) -> list[float]:
    """A loss as training logs it: float32 values that fall and are noisy; the same each time."""
    draw = random.Random(20261123)
    scale = max(points, 1000) / 5
    curve = (2.3 * math.exp(-i / scale) + 0.2 + draw.gauss(0, 0.03) for i in range(points))
    return list(struct.unpack(f"{points}f", struct.pack(f"{points}f", *curve)))


class Calls:
    """Calls that are timed one by one, in a loop that knows when it takes too long."""

    def __init__(self, glance_s: float, limit_s: float) -> None:
        """Stop once it shows, after ``glance_s``, that all of them would take ``limit_s``."""
        self.taken_ns = array("q")
        self._glance_s = glance_s
        self._limit_s = limit_s

    def make(self, call: Callable[[int], object], count: int) -> None:
        clock, taken = time.perf_counter_ns, self.taken_ns
        began = clock()
        for number in range(count):
            before = clock()
            call(number)
            after = clock()
            taken.append(after - before)
            if not number % 8 and self._too_slow((after - began) / 1e9, number + 1, count):
                break

    def _too_slow(self, spent_s: float, made: int, count: int) -> bool:
        return spent_s > self._glance_s and spent_s / made * count > self._limit_s

    def result(self) -> Result:
        ordered = sorted(self.taken_ns)
        return {
            "calls": len(ordered),
            "median_s": ordered[len(ordered) // 2] / 1e9,
            "p99_s": ordered[math.ceil(0.99 * len(ordered)) - 1] / 1e9,
            "high_s": ordered[-1] / 1e9,
        }


# ---------------------------------------------------------------- verbs


def log(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """One run: ``count`` calls, of one metric or of ten; ``stored_s`` from the first to the end."""
    count = cast("int", asked["count"])
    curve = loss_curve(count)
    calls = Calls(cast("float", asked["glance_s"]), cast("float", asked["limit_s"]))
    began = 0.0

    def work(log: Log) -> None:
        nonlocal began
        one, many = log.one, log.many

        def scalar(step: int) -> object:
            return one(step, curve[step])

        def ten(step: int) -> object:
            return many(step, dict.fromkeys(NAMES, curve[step]))

        if asked.get("wait"):
            channel.wait()
        began = time.perf_counter()
        calls.make(ten if asked.get("several") else scalar, count)

    adapter.run(_folder(asked), work)
    return {**calls.result(), "stored_s": time.perf_counter() - began}


def pace(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """One run at the pace of a training loop: steps of one, at uneven times, for ``limit_s``."""
    count, limit_s = cast("int", asked["count"]), cast("float", asked["limit_s"])
    curve = loss_curve(count)
    draw = random.Random(1)
    made = 0

    def work(log: Log) -> None:
        nonlocal made
        deadline = time.monotonic() + limit_s
        for step, value in enumerate(curve):
            log.one(step, value)
            made += 1
            if time.monotonic() > deadline:
                break
            time.sleep(draw.uniform(0.5, 1.0) * limit_s / count)

    adapter.run(_folder(asked), work)
    return {"calls": made}


def crash(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """Log, and be killed right after the last call."""
    count = cast("int", asked["count"])
    curve = loss_curve(count)
    calls = Calls(cast("float", asked["glance_s"]), cast("float", asked["limit_s"]))

    def work(log: Log) -> None:
        calls.make(lambda i: log.one(i, curve[i]), count)
        channel.say({"result": {"calls": len(calls.taken_ns)}})
        os.kill(os.getpid(), signal.SIGKILL)

    adapter.run(_folder(asked), work)
    return {}


def send(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """Send one run's points to a server."""
    values = loss_curve(cast("int", asked["count"]))
    limit_s = cast("float", asked["limit_s"])
    return {"points": adapter.send(_folder(asked), values, limit_s, channel.wait)}


def found(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """Count the points of a store."""
    return {"points": adapter.found(_folder(asked))}


def open_store(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """Open a store at the same moment as others, and log one point there."""

    def work(log: Log) -> None:
        log.one(0, 0.5)

    channel.wait()
    adapter.run(_folder(asked), work)
    return {}


def fill(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """Store one series."""
    values = loss_curve(cast("int", asked["count"]))
    return adapter.fill(_folder(asked), values, cast("float", asked["limit_s"]))


def read(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """Read the series again and again: whole, or reduced."""
    reader = adapter.reduce if asked.get("reduced") else adapter.read
    return _again(lambda: reader(_folder(asked)), asked)


def fill_runs(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """Make many runs."""
    count, limit_s = cast("int", asked["count"]), cast("float", asked["limit_s"])
    return adapter.fill_runs(_folder(asked), count, limit_s)


def find(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """Find the newest 50 of one in a hundred runs, by tag or by metric."""
    folder = _folder(asked)
    if asked.get("ordered"):
        return _again(lambda: adapter.in_order(folder, 0.5), asked)
    if asked.get("metric"):
        return _again(lambda: adapter.by_metric(folder, 0.01), asked)
    return _again(lambda: adapter.by_tag(folder, "7"), asked)


def children(adapter: Adapter, channel: Channel, asked: dict[str, object]) -> Result:
    """Make child runs."""
    count, limit_s = cast("int", asked["count"]), cast("float", asked["limit_s"])
    return adapter.children(_folder(asked), count, limit_s)


VERBS: dict[str, Verb] = {
    "log": log,
    "pace": pace,
    "crash": crash,
    "send": send,
    "found": found,
    "open": open_store,
    "fill": fill,
    "read": read,
    "fill_runs": fill_runs,
    "find": find,
    "children": children,
    "submit": launching.submit,
    "cancel": launching.cancel,
}


def _folder(asked: dict[str, object]) -> Path:
    return Path(cast("str", asked["folder"]))


def _again(act: Callable[[], int], asked: dict[str, object]) -> Result:
    """The first time apart from the others: it also opens the store."""
    limit_s, times = cast("float", asked["limit_s"]), cast("int", asked["times"])
    taken: list[float] = []
    counted = 0
    deadline = time.monotonic() + limit_s
    while len(taken) < times + 1 and (not taken or time.monotonic() < deadline):
        before = time.perf_counter()
        counted = act()
        taken.append(time.perf_counter() - before)
    return {"count": counted, "first_s": taken[0], "again_s": taken[1:]}


def serve(adapter: Adapter) -> None:
    """Do what the command line says; the exit status says whether it came to its end."""
    channel = own_channel()
    asked = cast("dict[str, object]", json.loads(sys.argv[2]))
    try:
        channel.say({"result": VERBS[sys.argv[1]](adapter, channel, asked)})
    except NotOfferedError as error:
        channel.say({"absent": str(error)})
    except Exception as error:  # whatever a peer raises; standard error has the rest
        channel.say({"failed": f"{type(error).__name__}: {error}"})
        raise
