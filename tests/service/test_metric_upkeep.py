"""How points are kept: in few rows, whole or not at all, whatever is damaged beside them."""

from pathlib import Path

import pytest
from tests.service.filling import SMALL, Fill, plain, read

from headway.errors import MetricNotFoundError, StorageCorruptError
from headway.hosting.layout import Layout
from headway.metrics import chunks
from headway.metrics.columns import decode_points
from headway.model import ChartQuery, JournalStretch, MetricQuery, PointQuery, Scalar
from headway.service.metrics import MetricService
from headway.store.sqlite import SqliteDatabase
from headway.testing.records import Logged, name_records, records
from headway.testing.store_contract import make_run


def rows(database: SqliteDatabase, statement: str) -> list[tuple[int, ...]]:
    with database.read() as tx:
        return tx.all(statement)


@pytest.mark.parametrize("pace", [1, 3, 8, 40, 100])
def test_chunks_stay_few_whatever_the_pace(
    database: SqliteDatabase, fill: Fill, tmp_path: Path, pace: int
) -> None:
    run_id = f"pace-{pace}"
    make_run(database, run_id)
    layout = Layout(tmp_path)
    layout.create()
    metrics = MetricService(database, layout, SMALL)
    offset = metrics.append(run_id, run_id, 0, name_records("x"))
    for begin in range(0, 600, pace):
        part = [(i, i, float(i)) for i in range(begin, min(600, begin + pace))]
        offset = metrics.append(run_id, run_id, offset, records(part))
    found = rows(
        database,
        "select c.position, c.count, c.weight, c.coarse is not null from point_chunks c "
        "join series s on s.id = c.series_id join runs r on r.rid = s.rid "
        f"where r.id = '{run_id}' order by c.position",
    )
    assert [position for position, *_ in found] == [
        sum(size for _, size, *_ in found[:i]) for i in range(len(found))
    ]
    assert all(size <= SMALL.largest for _, size, *_ in found)
    assert all(bool(sealed) == (weight >= 32) for *_, weight, sealed in found)
    assert len(found) <= 600 // 32 + 12
    assert read(metrics, run_id).steps.tolist() == list(range(600))


def test_long_texts_are_sealed_before_they_are_many(database: SqliteDatabase, fill: Fill) -> None:
    logged: list[Logged] = [(i, i, chr(65 + i % 26) * 3000) for i in range(20)]
    metrics, run_id = fill(SMALL, logged)
    assert [value for *_, value in plain(read(metrics, run_id))] == [v for *_, v in logged]


def test_a_damaged_chunk_names_its_metric_and_hides_no_other(
    database: SqliteDatabase, fill: Fill
) -> None:
    metrics, run_id = fill(SMALL, [(i, i, float(i)) for i in range(300)])
    other = metrics.append(run_id, f"{run_id}-y", 0, name_records("y") + records([(0, 0, 1.5)]))
    assert other
    for column in ("vals", "steps", "times", "fine", "coarse", "medium"):
        with database.write() as tx:
            tx.run(
                f"update point_chunks set {column} = x'11223344556677' where series_id in "
                "(select s.id from series s join runs r on r.rid = s.rid where r.id = :id)",
                {"id": run_id},
            )
        if column == "vals":
            with pytest.raises(StorageCorruptError, match=f"'x' of run {run_id}.*by its name"):
                metrics.read(MetricQuery(run_id))
        if column == "coarse":
            with pytest.raises(StorageCorruptError, match=f"'x' of run {run_id}"):
                metrics.chart(ChartQuery([run_id], ["x"], 3))
    with pytest.raises(StorageCorruptError, match=f"'x' of run {run_id}"):
        metrics.chart(ChartQuery([run_id], ["x"], 300))
    [series] = metrics.read(MetricQuery(run_id, name="y"))
    assert series.values == [1.5]


def test_points_are_taken_in_behind_a_damaged_chunk(database: SqliteDatabase, fill: Fill) -> None:
    metrics, run_id = fill(SMALL, [(i, i, float(i)) for i in range(10)])
    with database.write() as tx:
        tx.run(
            "update point_chunks set vals = x'00' where series_id in "
            "(select s.id from series s join runs r on r.rid = s.rid where r.id = :id)",
            {"id": run_id},
        )
    more = records([(i, i, float(i)) for i in range(10, 300)])
    offset = metrics.offset(run_id, run_id)
    assert metrics.append(run_id, run_id, offset, more) == offset + len(more)
    blocks = metrics.points(PointQuery(run_id, "x")).blocks
    assert sum(block.count for block in blocks) == 300
    with pytest.raises(StorageCorruptError):
        decode_points(blocks)
    assert decode_points(blocks[1:]).steps.tolist()[-200:] == list(range(100, 300))


