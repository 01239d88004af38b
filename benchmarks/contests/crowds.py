"""Many at once: processes that write to one store, that open a new one; many child runs."""

import time
from contextlib import ExitStack
from typing import Final, cast

from benchmarks.contests.field import Field
from benchmarks.contests.writing import points_in
from benchmarks.peers.asking import Asked, FailedError, Participant, Store, ask

PATIENCE_S: Final = 100.0
PROCESSES: Final = 8
CHILDREN: Final = 1_000
_FEW: Final[dict[str, object]] = {"count": 10, "glance_s": 1.0, "limit_s": 5.0}


def writers(field: Field) -> None:
    """Eight processes log to one store, each in a run of its own, until all of it is stored."""
    for one in field.standing:
        with field.attempt(one, "writers.rate", "writers.found"):
            store = field.store(one)
            ask(one, store, "log", PATIENCE_S, **_FEW)
            before = points_in(one, store)
            calls, took_s, failed = _write_together(
                one, store, 10_000 if field.effort.quick else 200_000
            )
            note = f"{failed} of {PROCESSES} processes failed" if failed else ""
            if not calls:
                raise FailedError(note)
            field.record(one, "writers.rate", calls / took_s, note=note)
            found = points_in(one, store) - before
            field.record(one, "writers.found", found / calls, note=note)


def _write_together(one: Participant, store: Store, count: int) -> tuple[int, float, int]:
    """Calls made, the seconds until the last process has ended its run, processes that failed."""
    calls = failed = 0
    asked = {"count": count, "glance_s": 1.5, "limit_s": 5.0, "wait": True}
    with ExitStack() as together:
        started = [
            together.enter_context(Asked(one, store, "log", PATIENCE_S, **asked))
            for _ in range(PROCESSES)
        ]
        ready: list[Asked] = []
        for each in started:
            try:
                each.wait_until_ready()
                ready.append(each)
            except FailedError:
                failed += 1
        began = time.perf_counter()
        for each in ready:
            each.go()
        for each in ready:
            try:
                calls += cast("int", each.answer()["calls"])
            except FailedError:
                failed += 1
        return calls, time.perf_counter() - began, failed


def open_together(field: Field) -> None:
    """Eight processes open one new, empty store at the same moment, and log a point there."""
    for _ in field.rounds(3, 1):
        for one in field.standing:
            with field.attempt(one, "open.worked"), field.extra_store(one) as store:
                worked, failure = _open(one, store)
                field.record(one, "open.worked", float(worked), note=failure)


def _open(one: Participant, store: Store) -> tuple[int, str]:
    """How many of the processes came to their end, and what another one said."""
    worked, failure = 0, ""
    with ExitStack() as together:
        started = [
            together.enter_context(Asked(one, store, "open", PATIENCE_S)) for _ in range(PROCESSES)
        ]
        for each in started:
            each.wait_until_ready()
        for each in started:
            each.go()
        for each in started:
            try:
                each.answer()
                worked += 1
            except FailedError as error:
                failure = str(error)
    return worked, failure


def children(field: Field) -> None:
    """1,000 child runs of one run: made, a point logged in each, ended."""
    count = 100 if field.effort.quick else CHILDREN
    for _ in field.rounds(2, 1):
        for one in field.standing:
            with field.attempt(one, "children.made"):
                store = field.store(one)
                answer = ask(one, store, "children", PATIENCE_S, count=count, limit_s=5.0)
                made = cast("int", answer["runs"])
                notes = [str(answer["how"])] if "how" in answer else []
                if made != CHILDREN:
                    notes.append(f"extrapolated from {made:,} runs")
                took_s = cast("float", answer["took_s"]) * CHILDREN / made
                field.record(one, "children.made", took_s, note="; ".join(notes))
