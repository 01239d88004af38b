"""``api.metrics``."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headway.api import Api
from headway.errors import InvalidValueError, MetricNotFoundError, RunNotFoundError
from headway.metrics.columns import decode_points, floats, integers, listed
from headway.metrics.journal import JournalWriter
from headway.model import ChartQuery, JournalStretch, MetricQuery, PointQuery
from headway.testing.api.requests import journal_bytes, log, new_run


class MetricContract:
    """``api.metrics``."""

    def test_what_was_logged_is_read(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])

        def write(writer: JournalWriter) -> None:
            for i in range(3):
                writer.log("loss", i / 2, step=i * 10)
            writer.log("message", "Hello")
            writer.log_values("empty", [])
            writer.log_values("mixed", [1, 2.5, "x", None, True, 1 << 70])
            writer.log_row("table", {"a": 1, "b": "y"}, 0)

        log(api, run.id, write)
        found = {
            (s.summary.name, s.summary.column): s for s in api.metrics.read(MetricQuery(run.id))
        }
        assert {key: series.values for key, series in found.items()} == {
            ("loss", ""): [0.0, 0.5, 1.0],
            ("message", ""): ["Hello"],
            ("empty", ""): [],
            ("mixed", ""): [1, 2.5, "x", None, True, 1 << 70],
            ("table", "a"): [1],
            ("table", "b"): ["y"],
        }
        loss = found["loss", ""].summary
        assert (loss.count, loss.last, loss.first_step, loss.last_step) == (3, 1.0, 0, 20)
        assert (loss.minimum, loss.maximum) == (0.0, 1.0)
        assert api.metrics.summarize(MetricQuery(run.id, name="loss")) == [loss]

    def test_a_name_logged_in_two_forms_keeps_every_point(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])

        def write(writer: JournalWriter) -> None:
            writer.log("loss", 0.5)
            writer.log_values("loss", [1])
            writer.log("loss", 0.25)
            writer.define("new", form="list")
            writer.log("new", 3)

        log(api, run.id, write)
        found = {s.summary.name: s for s in api.metrics.read(MetricQuery(run.id))}
        assert sorted(map(str, found["loss"].values)) == ["0.25", "0.5", "1"]
        assert found["loss"].summary.count == 3
        assert found["loss"].summary.form == "list"
        assert found["new"].values == [3]

    def test_a_stretch_sent_again_adds_nothing(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        data = journal_bytes(tmp_path, run.id, range(10))
        middle = len(data) // 64 * 32
        first = api.metrics.append(run.id, "w", 0, data[:middle])
        assert first == api.metrics.offset(run.id, "w") == middle
        assert api.metrics.append(run.id, "w", 0, data[:middle]) == middle
        assert api.metrics.append(run.id, "w", 0, data) == len(data)
        with pytest.raises(InvalidValueError, match="between"):
            api.metrics.append(run.id, "w", len(data) + 32, data)
        [series] = api.metrics.read(MetricQuery(run.id))
        assert series.values == list(range(10))

    def test_many_who_send_the_same_stretch_add_it_once(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        data = journal_bytes(tmp_path, run.id, range(100))
        with ThreadPoolExecutor(8) as pool:
            sent = [pool.submit(api.metrics.append, run.id, "w", 0, data) for _ in range(8)]
            ends = [one.result() for one in sent]
        assert set(ends) == {len(data)}
        assert api.metrics.summarize(MetricQuery(run.id))[0].count == 100

    def test_many_writers_add_to_one_series(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        parts = [journal_bytes(tmp_path / str(i), run.id, range(50)) for i in range(6)]

        def send(i: int) -> int:
            return api.metrics.append(run.id, f"w{i}", 0, parts[i])

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(send, range(6)))
        [series] = api.metrics.read(MetricQuery(run.id))
        assert sorted(map(str, series.values)) == sorted(
            str(i) for i in range(50) for _ in range(6)
        )
        assert series.summary.count == 300

    def test_a_long_series_comes_back_whole(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        data = journal_bytes(tmp_path, run.id, range(20_000))
        offset = 0
        while offset < len(data):
            end = min(len(data), offset + 32 * 3_001)
            offset = api.metrics.append(run.id, "w", offset, data[offset:end])
        [series] = api.metrics.read(MetricQuery(run.id))
        assert series.values == list(range(20_000))
        assert (series.summary.first_step, series.summary.last_step) == (0, 19_999)

    def test_metrics_of_a_tree_are_read_together(self, api: Api, experiment_id: str) -> None:
        [root] = api.runs.create([new_run(experiment_id)])
        [child] = api.runs.create([new_run(experiment_id, parent_id=root.id, type="t")])
        [leaf] = api.runs.create([new_run(experiment_id, parent_id=child.id)])
        for run in (root, child, leaf):
            log(api, run.id, lambda writer: writer.log("x", 1))
        query = MetricQuery(child.id, recursive=True)
        assert [s.summary.run_id for s in api.metrics.read(query)] == [child.id, leaf.id]
        query = MetricQuery(root.id, recursive=True, run_type="t")
        assert [s.summary.run_id for s in api.metrics.read(query)] == [child.id]

    @pytest.mark.parametrize("skip", [1, 8_191, 8_192, 15_000, 19_999, 20_000, 30_000])
    def test_a_follower_reads_on_where_it_was(
        self, api: Api, experiment_id: str, tmp_path: Path, skip: int
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        api.metrics.append(run.id, "w", 0, journal_bytes(tmp_path, run.id, range(20_000)))
        [summary] = api.metrics.summarize(MetricQuery(run.id))
        found = api.metrics.points(PointQuery(run.id, summary.name, skip=skip))
        assert found.skipped <= min(skip, 20_000)
        values = decode_points(found.blocks).values
        assert list(values) == list(range(found.skipped, 20_000))

    def test_stretches_of_several_runs_are_taken_in_together(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        runs = api.runs.create([new_run(experiment_id) for _ in range(3)])
        stretches = [
            JournalStretch(run.id, run.id, 0, journal_bytes(tmp_path, run.id, range(10)))
            for run in runs
        ]
        ends = api.metrics.append_many(stretches)
        assert ends == [len(one.records) for one in stretches]
        assert ends == [api.metrics.offset(run.id, run.id) for run in runs]
        assert api.metrics.append_many(stretches) == ends
        assert api.metrics.append_many([]) == []
        absent = JournalStretch("absent", "w", 0, stretches[0].records)
        more = JournalStretch(runs[0].id, "other", 0, stretches[0].records)
        with pytest.raises(RunNotFoundError):
            api.metrics.append_many([more, absent])
        assert api.metrics.offset(runs[0].id, "other") == 0

    def test_points_come_with_their_steps_and_times(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])

        def write(writer: JournalWriter) -> None:
            for i in range(500):
                writer.log("loss", i / 2, step=i * 10)
            writer.log("loss", "text")
            writer.log_row("table", {"a": 1}, 7)

        log(api, run.id, write)
        found = api.metrics.points(PointQuery(run.id, "loss"))
        assert found.summary == api.metrics.summarize(MetricQuery(run.id, name="loss"))[0]
        points = decode_points(found.blocks)
        assert points.steps.tolist() == [*range(0, 5000, 10), 500]
        assert list(points.values) == [*(i / 2 for i in range(500)), "text"]
        assert (points.times[1:] >= points.times[:-1]).all()
        part = api.metrics.points(PointQuery(run.id, "loss", start=1000, end=1050))
        points = decode_points(part.blocks, 1000, 1050)
        assert points.steps.tolist() == [1000, 1010, 1020, 1030, 1040]
        cell = decode_points(api.metrics.points(PointQuery(run.id, "table", "a")).blocks)
        assert (cell.steps.tolist(), list(cell.values)) == ([7], [1])

    def test_some_points_of_many_keep_ends_and_spikes(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])

        def write(writer: JournalWriter) -> None:
            for i in range(5000):
                writer.log("loss", i % 7 + (100 if i == 1234 else 0))

        log(api, run.id, write)
        points = decode_points(api.metrics.points(PointQuery(run.id, "loss", points=50)).blocks)
        assert 10 <= len(points) <= 50
        assert (points.steps[0], points.steps[-1]) == (0, 4999)
        assert 1234 in points.steps
        assert all(isinstance(value, int) for value in listed(points.values))
        with pytest.raises(InvalidValueError, match="at least one"):
            api.metrics.points(PointQuery(run.id, "loss", points=0))

    def test_points_of_what_is_not_there(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        with pytest.raises(MetricNotFoundError, match="has no metric 'loss'"):
            api.metrics.points(PointQuery(run.id, "loss"))
        with pytest.raises(RunNotFoundError):
            api.metrics.points(PointQuery("absent", "loss"))
        with pytest.raises(RunNotFoundError):
            api.metrics.chart(ChartQuery(["absent"], ["loss"]))
        log(api, run.id, lambda writer: writer.define("empty"))
        assert len(decode_points(api.metrics.points(PointQuery(run.id, "empty")).blocks)) == 0

    def test_a_chart_has_the_same_buckets_for_all_series(
        self, api: Api, experiment_id: str
    ) -> None:
        runs = api.runs.create([new_run(experiment_id), new_run(experiment_id)])

        def write(writer: JournalWriter) -> None:
            for i in range(1000):
                writer.log("loss", float(i), step=i)
            writer.log("accuracy", float("nan"), step=10)
            writer.log("accuracy", float("inf"), step=20)
            writer.log("accuracy", 0.5, step=30)
            writer.log("accuracy", "text", step=40)

        log(api, runs[0].id, write)
        log(api, runs[1].id, lambda writer: writer.log("loss", 5, step=1999))
        query = ChartQuery([run.id for run in runs], ["accuracy", "loss", "absent"], buckets=20)
        chart = api.metrics.chart(query)
        assert floats(chart.edges).tolist() == list(range(0, 2001, 100))
        assert [(one.run_id, one.name) for one in chart.series] == [
            (runs[0].id, "accuracy"),
            (runs[0].id, "loss"),
            (runs[1].id, "loss"),
        ]
        accuracy, loss, other = chart.series
        assert integers(accuracy.count).tolist() == [3] + [0] * 19
        assert integers(accuracy.not_finite).tolist() == [2] + [0] * 19
        assert floats(accuracy.minimum)[0] == floats(accuracy.mean)[0] == 0.5
        assert floats(accuracy.maximum)[0] == float("inf")
        assert floats(accuracy.last)[0] == 0.5
        assert integers(loss.count).tolist() == [100] * 10 + [0] * 10
        assert floats(loss.mean).tolist()[:10] == [49.5 + 100 * i for i in range(10)]
        assert floats(loss.last).tolist()[:10] == [99.0 + 100 * i for i in range(10)]
        assert floats(other.minimum)[19] == 5
        zoomed = api.metrics.chart(ChartQuery([runs[0].id], ["loss"], 4, 100, 102))
        assert floats(zoomed.edges).tolist() == [100, 101, 102]
        assert floats(zoomed.series[0].last).tolist() == [100, 101]

    def test_a_chart_of_nothing(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        for query in (ChartQuery([], []), ChartQuery([run.id], ["x"]), ChartQuery([run.id], [])):
            chart = api.metrics.chart(query)
            assert (len(floats(chart.edges)), chart.series) == (0, [])
        with pytest.raises(InvalidValueError, match="0 buckets"):
            api.metrics.chart(ChartQuery([run.id], ["x"], buckets=0))