def test_a_metric_that_is_not_there_is_told(fill: Fill) -> None:
    metrics, run_id = fill(SMALL, [(0, 0, 1.0)])
    with pytest.raises(MetricNotFoundError, match=f"run {run_id} has no metric 'nope'; 'headway"):
        metrics.points(PointQuery(run_id, "nope"))
    with pytest.raises(MetricNotFoundError, match="'x' with a column 'c'"):
        metrics.points(PointQuery(run_id, "x", "c"))


def test_stretches_of_several_journals_come_in_together_or_not_at_all(
    database: SqliteDatabase, fill: Fill
) -> None:
    metrics, run_id = fill(SMALL, [(0, 0, 1.0)])
    parts = [
        JournalStretch(
            run_id, f"{run_id}-{i}", 0, name_records(f"y{i}") + records([(0, 0, float(i))])
        )
        for i in range(5)
    ]
    ends = metrics.append_many(parts)
    assert ends == [len(part.records) for part in parts]
    assert metrics.append_many(parts) == ends
    more = [
        JournalStretch(run_id, f"{run_id}-{i}", ends[i], records([(1, 1, 9.0)])) for i in range(5)
    ]
    beyond = JournalStretch(run_id, f"{run_id}-0", 1 << 20, records([(1, 1, 9.0)]))
    with pytest.raises(ValueError, match="send what comes between first"):
        metrics.append_many([*more[1:], beyond])
    found = {s.summary.name: s.values for s in metrics.read(MetricQuery(run_id))}
    assert found == {"x": [1.0], **{f"y{i}": [float(i)] for i in range(5)}}


def test_names_of_a_journal_are_known_to_whoever_goes_on(
    database: SqliteDatabase, fill: Fill, tmp_path: Path
) -> None:
    metrics, run_id = fill(SMALL, [(0, 0, 1.0)])
    defined = b"".join(name_records(f"m{i}", i) for i in range(200))
    end = metrics.append(run_id, f"{run_id}-w", 0, defined)
    late = name_records("late", 200)
    end = metrics.append(run_id, f"{run_id}-w", end, late)
    layout = Layout(tmp_path)
    layout.create()
    other = MetricService(database, layout, SMALL)
    points = b"".join(records([(0, 0, float(i))], i) for i in range(201))
    other.append(run_id, f"{run_id}-w", end, points)
    found = {s.summary.name: s.values for s in other.read(MetricQuery(run_id))}
    assert found == {"x": [1.0], "late": [200.0], **{f"m{i}": [float(i)] for i in range(200)}}


def test_a_journal_belongs_to_one_run(database: SqliteDatabase, fill: Fill) -> None:
    metrics, run_id = fill(SMALL, [(0, 0, 1.0)])
    _, another = fill(SMALL, [(0, 0, 1.0)])
    with pytest.raises(ValueError, match="belongs to another run"):
        metrics.append(another, run_id, 0, name_records("x"))


def test_no_chunk_is_decoded_where_a_chart_has_units(
    fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics, run_id = fill(SMALL, [(i, i, float(i)) for i in range(1024)])
    decoded: list[int] = []
    original = chunks.decode

    def decode(data: bytes) -> object:
        values = original(data)
        decoded.append(len(values))
        return values

    monkeypatch.setattr(chunks, "decode", decode)
    metrics.chart(ChartQuery([run_id], ["x"], 4, 0, 1024))
    assert sum(decoded) < 200


def test_texts_cut_anywhere_are_whole_whoever_takes_them_in(
    database: SqliteDatabase, fill: Fill, tmp_path: Path
) -> None:
    _, run_id = fill(SMALL, [(0, 0, 1.0)])
    layout = Layout(tmp_path)
    layout.create()
    texts: list[Scalar] = [str(i) * 200 for i in range(6)]
    data = name_records("text") + records([(i, i, text) for i, text in enumerate(texts)])
    offset = 0
    for end in range(32 * 7, len(data) + 32 * 7, 32 * 7):
        metrics = MetricService(database, layout, SMALL)
        offset = metrics.append(run_id, f"{run_id}-t", offset, data[offset:end])
    [series] = MetricService(database, layout).read(MetricQuery(run_id, name="text"))
    assert series.values == texts
    kept = "select count(*), sum(length(names)) < 1000 from writer_names"
    assert rows(database, f"{kept} where writer_id = '{run_id}-t'") == [(1, 1)]
