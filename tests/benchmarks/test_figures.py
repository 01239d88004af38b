"""What is made of measurements: medians, ratios, fits, texts."""

import math

import pytest
from benchmarks.contests.field import Cell
from benchmarks.contests.measures import BY_KEY, MEASURES
from benchmarks.harness import Curve, interleave, percentile, timing_of
from benchmarks.peers.installing import last_line
from benchmarks.quantities import ahead, duration, exponent, quantity, ratio_of, ratio_text
from hypothesis import given
from hypothesis import strategies as st

TIME = BY_KEY["log.median"]
RATE = BY_KEY["writers.rate"]
FOUND = BY_KEY["crash.found"]


@given(st.lists(st.floats(0, 1e3), min_size=1))
def test_a_timing_lies_within_its_samples(samples: list[float]) -> None:
    timing = timing_of(samples)
    assert timing.low_s <= timing.median_s <= timing.p99_s <= timing.high_s
    assert timing.count == len(samples)
    assert timing.median_s in samples


def test_no_measurements_are_no_timing() -> None:
    with pytest.raises(ValueError, match="no measurements were made"):
        percentile([], 0.5)


def test_acts_take_turns_and_the_first_round_does_not_count() -> None:
    acted: list[str] = []

    def act(name: str, took_s: float) -> float:
        acted.append(name)
        return took_s

    timings = interleave(2, lambda: act("a", 1.0), lambda: act("b", 2.0))
    assert acted == ["a", "b", "a", "b", "a", "b"]
    assert [(one.count, one.median_s) for one in timings] == [(2, 1.0), (2, 2.0)]


def test_a_ratio_says_how_many_times_better_headway_is() -> None:
    assert ratio_of(TIME, Cell([2.0]), Cell([6.0])) == 3
    assert ratio_of(RATE, Cell([6.0]), Cell([2.0])) == 3
    assert ratio_of(TIME, Cell([2.0]), Cell(error="it crashed")) is None


def test_a_peer_is_ahead_where_its_figure_is_the_better_one() -> None:
    assert ahead(TIME, Cell([2.0]), Cell([1.0]))
    assert ahead(RATE, Cell([1.0]), Cell([2.0]))
    assert not ahead(TIME, Cell([1.0]), Cell([2.0]))
    assert not ahead(TIME, Cell([1.0]), Cell([0.97])), "within the noise"
    assert not ahead(TIME, Cell([1.0]), Cell(absent="no such thing"))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (Cell(absent="no such thing"), "-"),
        (Cell(error="it crashed"), "failed"),
        (Cell([3.0]), "3.00x"),
        (Cell([300.0], note="extrapolated from 5 calls"), "~300x"),
    ],
)
def test_a_ratio_is_shown_or_why_there_is_none(cell: Cell | None, text: str) -> None:
    assert ratio_text(TIME, Cell([1.0]), cell) == text


def test_shares_are_said_as_they_are() -> None:
    assert ratio_text(FOUND, Cell([1.0]), Cell([0.9977])) == "99.77 %"
    assert ratio_text(BY_KEY["open.worked"], Cell([8.0]), Cell([1.0, 0.0, 1.0])) == "1 of 8"


def test_the_value_of_a_cell_is_the_median_of_its_samples() -> None:
    assert Cell([3.0, 1.0, 2.0]).value == 2.0
    assert Cell().value is None


@given(st.floats(1e-9, 1e6))
def test_durations_have_three_digits_and_no_exponent(seconds: float) -> None:
    number, unit = duration(seconds).split()
    assert "e" not in number
    size = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[unit]
    assert float(number.replace(",", "")) * size == pytest.approx(seconds, rel=0.006, abs=0.5e-9)


def test_quantities_have_their_unit() -> None:
    assert quantity(0.00123, "s") == "1.23 ms"
    assert quantity(4.4, "bytes") == "4.40 B"
    assert quantity(2_433_339_392, "bytes") == "2.43 GB"
    assert quantity(1, "share") == "100 %"
    assert quantity(1_234_567, "per second") == "1,234,567/s"


@given(st.floats(-1, 3), st.floats(1e-6, 1e3))
def test_the_exponent_of_a_power_is_found(power: float, factor: float) -> None:
    sizes = [10**n for n in range(4, 9)]
    curve = Curve("it", "points", "s", sizes, [factor * size**power for size in sizes])
    assert exponent(curve) == pytest.approx(power, abs=1e-6)


def test_one_size_has_no_exponent() -> None:
    assert math.isnan(exponent(Curve("it", "points", "s", [10], [1.0])))


def test_the_last_words_of_a_program_are_told_without_addresses() -> None:
    assert last_line("Trace\n  error: no route to https://host/simple/aim\n\n") == (
        "error: no route to (address)"
    )
    assert last_line(" \n") == "it said nothing"


def test_every_measure_has_a_name_of_its_own() -> None:
    assert len(BY_KEY) == len(MEASURES) == len({measure.title for measure in MEASURES})
