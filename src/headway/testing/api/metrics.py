"""``api.metrics``."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headway.api import Api
from headway.errors import (
    InvalidValueError,
)
from headway.metrics.journal import JournalWriter
from headway.model import (
    MetricQuery,
)
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
