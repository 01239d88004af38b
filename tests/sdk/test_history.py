"""Points read back as arrays and as tables."""

import math
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars
import pytest

import headway
from headway import (
    Experiment,
    InvalidValueError,
    MissingPackageError,
    NotFoundError,
    Run,
    Workspace,
)
from headway.sdk.metrics.history import History, Point


@pytest.fixture
def run(experiment: Experiment) -> Run:
    """A run with a bit of everything."""
    with experiment.start_logging() as run:
        for step in range(0, 40, 10):
            run.log("loss", 1 / (1 + step), step=step)
        run.log("epoch", 1, step=10)
        run.log("epoch", 2, step=30)
        run.log("done", False)
        run.log("note", "begun")
        run.log("system/cpu_percent", 50.0)
        run.log_table("table", {"x": [1, 2], "y": [2.5, None]})
    return run


def test_a_history_has_steps_times_and_values_in_the_order_of_logging(
    experiment: Experiment,
) -> None:
    run = experiment.start_logging()
    before = datetime.now(UTC)
    for step in (5, 3, 5):
        run.log("loss", step / 2, step=step)
    history = run.history("loss")
    assert history.steps.tolist() == [5, 3, 5]
    assert history.values.tolist() == [2.5, 1.5, 2.5]
    assert (history.steps.dtype, history.values.dtype) == (np.int64, np.float64)
    assert history.times.dtype == np.dtype("datetime64[us]")
    assert all(abs(point.time - before) < timedelta(seconds=20) for point in history)
    assert (history.run_id, history.name, history.column) == (run.id, "loss", "")


def test_a_history_is_a_sequence_of_points(run: Run) -> None:
    history = run.history("loss")
    assert len(history) == 4
    assert [(point.step, point.value) for point in history] == [
        (step, 1 / (1 + step)) for step in range(0, 40, 10)
    ]
    assert isinstance(history[-1], Point)
    assert (history[-1].step, history[-1].value) == (30, 1 / 31)
    assert type(history[0].value) is float
    assert history[0].time.tzinfo is UTC
    part = history[1:3]
    assert isinstance(part, History)
    assert part.steps.tolist() == [10, 20]
    assert Point(99, history[0].time, 1.0) not in history
    with pytest.raises(IndexError):
        _ = history[4]


@pytest.mark.parametrize(
    ("logged", "dtype"),
    [
        ([1.5, math.nan, -math.inf], np.float64),
        ([1, 2**62], np.int64),
        ([True, False], np.bool_),
        (["a", "b\nc"], np.object_),
        ([1, 0.5, None, "x"], np.object_),
        ([10**30, 1], np.object_),
    ],
    ids=["floats", "integers", "truth values", "texts", "a mixture", "large integers"],
)
def test_values_keep_their_type(experiment: Experiment, logged: list[Any], dtype: type) -> None:
    run = experiment.start_logging()
    for value in logged:
        run.log("x", value)
    history = run.history("x")
    assert history.values.dtype == dtype
    np.testing.assert_equal(history.values.tolist(), logged)
    np.testing.assert_equal([point.value for point in history], logged)
    assert [type(point.value) for point in history] == [type(value) for value in logged]


def test_a_range_of_steps_begins_with_its_start_and_ends_before_its_end(run: Run) -> None:
    assert run.history("loss", start=10).steps.tolist() == [10, 20, 30]
    assert run.history("loss", start=10, end=30).steps.tolist() == [10, 20]
    assert run.history("loss", 0, 1).steps.tolist() == [0]
    assert len(run.history("loss", start=31)) == 0
    numpys: Any = np.int64(10)
    assert len(run.history("loss", start=numpys)) == 3


def test_fewer_points_are_points_that_were_logged(experiment: Experiment) -> None:
    run = experiment.start_logging()
    values = [math.sin(step / 50) for step in range(2000)]
    values[777] = 100.0
    run.log_list("x", values)
    history = run.history("x", points=50)
    assert 10 <= len(history) <= 50
    assert all(values[point.step] == point.value for point in history)
    assert {0, 777, 1999} <= set(history.steps.tolist())


def test_all_that_a_run_logged_itself_is_read_at_once(run: Run) -> None:
    histories = run.history()
    assert list(histories) == ["loss", "epoch", "done", "note", "table.x", "table.y"]
    assert histories["epoch"].values.tolist() == [1, 2]
    assert "system/cpu_percent" not in histories
    assert len(run.history("system/cpu_percent")) == 1
    assert list(run.history(["note", "loss", "note"])) == ["note", "loss"]
    assert [len(one) for one in run.history(["loss"], end=20).values()] == [2]


def test_a_run_without_metrics_has_no_histories(experiment: Experiment) -> None:
    assert dict(experiment.start_logging().history()) == {}


