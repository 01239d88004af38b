"""Reading a long series, and finding runs among many."""

from typing import Final, cast

from benchmarks.contests.field import Field
from benchmarks.peers.asking import FailedError, Participant, Store, ask
from benchmarks.peers.protocol import Result

PATIENCE_S: Final = 150.0
POINTS: Final = 1_000_000
_RUNS: Final = (10_000, 100_000)


def series(field: Field) -> None:
    """Read a series of 1,000,000 points, whole and reduced; those stored may have to be fewer."""
    count = POINTS // 20 if field.effort.quick else POINTS
    filled: dict[str, Result] = {}
    for one in field.standing:
        with field.attempt(one, "series.read", "series.reduced"):
            store = field.store(one)
            filled[one.peer.name] = ask(
                one, store, "fill", PATIENCE_S, count=count, limit_s=count / 50_000
            )
    for reduced, key in ((False, "series.read"), (True, "series.reduced")):
        for one in field.standing:
            _read(field, one, filled[one.peer.name], key, reduced=reduced)


def _read(field: Field, one: Participant, filled: Result, key: str, *, reduced: bool) -> None:
    points = cast("int", filled["points"])
    with field.aside(one, key):
        store = field.store(one)
        asked = {"times": 5, "limit_s": 5.0, "reduced": reduced}
        answer = ask(one, store, "read", PATIENCE_S, **asked)
        if not reduced and answer["count"] != points:
            raise FailedError(f"read {answer['count']} of {points} points")
        notes = [str(filled["how"])] if "how" in filled else []
        taken = _again(answer)
        if reduced:  # a sample may take the same however many points there are
            notes.append(f"{answer['count']:,} of {points:,} points come back")
        elif points != POINTS:
            notes.append(f"extrapolated from {points:,} points")
            taken = [took * POINTS / points for took in taken]
        field.record(one, key, *taken, note="; ".join(notes))


def find(field: Field) -> None:
    """The newest 50 runs by a tag and by a metric that one run in a hundred has."""
    for shown in _RUNS:
        larger = [count for count in _RUNS if count >= shown]  # who fails here is not asked there
        keys = [f"find.{kind}.{count}" for count in larger for kind in ("tag", "metric")]
        for one in field.standing:
            with field.attempt(one, *keys), field.extra_store(one) as store:
                _find(field, one, store, shown)


def _find(field: Field, one: Participant, store: Store, shown: int) -> None:
    count, limit_s = (shown // 10, 4.0) if field.effort.quick else (shown, 20.0)
    filled = ask(one, store, "fill_runs", PATIENCE_S, count=count, limit_s=limit_s)
    made = cast("int", filled["runs"])
    if made * 100 < count:
        raise FailedError(f"made {made:,} runs in {limit_s:g} s: too few to look among")
    notes = [str(filled["how"])] if "how" in filled else []
    if made != shown:
        notes.append(f"of {made:,} runs")
    for metric, key in ((False, f"find.tag.{shown}"), (True, f"find.metric.{shown}")):
        asked = {"times": 30, "limit_s": 3.0, "metric": metric}
        answer = ask(one, store, "find", PATIENCE_S, **asked)
        field.record(one, key, *_again(answer), note="; ".join(notes))


def _again(answer: Result) -> list[float]:
    """What it took once the store was open; the first time, where there was no other."""
    again = cast("list[float]", answer["again_s"])
    return again or [cast("float", answer["first_s"])]
