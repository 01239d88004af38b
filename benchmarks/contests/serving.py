"""One server: what it takes in, what memory that takes, and a page of runs asked of it."""

import time
from contextlib import ExitStack
from typing import Final, cast

import psutil

from benchmarks.contests.field import Field
from benchmarks.peers.asking import AbsentError, Asked, FailedError, Participant, Store, ask
from benchmarks.peers.table import SERVED, SUBJECT

PATIENCE_S: Final = 100.0
CLIENTS: Final = 2
POINTS: Final = 5_000_000
"""Of each client, or as many as it has sent when the time is over."""
_TIME_S: Final = 10.0
RUNS: Final = (10_000, 100_000)
_TAKEN: Final = ("server.rate", "server.memory")


def serving(field: Field) -> None:
    """Two clients send points to one server, a run each, by the fastest call that there is."""
    for one in field.standing:
        pages = [f"server.page.{count}" for count in RUNS]
        with field.attempt(one, *_TAKEN, *pages):
            served = _served(one)
            with field.extra_store(served) as store:
                _send(field, served, store)
            for count, page in zip(RUNS, pages, strict=True):
                with field.extra_store(served) as store:
                    _page(field, served, store, page, count)


def _served(one: Participant) -> Participant:
    """The participant with its server."""
    if one.peer.name == SUBJECT.name:
        return Participant(SERVED, one.python)
    if not one.peer.server:
        raise AbsentError("no server")
    return one


def _send(field: Field, one: Participant, store: Store) -> None:
    count = POINTS // 10 if field.effort.quick else POINTS
    asked = {"count": count, "limit_s": _TIME_S}
    sent = 0
    with ExitStack() as together:
        clients = [
            together.enter_context(Asked(one, store, "send", PATIENCE_S, **asked))
            for _ in range(CLIENTS)
        ]
        for each in clients:
            each.wait_until_ready()
        began = time.perf_counter()
        for each in clients:
            each.go()
        for each in clients:
            sent += cast("int", each.answer()["points"])
        took_s = time.perf_counter() - began
    field.record(one, "server.rate", sent / took_s, note=f"{sent:,} points")
    field.record(one, "server.memory", _memory_bytes(store), note=f"after {sent:,} points")


def _memory_bytes(store: Store) -> float:
    """What the server's processes use, what they share counted once."""
    server = psutil.Process(store.server_pid)
    processes = [server, *server.children(recursive=True)]
    return float(sum(process.memory_full_info().pss for process in processes))


def _page(field: Field, one: Participant, store: Store, key: str, count: int) -> None:
    limit_s = 4.0 if field.effort.quick else 20.0
    asked = count // 10 if field.effort.quick else count
    filled = ask(one, store, "fill_runs", PATIENCE_S, count=asked, limit_s=limit_s)
    made = cast("int", filled["runs"])
    answer = ask(one, store, "find", PATIENCE_S, times=30, limit_s=5.0, ordered=True)
    if answer["count"] != 50:
        raise FailedError(f"{answer['count']} runs came back, not 50")
    again = cast("list[float]", answer["again_s"]) or [cast("float", answer["first_s"])]
    notes = [str(filled["how"])] if "how" in filled else []
    if made != count:
        notes.append(f"of {made:,} runs")
    field.record(one, key, *again, note="; ".join(notes))
