"""Aims: what is compared with what, and when one is met."""

import pytest
from benchmarks.aims import Aim, aims_of
from benchmarks.contests.field import Cell
from benchmarks.harness import Curve, Finding, Line, timing_of
from benchmarks.record import Record, Topic, record_of


def record(**cells: dict[str, float]) -> Record:
    """Measures by their key, with a double underscore for its dots."""
    made = {
        key.replace("__", "."): {name: Cell([value]) for name, value in of_key.items()}
        for key, of_key in cells.items()
    }
    return record_of({"it": Topic("2026-11-23", "a machine", cells=made)})


def aim_of(record: Record, what: str) -> Aim:
    [found] = [aim for aim in aims_of(record) if aim.what == what]
    return found


def test_nothing_is_met_or_missed_where_nothing_was_measured() -> None:
    assert {aim.met for aim in aims_of(record())} == {None}


def test_the_best_peer_counts() -> None:
    aim = aim_of(record(series__read={"headway": 1.0, "mlflow": 900.0, "sacred": 5.0}), _READ)
    assert (aim.figure, aim.met) == (5.0, False)
    assert aim_of(record(series__read={"headway": 1.0, "mlflow": 900.0}), _READ).met


_READ = "read: beside every peer"


def test_only_peers_that_lose_nothing_are_asked_how_fast_they_store() -> None:
    measured = record(
        crash__found={"headway": 1.0, "sacred": 0.0, "neptune": 1.0, "plain": 1.0},
        log__stored={"headway": 1.0, "sacred": 2.0, "neptune": 40.0, "plain": 0.5},
    )
    assert aim_of(measured, "stored: beside peers that lose nothing").figure == 40.0
    assert aim_of(measured, "stored: beside every peer").figure == 2.0


@pytest.mark.parametrize(("figure", "met"), [(9.0, True), (10.0, True), (11.0, False)])
def test_at_most_includes_the_bar(figure: float, met: bool) -> None:
    assert Aim("it", 10, figure, "at most").met is met


def test_growth_and_overhead_come_from_headways_own_topics() -> None:
    found: list[Finding] = [
        Curve("1,000 of the points", "points", "s", [10**6, 10**8], [0.01, 0.015]),
        Line("processor time a second: the process that logs", timing_of([0.009]), "", _BARE),
        Line("processor time a second: shim and reporter", timing_of([0.002]), "", _BARE),
    ]
    measured = record_of({"growth": Topic("2026-11-23", "a machine", found=found)})
    grown = aim_of(measured, "1,000 of 100,000,000 points, in those of 1,000,000")
    assert grown.figure == pytest.approx(1.5)
    beside = aim_of(measured, "processor time a second beside a loop")
    assert beside.figure == pytest.approx(0.007)
    assert beside.met


_BARE = timing_of([0.004])
