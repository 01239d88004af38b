"""Logging: what is accepted, what it becomes, and that nothing is half done."""

import fractions
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.errors import InvalidValueError
from headway.metrics.journal import JournalWriter
from headway.model import Scalar
from headway.testing.journals import SetClock, Told, open_journal, read_journals


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[JournalWriter]:
    writer = open_journal(tmp_path)
    yield writer
    writer.close()


class Level(IntEnum):
    HIGH = 3


class OneItem:
    """As PyTorch's tensors are: not a number, but ``item()`` gives one."""

    def item(self) -> float:
        return 2.5


class ManyItems:
    def item(self) -> float:
        raise RuntimeError("a Tensor with 3 elements cannot be converted to Scalar")


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [
        (0.1, 0.1),
        (-0.0, -0.0),
        (math.inf, math.inf),
        (3, 3),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, 2**63),
        (-(10**30), -(10**30)),
        (True, True),
        (None, None),
        ("", ""),
        ("Größe\nzwei", "Größe\nzwei"),
        ("x" * 24, "x" * 24),
        ("x" * 10_000, "x" * 10_000),
        (np.float16(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.int8(-3), -3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (np.array(7), 7),
        (np.array([[1.5]]), 1.5),
        (Decimal("0.5"), 0.5),
        (fractions.Fraction(1, 4), 0.25),
        (Level.HIGH, 3),
        (OneItem(), 2.5),
    ],
)
def test_a_value_comes_back_as_it_was_given(
    tmp_path: Path, journal: JournalWriter, given_value: object, kept: Scalar
) -> None:
    journal.log("m", given_value)
    journal.log("m", given_value, step=4)
    points = read_journals(tmp_path).points["m", "", "scalar"]
    assert repr(points) == repr([(None, kept), (4, kept)])


def test_a_class_whose_values_are_not_all_numbers_is_looked_at_each_time(
    tmp_path: Path, journal: JournalWriter
) -> None:
    for _ in range(2):
        journal.log("m", np.timedelta64(5, "ns"))
        with pytest.raises(InvalidValueError, match="timedelta"):
            journal.log("m", np.timedelta64(5, "D"))
    assert read_journals(tmp_path).values("m") == [5, 5]


def test_nan_is_a_value(tmp_path: Path, journal: JournalWriter) -> None:
    journal.log("m", math.nan)
    assert repr(read_journals(tmp_path).values("m")) == "[nan]"


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ([1, 2], r"does not take a list: use run\.log_list"),
        ((1,), r"run\.log_list"),
        (range(3), r"run\.log_list"),
        ((x for x in "ab"), r"does not take a generator: use run\.log_list"),
        ({1}, r"run\.log_list"),
        ({"a": 1}, r"does not take a dict: use run\.log_row\(...\) or run\.log_table"),
        (np.arange(3), r"a ndarray that is not one value: use run\.log_list"),
        (ManyItems(), r"run\.log_list"),
        (object(), "an object <object"),
        (1j, "a complex 1j: give a float"),
        (b"bytes", "a bytes b'bytes'"),
        (np.datetime64("2026-01-01"), "a date "),
        ("x" * 10_001, r"10001 bytes: at most 10000 .* run\.upload_file"),
        (1 << 5000, "an integer of 5001 bits: at most 4096 .* as a text"),
        ("\ud800", "cannot be stored as UTF-8"),
    ],
)
def test_misuse_names_the_call_that_is_meant(
    tmp_path: Path, journal: JournalWriter, value: object, advice: str
) -> None:
    with pytest.raises(InvalidValueError, match=advice):
        journal.log("m", value)
    with pytest.raises(InvalidValueError):
        journal.log_values("m", [1, value])
    with pytest.raises(InvalidValueError):
        journal.log_metrics({"a": 1, "m": value})
    with pytest.raises(InvalidValueError):
        journal.log_row("m", {"a": 1, "b": value}, 0)
    assert read_journals(tmp_path).points == {}


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 256, 3, None, ["a"], ("scalar", "a", "")])
def test_a_bad_name_is_refused(tmp_path: Path, journal: JournalWriter, name: Any) -> None:
    journal.log("a", 1.0)
    with pytest.raises(InvalidValueError, match="metric name"):
        journal.log(name, 1.0)
    with pytest.raises(InvalidValueError, match="metric name"):
        journal.log_values(name, [1.0])
    assert len(read_journals(tmp_path).points) == 1