def test_a_column_of_a_table_is_read_by_its_name(run: Run) -> None:
    assert run.history("table", column="x").values.tolist() == [1, 2]
    assert list(run.history(["table"])) == ["table.x", "table.y"]
    with pytest.raises(InvalidValueError, match=r"give column=, one of 'x', 'y'; history\(\['tab"):
        run.history("table")
    with pytest.raises(NotFoundError, match="no column 'z': its columns are 'x', 'y'"):
        run.history("table", column="z")
    with pytest.raises(NotFoundError, match="no column 'z': it is no table"):
        run.history("loss", column="z")


def test_a_metric_that_is_not_there_is_an_error_that_names_those_that_are(run: Run) -> None:
    for name in ("los", ["loss", "los"]):
        with pytest.raises(NotFoundError, match="has no metric 'los'; it has: done, epoch, loss"):
            run.history(name)
        with pytest.raises(NotFoundError, match="has no metric 'los'"):
            run.chart(name)


def test_an_error_names_some_metrics_of_very_many(experiment: Experiment) -> None:
    run = experiment.start_logging()
    run.log_metrics({f"m{i:02}": i for i in range(50)})
    with pytest.raises(NotFoundError, match=r"it has: m00, .* m19 and 30 more$"):
        run.history("x")


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": "loss", "start": "3"},
        {"name": "loss", "end": 1.5},
        {"name": "loss", "points": 0},
        {"name": 5},
        {"name": [5]},
        {"name": ["loss"], "column": "x"},
        {"column": "x"},
    ],
    ids=str,
)
def test_what_is_no_range_or_name_is_refused(run: Run, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        run.history(**arguments)


def test_two_series_of_one_title_are_not_mixed_up(experiment: Experiment) -> None:
    run = experiment.start_logging()
    run.log("a.b", 1)
    run.log_row("a", b=2)
    with pytest.raises(InvalidValueError, match=r"'a\.b' is the name of a metric and of a column"):
        run.history()
    assert run.history("a.b").values.tolist() == [1]
    assert run.history("a", column="b").values.tolist() == [2]


def test_a_short_text_stands_for_a_history(run: Run) -> None:
    assert repr(run.history("loss")) == f"History('loss', 4 points, steps 0 to 30, last {1 / 31!r})"
    assert repr(run.history("done")) == "History('done', 1 point, steps 0 to 0, last False)"
    assert repr(run.history("loss", start=99)) == "History('loss', no points)"
    assert repr(run.history(["done", "note"])).splitlines() == [
        "Histories(2)",
        "  History('done', 1 point, steps 0 to 0, last False)",
        "  History('note', 1 point, steps 0 to 0, last 'begun')",
    ]


# ---------------------------------------------------------------- tables of other packages


def test_a_history_becomes_a_table(run: Run) -> None:
    history = run.history("loss")
    frame: Any = history.to_pandas()
    assert list(frame.columns) == ["step", "time", "value"]
    assert [str(dtype) for dtype in frame.dtypes] == ["int64", "datetime64[us, UTC]", "float64"]
    assert frame["value"].tolist() == history.values.tolist()
    assert history.to_polars().rows() == [
        (point.step, point.time, point.value) for point in history
    ]
    table = history.to_arrow()
    assert [str(field.type) for field in table.schema] == [
        "int64",
        "timestamp[us, tz=UTC]",
        "double",
    ]
    assert table.column("value").to_pylist() == history.values.tolist()


def test_series_stand_side_by_side_by_step(run: Run) -> None:
    histories = run.history(["loss", "epoch", "done", "note"])
    steps = [0, 10, 20, 30]
    columns = {
        "step": steps,
        "loss": [1 / (1 + step) for step in steps],
        "epoch": [None, 1, None, 2],
        "done": [False, None, None, None],
        "note": ["begun", None, None, None],
    }
    assert histories.to_polars().to_dict(as_series=False) == columns
    assert histories.to_arrow().to_pydict() == columns
    frame: Any = histories.to_pandas()
    assert {title: str(dtype) for title, dtype in frame.dtypes.items()} == {
        "step": "int64",
        "loss": "float64",
        "epoch": "Int64",
        "done": "boolean",
        "note": "object",
    }
    assert frame["epoch"].dropna().tolist() == [1, 2]


def test_repeated_steps_have_a_row_each(experiment: Experiment) -> None:
    run = experiment.start_logging()
    for step, value in ((0, 1.0), (1, 2.0), (0, 3.0)):
        run.log("loss", value, step=step)
    run.log("note", "x", step=0)
    assert run.history().to_polars().rows() == [(0, 1.0, "x"), (0, 3.0, None), (1, 2.0, None)]


@pytest.mark.parametrize(
    ("logged", "pandas", "column"),
    [
        ([1, None], "Int64", [1, None]),
        ([True, None], "boolean", [True, None]),
        ([0.5, None], "float64", [0.5, None]),
        ([1, 0.5, None], "float64", [1.0, 0.5, None]),
        ([1, "x", None, 0.5], "object", ["1", "x", None, "0.5"]),
        ([True, 2], "object", ["True", "2"]),
        ([10**30, 1], "object", [1e30, 1.0]),
        ([-(10**400), 1], "object", [-math.inf, 1.0]),
        ([None, None], "object", [None, None]),
    ],
    ids=str,
)
def test_a_mixture_becomes_a_column_of_one_type(
    experiment: Experiment, logged: list[Any], pandas: str, column: list[Any]
) -> None:
    run = experiment.start_logging()
    run.log_list("x", logged)
    history = run.history("x")
    frame: Any = history.to_pandas()
    assert str(frame["value"].dtype) == pandas
    assert history.to_polars()["value"].to_list() == column
    assert history.to_arrow().column("value").to_pylist() == column


def test_nan_and_a_hole_are_told_apart_where_the_package_can(experiment: Experiment) -> None:
    run = experiment.start_logging()
    run.log("a", math.nan, step=0)
    run.log("b", 1.0, step=1)
    column = run.history().to_polars()["a"]
    assert isinstance(column, polars.Series)
    np.testing.assert_equal(column.to_list(), [math.nan, None])
    np.testing.assert_equal(run.history().to_arrow().column("a").to_pylist(), [math.nan, None])


@pytest.mark.parametrize("package", ["pandas", "polars", "pyarrow"])
def test_a_package_that_is_not_there_is_named(
    run: Run, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    method = {"pandas": "to_pandas", "polars": "to_polars", "pyarrow": "to_arrow"}[package]
    for read in (run.history("loss"), run.history()):
        with pytest.raises(MissingPackageError, match=f"`pip install {package}`"):
            getattr(read, method)()


# ---------------------------------------------------------------- charts


def test_series_of_several_runs_have_the_same_buckets(experiment: Experiment) -> None:
    runs = [experiment.start_logging() for _ in range(2)]
    for step in range(10):
        runs[0].log("loss", float(step), step=step)
        runs[1].log("loss", -float(step), step=2 * step)
    runs[1].log("note", "x")
    chart = headway.chart(runs, "loss", buckets=2)
    assert chart.edges.tolist() == [0, 9, 19]
    first, second = chart.series
    assert (first.run_id, second.run_id) == (runs[0].id, runs[1].id)
    assert (first.title, first.column) == ("loss", "")
    assert first.count.tolist() == [9, 1]
    assert second.count.tolist() == [5, 5]
    assert first.minimum.tolist() == [0, 9]
    assert first.maximum.tolist() == [8, 9]
    assert second.mean.tolist() == [-2, -7]
    assert second.last.tolist() == [-4, -9]
    assert "2 buckets, 2 series" in repr(chart)
    assert repr(first) == f"ChartSeries('loss' of run {runs[0].id!r}, 10 points)"


def test_a_chart_of_one_run_shows_what_it_logged_itself(run: Run) -> None:
    chart = run.chart()
    assert {one.title for one in chart.series} >= {"loss", "epoch", "table.x", "table.y"}
    assert "system/cpu_percent" not in {one.title for one in chart.series}
    assert [one.title for one in run.chart(["epoch", "loss", "epoch"]).series] == ["epoch", "loss"]


def test_a_chart_may_be_of_times(run: Run) -> None:
    history = run.history("loss")
    chart = run.chart("loss", axis="time", buckets=3)
    assert chart.edges.dtype == np.dtype("datetime64[us]")
    assert chart.edges[0] == history.times[0]
    assert chart.edges[-1] > history.times[-1]
    assert chart.series[0].count.sum() == 4


def test_a_chart_of_a_part(run: Run) -> None:
    chart = run.chart("loss", start=10, end=30, buckets=2)
    assert chart.edges.tolist() == [10, 20, 30]
    assert chart.series[0].count.tolist() == [1, 1]
    assert headway.chart(run, "loss", start=10, end=30, buckets=2).edges.tolist() == [10, 20, 30]


def test_a_chart_of_nothing_is_empty(experiment: Experiment) -> None:
    chart = experiment.start_logging().chart()
    assert (len(chart.edges), chart.series) == (0, [])
    assert repr(chart) == "Chart(0 buckets, 0 series)"


@pytest.mark.parametrize(
    "arguments",
    [{"buckets": 0}, {"buckets": "x"}, {"axis": "steps"}, {"names": 5}, {"others": [5]}],
    ids=str,
)
def test_what_is_no_chart_is_refused(run: Run, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        run.chart(**arguments)


def test_a_chart_needs_runs_of_one_workspace(run: Run, tmp_path: Any) -> None:
    with pytest.raises(InvalidValueError, match="at least one run"):
        headway.chart([])
    elsewhere = Workspace.create("other", location=str(tmp_path / "elsewhere"))
    other = Experiment(elsewhere, "e").start_logging()
    with pytest.raises(InvalidValueError, match="give runs of one workspace"):
        headway.chart([run, other])
