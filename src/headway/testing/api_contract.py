"""What every workspace must do, whoever does it.

Subclass ``ApiContract`` and give it an ``api`` fixture that yields an empty workspace.
"""

import io
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headway.api import Api, pages
from headway.errors import (
    ConflictError,
    ExperimentNotFoundError,
    FilterError,
    InvalidValueError,
    PropertyConflictError,
    RunExistsError,
    RunFileExistsError,
    RunFileNotFoundError,
    RunNotFoundError,
    RunStateError,
    StorageError,
    SubmissionError,
)
from headway.metrics.drain import journals_of, read
from headway.metrics.journal import JournalWriter
from headway.model import (
    CancelOutcome,
    ExperimentChange,
    MetricQuery,
    NewRun,
    Run,
    RunChange,
    RunError,
    RunQuery,
    Status,
    Submission,
)

LOG = "user_logs/std_log.txt"
PATIENCE_S = 10.0


class ApiContract:
    """The contract in ``headway.api``, verb by verb."""

    @pytest.fixture
    def api(self) -> Iterator[Api]:
        """An empty workspace."""
        raise NotImplementedError("give a fixture 'api' that yields an empty workspace")

    @pytest.fixture
    def experiment_id(self, api: Api) -> str:
        return api.experiments.ensure("explore").id

    # ------------------------------------------------------------ experiments

    def test_an_experiment_is_made_once(self, api: Api) -> None:
        with ThreadPoolExecutor(8) as pool:
            ids = {e.id for e in pool.map(api.experiments.ensure, ["same"] * 8)}
        assert len(ids) == 1
        assert [e.name for e in api.experiments.list()] == ["same"]

    @pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00b", "\ud800", "x" * 256, 7, None])
    def test_a_bad_experiment_name_is_refused(self, api: Api, name: str) -> None:
        with pytest.raises(InvalidValueError, match="experiment name"):
            api.experiments.ensure(name)
        assert api.experiments.list(archived=None) == []

    @pytest.mark.parametrize(
        "name", ["ünïcode", "実験 1", "with space", "a/b", "🚀", "-", "x" * 255]
    )
    def test_any_printable_name_is_accepted(self, api: Api, name: str) -> None:
        assert api.experiments.get(api.experiments.ensure(name).id).name == name

    def test_an_archived_experiment_gives_its_name_free(self, api: Api) -> None:
        old = api.experiments.ensure("x")
        api.experiments.change(old.id, ExperimentChange(archived=True))
        new = api.experiments.ensure("x")
        assert new.id != old.id
        assert [e.id for e in api.experiments.list(archived=True)] == [old.id]
        with pytest.raises(ConflictError, match="reactivated"):
            api.experiments.change(old.id, ExperimentChange(archived=False))

    def test_experiment_tags_are_set_and_removed(self, api: Api) -> None:
        made = api.experiments.ensure("x")
        api.experiments.change(made.id, ExperimentChange(set_tags={"a": "1", "b": None}))
        changed = api.experiments.change(
            made.id, ExperimentChange(set_tags={"c": "3"}, remove_tags=["a", "absent"])
        )
        assert changed.tags == {"b": None, "c": "3"}
        assert api.experiments.get(made.id) == changed

    def test_an_absent_experiment_is_an_error(self, api: Api) -> None:
        with pytest.raises(ExperimentNotFoundError, match="nope"):
            api.experiments.get("nope")

    # ------------------------------------------------------------ runs

    def test_runs_are_numbered_in_the_order_made(self, api: Api, experiment_id: str) -> None:
        made = api.runs.create([new_run(experiment_id) for _ in range(3)])
        assert [run.number for run in made] == [1, 2, 3]
        assert all(run.status is Status.NOT_STARTED for run in made)

    def test_a_repeated_request_makes_one_run(self, api: Api, experiment_id: str) -> None:
        request = new_run(experiment_id, tags={"a": "1"})
        [first] = api.runs.create([request])
        api.runs.change(first.id, RunChange(set_tags={"a": "2"}))
        [second] = api.runs.create([request])
        assert second.id == first.id
        assert second.tags == {"a": "2"}
        assert len(api.runs.list(RunQuery()).runs) == 1

    def test_another_request_with_the_same_id_is_refused(
        self, api: Api, experiment_id: str
    ) -> None:
        request = new_run(experiment_id)
        api.runs.create([request])
        other = NewRun(id=request.id, experiment_id=experiment_id, name="another")
        with pytest.raises(RunExistsError, match=request.id):
            api.runs.create([new_run(experiment_id), other])
        assert len(api.runs.list(RunQuery()).runs) == 1

    @pytest.mark.parametrize(
        "run_id", ["", "../up", "a/b", ".hidden", "x" * 201, "a b", "ä", "a\n"]
    )
    def test_a_bad_run_id_is_refused(self, api: Api, experiment_id: str, run_id: str) -> None:
        with pytest.raises(InvalidValueError, match="run id"):
            api.runs.create([NewRun(id=run_id, experiment_id=experiment_id)])

    def test_a_run_below_an_absent_run_is_refused(self, api: Api, experiment_id: str) -> None:
        with pytest.raises(RunNotFoundError, match="nobody"):
            api.runs.create([new_run(experiment_id, parent_id="nobody")])

    def test_the_timeline_says_who_when_and_why(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        api.runs.end(run.id, Status.COMPLETED, reason="all done")
        events = api.runs.events(run.id)
        assert [event.status for event in events] == [
            Status.NOT_STARTED,
            Status.RUNNING,
            Status.COMPLETED,
        ]
        assert events[-1].reason == "all done"
        assert all(event.actor for event in events)
        assert [event.at for event in events] == sorted(event.at for event in events)

    def test_an_ended_run_stays_as_it_is(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        failed = api.runs.end(run.id, Status.FAILED, error=RunError(code="X", message="why"))
        assert failed.error == RunError(code="X", message="why")
        assert api.runs.end(run.id, Status.FAILED) == failed
        with pytest.raises(RunStateError, match="has ended"):
            api.runs.end(run.id, Status.COMPLETED)

    def test_a_completed_run_may_be_judged_failed(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        completed = api.runs.end(run.id, Status.COMPLETED)
        failed = api.runs.end(run.id, Status.FAILED, reason="the data was wrong")
        assert failed.status is Status.FAILED
        assert failed.ended_at == completed.ended_at
        assert api.runs.events(run.id)[-1].reason == "the data was wrong"

    def test_a_run_cannot_be_ended_as_something_that_is_no_end(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        with pytest.raises(InvalidValueError, match="Completed, Failed or Canceled"):
            api.runs.end(run.id, Status.QUEUED)

    def test_cancel_after_the_end_is_a_no_op_that_says_so(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        completed = api.runs.end(run.id, Status.COMPLETED)
        assert api.runs.cancel(run.id) is CancelOutcome.ALREADY_ENDED
        assert api.runs.get(run.id) == completed

    def test_one_of_many_who_end_a_run_wins(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id, started=True)])
        together = threading.Barrier(6)

        def end(status: Status) -> bool:
            together.wait()
            try:
                return api.runs.end(run.id, status).status is status
            except RunStateError:
                return False

        wanted = [Status.CANCELED, Status.FAILED] * 3
        with ThreadPoolExecutor(6) as pool:
            won = {s for s, ok in zip(wanted, pool.map(end, wanted), strict=True) if ok}
        assert won == {api.runs.get(run.id).status}

    def test_an_absent_run_is_an_error_for_every_verb(self, api: Api) -> None:
        verbs: list[Callable[[], object]] = [
            lambda: api.runs.get("nope"),
            lambda: api.runs.change("nope", RunChange(name="x")),
            lambda: api.runs.end("nope", Status.FAILED),
            lambda: api.runs.cancel("nope"),
            lambda: api.runs.events("nope"),
            lambda: api.runs.watch("nope", log=LOG, offset=0, timeout_s=0),
            lambda: api.metrics.offset("nope", "w"),
            lambda: api.metrics.append("nope", "w", 0, b""),
            lambda: api.metrics.read(MetricQuery("nope")),
            lambda: api.metrics.summarize(MetricQuery("nope")),
            lambda: api.files.list("nope"),
            lambda: api.files.open("nope", "a"),
            lambda: api.files.put("nope", "a", io.BytesIO(b"")),
        ]
        for verb in verbs:
            with pytest.raises(RunNotFoundError, match="nope"):
                verb()

    # ------------------------------------------------------------ tags and properties

    def test_tags_change_and_properties_do_not(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        api.runs.change(run.id, RunChange(set_tags={"a": "1"}, add_properties={"p": "1"}))
        api.runs.change(run.id, RunChange(set_tags={"a": None}, add_properties={"p": "1"}))
        with pytest.raises(PropertyConflictError, match=r"'p'.*'1'.*cannot be changed"):
            api.runs.change(run.id, RunChange(set_tags={"z": "1"}, add_properties={"p": "2"}))
        found = api.runs.get(run.id)
        assert (found.tags, found.properties) == ({"a": None}, {"p": "1"})

    @pytest.mark.parametrize(
        "change",
        [
            RunChange(set_tags={"": "x"}),
            RunChange(set_tags={"a\tb": "x"}),
            RunChange(set_tags={"a": "x\ny"}),
            RunChange(add_properties={"\ud800": "x"}),
            RunChange(add_properties={"a" * 251: "x"}),
            RunChange(set_tags={"a": "x" * 8001}),
            RunChange(name=""),
            RunChange(description="\0"),
        ],
        ids=lambda change: repr(change)[:60],
    )
    def test_a_bad_change_changes_nothing(
        self, api: Api, experiment_id: str, change: RunChange
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        with pytest.raises(InvalidValueError):
            api.runs.change(run.id, change)
        assert api.runs.get(run.id) == run

    def test_name_and_description_change(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        api.runs.change(run.id, RunChange(name="best", description="two\nlines"))
        changed = api.runs.change(run.id, RunChange(description=None))
        assert (changed.name, changed.description) == ("best", None)

    # ------------------------------------------------------------ listing

    def test_runs_come_newest_first_and_without_children(
        self, api: Api, experiment_id: str
    ) -> None:
        first, second = api.runs.create([new_run(experiment_id), new_run(experiment_id)])
        children = [new_run(experiment_id, parent_id=first.id) for _ in range(2)]
        below = api.runs.create(children)
        [leaf] = api.runs.create([new_run(experiment_id, parent_id=below[0].id)])
        assert ids(api, RunQuery()) == [second.id, first.id]
        assert ids(api, RunQuery(parent_id=first.id)) == [below[1].id, below[0].id]
        assert ids(api, RunQuery(ancestor_id=first.id)) == [leaf.id, below[1].id, below[0].id]
        assert len(ids(api, RunQuery(include_children=True))) == 5
        assert leaf.root_id == first.id

    @pytest.mark.parametrize(
        "order", ["created desc", "created", "name", "tags.t desc", "duration"]
    )
    def test_pages_cover_every_run_once_in_any_order(
        self, api: Api, experiment_id: str, order: str
    ) -> None:
        api.runs.create(
            [
                new_run(experiment_id, name="ab"[i % 2], tags={"t": str(i % 3)} if i % 4 else {})
                for i in range(11)
            ]
        )
        whole = ids(api, RunQuery(order_by=order, limit=100))
        cut = [
            run.id
            for page in pages(api.runs, RunQuery(order_by=order, limit=3))
            for run in page.runs
        ]
        assert cut == whole
        assert len(set(whole)) == 11

    def test_a_filter_finds_what_it_says(self, api: Api, experiment_id: str) -> None:
        good, bad = api.runs.create(
            [
                new_run(experiment_id, tags={"quality": "good", "none": None}, started=True),
                new_run(experiment_id, tags={"quality": "bad"}, properties={"author": "me"}),
            ]
        )
        log(api, good.id, lambda writer: writer.log("loss", 0.25))
        log(api, bad.id, lambda writer: writer.log("loss", float("nan")))
        expected = {
            "tags.quality = 'good'": [good.id],
            "not tags.quality = 'good'": [bad.id],
            "tags.quality like 'b%' or metrics.loss < 0.3": [bad.id, good.id],
            "metrics.loss < 0.3 and status = 'Running'": [good.id],
            "metrics.loss >= 0": [good.id],
            "metrics.loss = nan": [bad.id],
            "metrics.other is null": [bad.id, good.id],
            "tags.none is null": [bad.id, good.id],
            "count(metrics.loss) = 1 and min(metrics.loss) > 0.2": [good.id],
            "properties.author in ('me', 'you')": [bad.id],
            "number > 1": [bad.id],
            "created > '1 hour ago'": [bad.id, good.id],
            "ended is not null": [],
            "experiment = 'explore' and parent is null": [bad.id, good.id],
        }
        assert {text: ids(api, RunQuery(filter=text)) for text in expected} == expected
        assert ids(api, RunQuery(order_by="metrics.loss")) == [good.id, bad.id]

    def test_conditions_hold_together(self, api: Api, experiment_id: str) -> None:
        other = api.experiments.ensure("other").id
        one, _, _ = api.runs.create(
            [
                new_run(experiment_id, tags={"a": "1"}, type="t", started=True),
                new_run(experiment_id, tags={"a": "1"}),
                new_run(other, tags={"a": "1"}, type="t", started=True),
            ]
        )
        query = RunQuery(
            experiment_id=experiment_id,
            tags={"a": "1"},
            type="t",
            statuses=[Status.RUNNING],
            since=one.created_at,
        )
        assert ids(api, query) == [one.id]

    @pytest.mark.parametrize(
        "query",
        [
            RunQuery(filter="nonsense ="),
            RunQuery(filter="tags.a = 'x'; drop table runs"),
            RunQuery(order_by="created; drop table runs"),
            RunQuery(cursor="not a cursor"),
            RunQuery(limit=0),
        ],
        ids=repr,
    )
    def test_a_bad_query_is_refused(self, api: Api, query: RunQuery) -> None:
        with pytest.raises(InvalidValueError):
            api.runs.list(query)

    def test_a_wrong_filter_is_answered_with_the_position(self, api: Api) -> None:
        with pytest.raises(FilterError) as caught:
            api.runs.list(RunQuery(filter="status = 'Completed' and colour = 1"))
        assert caught.value.position == 25

    # ------------------------------------------------------------ metrics

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

    # ------------------------------------------------------------ files

    def test_a_file_comes_back_as_it_was(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        content = bytes(range(256)) * 5000
        entry = api.files.put(run.id, "outputs/model.bin", io.BytesIO(content))
        assert entry.size_bytes == len(content)
        with api.files.open(run.id, "outputs/model.bin") as file:
            assert file.read() == content
        assert [e.path for e in api.files.list(run.id)] == ["outputs/model.bin"]
        assert api.files.list(run.id, "other/") == []

    def test_a_name_that_is_taken_is_refused_unless_overwritten(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        api.files.put(run.id, "a", io.BytesIO(b"1"))
        with pytest.raises(RunFileExistsError, match="overwrite=True"):
            api.files.put(run.id, "a", io.BytesIO(b"2"))
        api.files.put(run.id, "a", io.BytesIO(b"3"), overwrite=True)
        with api.files.open(run.id, "a") as file:
            assert file.read() == b"3"

    @pytest.mark.parametrize("path", ["../a", "/a", "a/../b", "a//b", "", "a\\b", "a\0b", "./a"])
    def test_a_name_that_leads_elsewhere_is_refused(
        self, api: Api, experiment_id: str, path: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        with pytest.raises(InvalidValueError):
            api.files.put(run.id, path, io.BytesIO(b""))
        assert api.files.list(run.id) == []

    def test_an_absent_file_is_answered_with_those_there_are(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        api.files.put(run.id, "here", io.BytesIO(b""))
        with pytest.raises(RunFileNotFoundError, match="here"):
            api.files.open(run.id, "there")

    # ------------------------------------------------------------ executed runs

    def test_a_program_runs_to_its_end_and_its_log_is_whole(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "hello.py").write_text("print('hello'); print('world', end='')")
        run = submit(api, experiment_id, tmp_path, "hello.py")
        assert not run.status.ended
        ended, text = follow(api, run.id)
        assert text == b"hello\nworld"
        assert ended.status is Status.COMPLETED
        assert ended.started_at is not None
        assert [event.status for event in api.runs.events(run.id)][-2:] == [
            Status.RUNNING,
            Status.COMPLETED,
        ]
        assert LOG in [entry.path for entry in api.files.list(run.id)]
        with api.files.open(run.id, LOG) as file:
            assert file.read() == text

    def test_an_exit_code_fails_the_run_and_is_kept(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "fail.py").write_text("raise SystemExit(7)")
        ended, _ = follow(api, submit(api, experiment_id, tmp_path, "fail.py").id)
        assert ended.status is Status.FAILED
        assert ended.error is not None
        assert (ended.error.code, ended.error.exit_code) == ("ExitCode", 7)

    def test_cancel_returns_when_the_run_is_canceled(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "sleep.py").write_text("import time; print('up'); time.sleep(600)")
        run = submit(api, experiment_id, tmp_path, "sleep.py")
        api.runs.watch(run.id, log=LOG, offset=0, timeout_s=PATIENCE_S)
        assert api.runs.cancel(run.id) is CancelOutcome.CANCELED
        assert api.runs.get(run.id).status is Status.CANCELED
        assert api.runs.cancel(run.id) is CancelOutcome.ALREADY_ENDED

    def test_fail_ends_a_run_that_is_being_executed(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "sleep.py").write_text("import time; time.sleep(600)")
        run = submit(api, experiment_id, tmp_path, "sleep.py")
        with pytest.raises(RunStateError, match="being executed"):
            api.runs.end(run.id, Status.COMPLETED)
        error = RunError(code="Diverged", message="loss is nan")
        failed = api.runs.end(run.id, Status.FAILED, error=error)
        assert failed.status is Status.FAILED
        assert failed.error is not None
        assert (failed.error.code, failed.error.message) == ("Diverged", "loss is nan")

    def test_a_stubborn_program_is_canceled_after_its_grace(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "stay.py").write_text(
            "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(600)"
        )
        run = submit(api, experiment_id, tmp_path, "stay.py")
        api.runs.watch(run.id, log=LOG, offset=0, timeout_s=PATIENCE_S)
        assert api.runs.cancel(run.id, grace_s=0.5, wait_s=0.1) is CancelOutcome.CANCEL_REQUESTED
        assert api.runs.get(run.id).status is Status.CANCEL_REQUESTED
        ended, _ = follow(api, run.id)
        assert ended.status is Status.CANCELED

    @pytest.mark.parametrize(
        ("submission", "error"),
        [
            (Submission(command=["x"], source_directory="", script="absent.py"), SubmissionError),
            (Submission(command=[], source_directory=""), InvalidValueError),
            (Submission(command=["a\0b"], source_directory=""), InvalidValueError),
            (Submission(command=["a"], source_directory="", target="mars"), InvalidValueError),
        ],
        ids=["script", "empty", "nul", "target"],
    )
    def test_a_bad_submission_leaves_no_run(
        self,
        api: Api,
        experiment_id: str,
        tmp_path: Path,
        submission: Submission,
        error: type[Exception],
    ) -> None:
        bad = Submission(
            command=submission.command,
            source_directory=str(tmp_path),
            script=submission.script,
            target=submission.target,
        )
        with pytest.raises(error):
            api.runs.submit(new_run(experiment_id), bad)
        assert api.runs.list(RunQuery()).runs == []

    def test_a_program_that_cannot_be_started_fails_with_the_reason(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        submission = Submission(command=["./absent-program"], source_directory=str(tmp_path))
        run = api.runs.submit(new_run(experiment_id), submission)
        ended, _ = follow(api, run.id)
        assert ended.status is Status.FAILED
        assert ended.error is not None
        assert ended.error.code == "CannotStart"
        assert "absent-program" in ended.error.message

    def test_an_interactive_run_is_canceled_by_its_process(
        self, api: Api, experiment_id: str
    ) -> None:
        owner = uuid.uuid4().hex
        lease = api.hold_lease(owner)
        [run] = api.runs.create([new_run(experiment_id, owner_id=owner, started=True)])
        assert not lease.cancel_requested()
        assert api.runs.cancel(run.id, wait_s=0) is CancelOutcome.CANCEL_REQUESTED
        assert lease.cancel_requested()
        assert api.runs.end(run.id, Status.CANCELED).status is Status.CANCELED
        lease.close()

    def test_a_run_whose_process_is_gone_is_failed_by_the_next_reader(
        self, api: Api, experiment_id: str
    ) -> None:
        owner = uuid.uuid4().hex
        lease = api.hold_lease(owner)
        [run] = api.runs.create([new_run(experiment_id, owner_id=owner, started=True)])
        assert api.runs.get(run.id).status is Status.RUNNING
        lease.close()
        [found] = api.runs.list(RunQuery()).runs
        assert found.status is Status.FAILED
        assert found.error is not None
        assert found.error.code == "ProcessLost"

    def test_after_close_every_call_is_refused(self, api: Api) -> None:
        api.close()
        api.close()
        with pytest.raises(StorageError, match="closed"):
            api.runs.list(RunQuery())


def new_run(
    experiment_id: str,
    *,
    name: str | None = None,
    type: str | None = None,
    parent_id: str | None = None,
    owner_id: str | None = None,
    started: bool = False,
    tags: dict[str, str | None] | None = None,
    properties: dict[str, str | None] | None = None,
) -> NewRun:
    """A request with an id of its own."""
    return NewRun(
        id=str(uuid.uuid4()),
        experiment_id=experiment_id,
        name=name,
        type=type,
        parent_id=parent_id,
        owner_id=owner_id,
        started=started,
        tags=tags or {},
        properties=properties or {},
    )


def ids(api: Api, query: RunQuery) -> list[str]:
    """The ids of one page."""
    return [run.id for run in api.runs.list(query).runs]


def submit(api: Api, experiment_id: str, folder: Path, script: str) -> Run:
    """Submit a Python script of a folder."""
    submission = Submission(
        command=[sys.executable, script], source_directory=str(folder), script=script
    )
    return api.runs.submit(new_run(experiment_id), submission)


def follow(api: Api, run_id: str) -> tuple[Run, bytes]:
    """The run after its end, and its whole log."""
    text = b""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        update = api.runs.watch(run_id, log=LOG, offset=len(text), timeout_s=1)
        text += update.log.data
        if update.run.status.ended and not update.log.data:
            return update.run, text
    raise AssertionError(f"run {run_id} did not end in {PATIENCE_S} s; its log: {text!r}")


def log(api: Api, run_id: str, write: Callable[[JournalWriter], None]) -> None:
    """Log to a run as its process would."""
    writer = open_writer(api.metrics.journal_dir, run_id)
    write(writer)
    writer.close()


def open_writer(folder: Path, run_id: str) -> JournalWriter:
    """A journal writer with the limits of the default settings."""
    return JournalWriter(
        folder,
        run_id,
        uuid.uuid4().hex,
        segment_bytes=1 << 16,
        max_text_bytes=1 << 20,
        max_name_chars=255,
        warn=pytest.fail,
    )


def journal_bytes(folder: Path, run_id: str, values: range) -> bytes:
    """The records of a journal with one series."""
    writer = open_writer(folder, run_id)
    for value in values:
        writer.log("x", value)
    [journal] = journals_of(folder, run_id)
    data = b""
    while part := read(folder, journal, len(data), 1 << 20):
        data += part
    writer.close()
    return data