@pytest.mark.parametrize("step", [2, 2.0, np.int32(2), np.float32(2), np.array(2), Decimal(2)])
def test_any_whole_number_is_a_step(tmp_path: Path, journal: JournalWriter, step: Any) -> None:
    journal.log("m", 1.0, step=step)
    journal.log("n", 1, step=step)
    told = read_journals(tmp_path)
    assert told.points["m", "", "scalar"] == [(2, 1.0)]
    assert told.points["n", "", "scalar"] == [(2, 1)]


@pytest.mark.parametrize("step", [True, 1.5, "1", 2**63, -(2**63) - 1, math.nan, math.inf, [1]])
def test_what_is_no_whole_number_is_no_step(
    tmp_path: Path, journal: JournalWriter, step: Any
) -> None:
    for value in (1.0, 1, "text"):
        with pytest.raises(InvalidValueError, match="step of metric 'm'"):
            journal.log("m", value, step=step)
    assert read_journals(tmp_path).points == {}


@pytest.mark.parametrize(
    "values", [[1.0, 2.0], (1.0, 2.0), np.array([1.0, 2.0]), iter([1.0, 2.0]), (1.0, np.float32(2))]
)
def test_a_list_is_one_series_without_steps(
    tmp_path: Path, journal: JournalWriter, values: Iterable[object]
) -> None:
    journal.log_values("m", values)
    assert read_journals(tmp_path).points == {("m", "", "list"): [(None, 1.0), (None, 2.0)]}


@pytest.mark.parametrize("values", ["text", b"bytes", {"a": 1}, {1, 2}, 3, None, [[1], [2]]])
def test_what_is_no_list_of_values_is_refused(
    tmp_path: Path, journal: JournalWriter, values: Any
) -> None:
    with pytest.raises(InvalidValueError, match="metric 'm'"):
        journal.log_values("m", values)
    assert read_journals(tmp_path).points == {}


def test_an_empty_list_leaves_a_series(tmp_path: Path, journal: JournalWriter) -> None:
    journal.log_values("m", [])
    assert read_journals(tmp_path).points == {("m", "", "list"): []}


def test_a_row_is_one_point_a_column(tmp_path: Path, journal: JournalWriter) -> None:
    journal.log_row("t", {"x": 1, "y": "a"}, 0)
    journal.log_row("t", {"x": 2, "y": "b"}, 1)
    assert read_journals(tmp_path).points == {
        ("t", "x", "table"): [(0, 1), (1, 2)],
        ("t", "y", "table"): [(0, "a"), (1, "b")],
    }
    with pytest.raises(InvalidValueError, match="without columns"):
        journal.log_row("t", {}, 2)
    with pytest.raises(InvalidValueError, match=r"cannot contain a list: give column 'y' of table"):
        journal.log_row("t", {"x": 3, "y": [1, 2]}, 2)


def test_one_name_may_be_a_scalar_a_list_and_a_table(
    tmp_path: Path, journal: JournalWriter
) -> None:
    journal.log("m", 1)
    journal.log_values("m", [2])
    journal.log_row("m", {"m": 3}, 0)
    assert sorted(read_journals(tmp_path).points) == [
        ("m", "", "list"),
        ("m", "", "scalar"),
        ("m", "m", "table"),
    ]


def test_several_metrics_share_time_and_step(tmp_path: Path, journal: JournalWriter) -> None:
    journal.log_metrics({"a": 1, "b": 2.0}, step=5)
    told = read_journals(tmp_path)
    assert told.points == {("a", "", "scalar"): [(5, 1)], ("b", "", "scalar"): [(5, 2.0)]}


def test_no_file_before_the_first_point(tmp_path: Path, journal: JournalWriter) -> None:
    assert list(tmp_path.rglob("*.hwj")) == []
    assert journal.written == 0
    journal.sync()
    journal.log("m", 1)
    assert journal.written == 3 * 32  # a part and the name and the point


def test_written_counts_over_segments_and_stays_after_the_end(
    tmp_path: Path, journal: JournalWriter
) -> None:
    for value in range(1000):
        journal.log("m", value)
    assert journal.written == 1002 * 32
    journal.close()
    assert journal.written == 1002 * 32
    assert read_journals(tmp_path).values("m") == list(range(1000))


def test_closing_twice_is_closing(journal: JournalWriter) -> None:
    journal.log("m", 1)
    journal.close()
    journal.close()
    journal.sync()
    assert journal.writer_id == "w1"


def test_logging_after_the_end_begins_another_journal(
    tmp_path: Path, journal: JournalWriter
) -> None:
    journal.log("m", 1.0)
    journal.close()
    journal.log("m", 2.0)
    journal.log_values("l", [3])
    assert journal.writer_id != "w1"
    assert sorted(map(repr, read_journals(tmp_path).values("m"))) == ["1.0", "2.0"]


