"""Metrics of a workspace whose database is of schema 1."""

from pathlib import Path

import numpy as np
import pytest

from headway.hosting.layout import Layout
from headway.metrics import chunks
from headway.metrics.columns import decode_points, floats, integers
from headway.metrics.records import NameTable
from headway.metrics.slots import REFERENCE_BODY, Kind
from headway.model import ChartQuery, MetricQuery, PointQuery
from headway.service.metrics import MetricService
from headway.store import migrations
from headway.store.sqlite import SqliteDatabase
from headway.testing.records import name_records, records, slot
from headway.testing.store_contract import make_run

FULL = 8192
COUNT = 2 * FULL + 100


def write_schema_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run with one series of two full chunks and a third, and a journal that goes on."""
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        patch.setattr(migrations, "LATEST", 1)
        database = SqliteDatabase(path)
    make_run(database, "r")
    table = NameTable(
        {0: ("x", "", "scalar"), 1: ("text", "", "scalar")}, {0: b"half a text".ljust(24)}
    )
    with database.write() as tx:
        tx.run(
            "insert into series (rid, name, col, form, count, last_value, first_step, last_step) "
            "values (1, 'x', '', 'scalar', :count, x'c0', 0, :last)",
            {"count": COUNT, "last": COUNT - 1},
        )
        for sequence, begin in enumerate(range(0, COUNT, FULL)):
            steps = np.arange(begin, min(COUNT, begin + FULL))
            row: dict[str, int | bytes] = {
                "sequence": sequence,
                "count": len(steps),
                "vals": chunks.encode(steps.astype(np.float64) / 2),
                "steps": chunks.encode(steps),
                "times": chunks.encode(steps * 1_000_000),
            }
            tx.run(
                "insert into chunks (series_id, sequence, count, vals, steps, times) "
                "values (1, :sequence, :count, :vals, :steps, :times)",
                row,
            )
        tx.run(
            "insert into writers (writer_id, rid, taken, names) values ('w', 1, 640, :names)",
            {"names": table.to_bytes()},
        )
    database.close()


@pytest.fixture
def metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MetricService:
    path = tmp_path / "headway.db"
    write_schema_one(path, monkeypatch)
    layout = Layout(tmp_path)
    layout.create()
    return MetricService(SqliteDatabase(path), layout)


def test_every_point_is_read(metrics: MetricService) -> None:
    points = decode_points(metrics.points(PointQuery("r", "x")).blocks)
    assert points.steps.tolist() == list(range(COUNT))
    assert points.times.tolist() == [step * 1_000_000 for step in range(COUNT)]
    [series] = metrics.read(MetricQuery("r"))
    assert series.values == [step / 2 for step in range(COUNT)]


def test_a_chart_and_some_points_are_drawn(metrics: MetricService) -> None:
    chart = metrics.chart(ChartQuery(["r"], ["x"], 4))
    assert floats(chart.edges).tolist() == [COUNT * i // 4 for i in range(5)]
    assert integers(chart.series[0].count).sum() == COUNT
    assert np.nanmax(floats(chart.series[0].maximum)) == (COUNT - 1) / 2
    points = decode_points(metrics.points(PointQuery("r", "x", points=100, start=50)).blocks)
    assert (points.steps[0], points.steps[-1]) == (50, COUNT - 1)


def test_its_journals_go_on_where_they_were(metrics: MetricService) -> None:
    assert metrics.offset("r", "w") == 640
    more = records([(step, step, step / 2) for step in range(COUNT, COUNT + 60_000)])
    assert metrics.append("r", "w", 640, more) == 640 + len(more)
    points = decode_points(metrics.points(PointQuery("r", "x")).blocks)
    assert points.steps.tolist() == list(range(COUNT + 60_000))
    assert points.values[-1] == (COUNT + 59_999) / 2


def test_a_text_that_was_half_written_then_is_whole(metrics: MetricService) -> None:
    rest = slot(REFERENCE_BODY.pack(1 << 8 | Kind.TEXT, 5, 0, 11 << 24))
    late = name_records("late", 2) + records([(0, 5, 1.5)], 2)
    assert metrics.append("r", "w", 640, rest + late) == 640 + len(rest + late)
    found = {series.summary.name: series.values for series in metrics.read(MetricQuery("r"))}
    assert (found["text"], found["late"]) == (["half a text"], [1.5])
