"""Logging: what a call costs, what is stored of it, what a crash leaves."""

from contextlib import ExitStack
from typing import Final, NamedTuple, cast

from benchmarks.contests.field import Field
from benchmarks.peers.asking import Asked, FailedError, Participant, Store, ask
from benchmarks.peers.protocol import Result

PATIENCE_S: Final = 100.0
CALLS: Final = 100_000
ENOUGH: Final = 200
"""Points of a series whose size says something: files grow by pages."""
_FEW: Final[dict[str, object]] = {"count": 10, "glance_s": 1.0, "limit_s": 5.0}


def log(field: Field) -> None:
    """One scalar a call: 100,000 calls, or as many as show what they would take."""
    count = CALLS // 10 if field.effort.quick else CALLS
    for number in field.rounds(3, 1):
        long = number == 0 and not field.effort.quick
        glance_s, limit_s = (2.5, 32.0) if long else (1.5, 6.0)
        for one in field.standing:
            with field.attempt(one, "log.median", "log.p99", "log.stored"):
                store = field.store(one)
                if number == 0:  # what the first run costs more is not what a call costs
                    ask(one, store, "log", PATIENCE_S, **_FEW)
                timed = {"count": count, "glance_s": glance_s, "limit_s": limit_s}
                answer = ask(one, store, "log", PATIENCE_S, **timed)
                _record_calls(field, one, answer, first=number == 0)


def _record_calls(field: Field, one: Participant, answer: Result, *, first: bool) -> None:
    calls = cast("int", answer["calls"])
    field.record(one, "log.median", cast("float", answer["median_s"]))
    few = f"of {calls:,} calls" if calls < CALLS // 10 else ""
    field.record(one, "log.p99", cast("float", answer["p99_s"]), note=few)
    if first or calls == CALLS:  # a round cut short says less than the long first one
        stored_s = cast("float", answer["stored_s"]) * CALLS / calls
        note = "" if calls == CALLS else f"extrapolated from {calls:,} calls"
        field.record(one, "log.stored", stored_s, note=note)


def several(field: Field) -> None:
    """Ten metrics of one step, by one call where the peer has one."""
    count = 1_000 if field.effort.quick else 10_000
    for _ in field.rounds(3, 1):
        for one in field.standing:
            with field.attempt(one, "several.median"):
                store = field.store(one)
                timed = {"count": count, "glance_s": 1.0, "limit_s": 3.0, "several": True}
                answer = ask(one, store, "log", PATIENCE_S, **timed)
                field.record(one, "several.median", cast("float", answer["median_s"]))


def crash(field: Field) -> None:
    """Log 10,000 points, be killed by SIGKILL right after the last call, and look for them."""
    count = 1_000 if field.effort.quick else 10_000
    before: dict[str, int] = {}
    for _ in field.rounds(2, 1):
        for one in field.standing:
            with field.attempt(one, "crash.found"):
                store = field.store(one)
                timed = {"count": count, "glance_s": 1.0, "limit_s": 4.0}
                calls = cast("int", ask(one, store, "crash", PATIENCE_S, **timed)["calls"])
                there = points_in(one, store)
                found = there - before.get(one.peer.name, 0)
                before[one.peer.name] = there
                field.record(one, "crash.found", found / calls, note=f"{found:,} of {calls:,}")


def points_in(one: Participant, store: Store) -> int:
    """How many points the peer's own reader finds in its store."""
    return cast("int", ask(one, store, "found", PATIENCE_S)["points"])


# ---------------------------------------------------------------- size


class _Pacing(NamedTuple):
    """A peer that logs at the pace of a training loop."""

    one: Participant
    asked: Asked
    before_bytes: int
    one_point_bytes: int


def size(field: Field) -> None:
    """What a point of a loss curve takes on disk, logged at the pace of a training loop.

    All peers log at the same time: they mostly sleep. What a run takes that has one point only is
    taken off.
    """
    count, limit_s = (2_000, 4.0) if field.effort.quick else (20_000, 40.0)
    with ExitStack() as together:
        pacing: list[_Pacing] = []
        for one in field.standing:
            with field.attempt(one, "size.point"):
                store = field.store(one)
                small = _one_point_bytes(one, store)
                before = store.size_bytes()
                asked = Asked(one, store, "pace", PATIENCE_S, count=count, limit_s=limit_s)
                pacing.append(_Pacing(one, together.enter_context(asked), before, small))
        for each in pacing:
            with field.attempt(each.one, "size.point"):
                store = field.store(each.one)
                calls = cast("int", each.asked.answer()["calls"])
                if calls < ENOUGH:
                    raise FailedError(f"logged {calls} points in {limit_s:g} s: too few to weigh")
                added = store.size_bytes() - each.before_bytes - each.one_point_bytes
                note = "" if calls == count else f"of {calls:,} points"
                field.record(each.one, "size.point", added / (calls - 1), note=note)


def _one_point_bytes(one: Participant, store: Store) -> int:
    """What a run with one point adds to a store that has some."""
    before = 0
    for _ in range(2):
        before = store.size_bytes()
        ask(one, store, "pace", PATIENCE_S, count=1, limit_s=0.5)
    return store.size_bytes() - before