@pytest.mark.parametrize("value", [1.0, 1, "text", None])
def test_each_call_goes_on_after_the_end(
    tmp_path: Path, journal: JournalWriter, value: Scalar
) -> None:
    calls: list[Callable[[], None]] = [
        lambda: journal.log("m", value),
        lambda: journal.log("m", value, step=3),
        lambda: journal.log_values("l", [value]),
        lambda: journal.log_row("t", {"c": value}, 0),
        lambda: journal.define("d"),
        lambda: journal.define("d", "c", "table"),
    ]
    for call in calls:
        call()
        journal.close()
        call()
    told = read_journals(tmp_path)
    assert [len(points) for _, points in sorted(told.points.items())] == [0, 0, 2, 4, 2]
    assert told.lost == 0


def test_a_value_whose_number_is_none_is_refused(journal: JournalWriter) -> None:
    class Broken:
        def __float__(self) -> float:
            raise TypeError("not available")

        def item(self) -> object:
            return self

    unusable: list[Any] = [Broken(), Decimal("sNaN")]
    for bad in unusable:
        with pytest.raises(InvalidValueError, match="give a float"):
            journal.log("m", bad)
        with pytest.raises(InvalidValueError, match="step"):
            journal.log("m", 1.0, step=bad)


def test_more_names_than_ids_are_refused(
    tmp_path: Path, journal: JournalWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.metrics.journal.MAX_ID", 1)
    journal.log("a", 1)
    journal.log("b", 1)
    with pytest.raises(InvalidValueError, match="fewer distinct names"):
        journal.log("c", 1)
    journal.log("a", 2)
    assert read_journals(tmp_path).values("a") == [1, 2]


def test_threads_lose_nothing_and_double_nothing(tmp_path: Path, journal: JournalWriter) -> None:
    start = threading.Barrier(6)

    def hammer(number: int) -> None:
        start.wait()
        for i in range(1500):
            journal.log("m", float(number * 10_000 + i), step=i)
            if i % 50 == 0:
                journal.log(f"text {number}", f"{number} {i} " * 30)
                journal.log(f"new {number} {i}", i)

    threads = [threading.Thread(target=hammer, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        journal.sync()  # as the drain's thread does
    told = read_journals(tmp_path)
    assert told.lost == journal.lost == 0
    points = told.points["m", "", "scalar"]
    assert sorted(points) == sorted(
        (i, float(number * 10_000 + i)) for number in range(6) for i in range(1500)
    )
    for number in range(6):
        mine = [
            value for _, value in points if isinstance(value, float) and value // 10_000 == number
        ]
        assert mine == sorted(mine)
        assert told.values(f"text {number}") == [f"{number} {i} " * 30 for i in range(0, 1500, 50)]


def test_closing_under_fire_loses_nothing(tmp_path: Path, journal: JournalWriter) -> None:
    start = threading.Barrier(3)

    def hammer(number: int) -> None:
        start.wait()
        for i in range(600):
            journal.log("m", float(number * 1000 + i))
            journal.log("text", f"{number} {i} " * 10)

    threads = [threading.Thread(target=hammer, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    start.wait()
    for _ in range(20):
        journal.close()
    for thread in threads:
        thread.join()
    told = read_journals(tmp_path)
    assert sorted(map(str, told.values("m"))) == sorted(
        str(float(number * 1000 + i)) for number in range(2) for i in range(600)
    )
    assert len(told.values("text")) == 1200


_NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
_SCALARS = st.one_of(
    st.floats(allow_nan=False),
    st.integers(),
    st.integers(-(2**80), 2**80),
    st.booleans(),
    st.none(),
    st.text(max_size=100),
)
_STEPS = st.none() | st.integers(-(2**63), 2**63 - 1)


@given(
    st.lists(st.tuples(_NAMES, _SCALARS, _STEPS), max_size=60),
    st.integers(1, 40).map(lambda slots: slots * 32),
)
def test_what_is_logged_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    points: list[tuple[str, Scalar, int | None]],
    max_bytes: int,
) -> None:
    folder = tmp_path_factory.mktemp("journals")
    journal = open_journal(folder, clock=SetClock())
    expected = Told()
    for name, value, step in points:
        journal.log(name, value, step=step)
        expected.points.setdefault((name, "", "scalar"), []).append((step, value))
    alive = read_journals(folder, max_bytes)
    journal.close()
    assert repr(sorted(alive.points.items())) == repr(sorted(expected.points.items()))
    assert read_journals(folder, max_bytes) == expected
