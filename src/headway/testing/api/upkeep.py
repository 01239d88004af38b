"""The trash, and ``api.upkeep``."""

import io
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from headway.api import Api
from headway.errors import InvalidValueError, RunExistsError, RunNotFoundError, RunStateError
from headway.metrics.columns import decode_points, listed
from headway.metrics.journal import JournalWriter
from headway.model import Event, MetricQuery, PointQuery, Run, RunError, RunQuery, Status
from headway.testing.api.requests import ids, log, new_run
from headway.upkeep import PurgeOrder, RetentionRule, RunRecord


def ended(api: Api, experiment_id: str, parent_id: str | None = None, **tags: str) -> Run:
    """A run that has ended, with a metric and a file."""
    request = new_run(experiment_id, parent_id=parent_id, started=True, tags={**tags})
    [run] = api.runs.create([request])
    log(api, run.id, lambda writer: writer.log("loss", 0.5))
    api.files.put(run.id, "a.bin", io.BytesIO(b"x" * 5000))
    return api.runs.end(run.id, Status.COMPLETED)


class UpkeepContract:
    """The trash, and ``api.upkeep``."""

    def test_a_deleted_run_is_left_out_of_lists_and_found_by_its_id(
        self, api: Api, experiment_id: str
    ) -> None:
        first, second = ended(api, experiment_id, a="1"), ended(api, experiment_id, a="1")
        assert api.runs.delete([first.id]) == [first.id]
        assert ids(api, RunQuery()) == [second.id]
        assert ids(api, RunQuery(tags={"a": "1"})) == [second.id]
        assert ids(api, RunQuery(filter="tags.a = '1'")) == [second.id]
        assert ids(api, RunQuery(filter="metrics.loss = 0.5", order_by="metrics.loss")) == [
            second.id
        ]
        assert ids(api, RunQuery(experiment_id=experiment_id, order_by="name")) == [second.id]
        found = api.runs.get(first.id)
        assert found.deleted_at is not None
        assert replace(found, deleted_at=None) == first
        [in_trash] = api.runs.list(RunQuery(deleted=True)).runs
        assert in_trash == found
        assert ids(api, RunQuery(deleted=True, filter="tags.a = '2'")) == []

    def test_children_go_to_the_trash_and_come_back_with_their_parent(
        self, api: Api, experiment_id: str
    ) -> None:
        parent = ended(api, experiment_id)
        early, late = (ended(api, experiment_id, parent.id) for _ in range(2))
        grandchild = ended(api, experiment_id, late.id)
        assert api.runs.delete([early.id]) == [early.id]
        assert ids(api, RunQuery(parent_id=parent.id)) == [late.id]
        read = api.metrics.read(MetricQuery(parent.id, recursive=True))
        assert {one.summary.run_id for one in read} == {parent.id, late.id, grandchild.id}
        assert api.runs.delete([parent.id]) == [parent.id, late.id, grandchild.id]
        assert api.runs.delete([parent.id, late.id]) == []
        with pytest.raises(RunStateError, match=parent.id):
            api.runs.restore([grandchild.id])
        assert api.runs.restore([parent.id]) == [parent.id, late.id, grandchild.id]
        assert ids(api, RunQuery(parent_id=parent.id)) == [late.id]
        assert api.runs.restore([early.id, parent.id]) == [early.id]
        assert ids(api, RunQuery(deleted=True, include_children=True)) == []

    def test_a_run_that_has_not_ended_is_not_deleted_and_neither_is_what_is_above_it(
        self, api: Api, experiment_id: str
    ) -> None:
        parent = ended(api, experiment_id)
        [child] = api.runs.create([new_run(experiment_id, parent_id=parent.id)])
        other = ended(api, experiment_id)
        for given in (child.id, parent.id):
            with pytest.raises(RunStateError, match="has not ended"):
                api.runs.delete([other.id, given])
        assert api.runs.get(other.id).deleted_at is None
        with pytest.raises(RunNotFoundError, match="nope"):
            api.runs.delete([other.id, "nope"])
        with pytest.raises(RunNotFoundError, match="nope"):
            api.runs.restore(["nope"])
        assert api.runs.get(other.id).deleted_at is None

    def test_no_run_is_made_below_one_in_the_trash(self, api: Api, experiment_id: str) -> None:
        parent = ended(api, experiment_id)
        api.runs.delete([parent.id])
        with pytest.raises(RunStateError, match="trash"):
            api.runs.create([new_run(experiment_id, parent_id=parent.id)])

    def test_a_purge_removes_runs_for_good_and_says_how_much(
        self, api: Api, experiment_id: str
    ) -> None:
        kept, parent = ended(api, experiment_id), ended(api, experiment_id)
        child = ended(api, experiment_id, parent.id)
        api.runs.delete([parent.id])
        planned = api.upkeep.purge(PurgeOrder(dry_run=True))
        assert {*planned.run_ids} == {parent.id, child.id}
        assert planned.file_bytes >= 10_000
        assert api.runs.get(child.id).deleted_at is not None
        purged = api.upkeep.purge(PurgeOrder(run_ids=[parent.id]))
        assert (purged.run_ids, purged.rows) == (planned.run_ids, planned.rows)
        assert purged.rows > 10
        assert purged.file_bytes >= 10_000
        assert purged.database_bytes > 0
        for gone in (parent, child):
            with pytest.raises(RunNotFoundError):
                api.runs.get(gone.id)
        assert [one.id for one in api.runs.list(RunQuery(include_children=True)).runs] == [kept.id]
        with api.files.open(kept.id, "a.bin") as stream:
            assert len(stream.read()) == 5000
        assert api.upkeep.purge(PurgeOrder()).run_ids == []

    def test_only_what_is_in_the_trash_long_enough_is_purged(
        self, api: Api, experiment_id: str
    ) -> None:
        run, other = ended(api, experiment_id), ended(api, experiment_id)
        api.runs.delete([run.id])
        assert api.upkeep.purge(PurgeOrder(older_than_s=3600)).run_ids == []
        with pytest.raises(RunStateError, match="not in the trash"):
            api.upkeep.purge(PurgeOrder(run_ids=[run.id, other.id]))
        with pytest.raises(InvalidValueError, match="seconds"):
            api.upkeep.purge(PurgeOrder(older_than_s=-1))
        assert api.runs.restore([run.id]) == [run.id]

    def test_a_purge_in_several_calls_says_what_is_left(self, api: Api, experiment_id: str) -> None:
        api.runs.delete([ended(api, experiment_id).id for _ in range(3)])
        calls = [api.upkeep.purge(PurgeOrder(limit=2)) for _ in range(3)]
        assert [(len(one.run_ids), one.left) for one in calls] == [(2, 1), (1, 0), (0, 0)]

    def test_a_run_that_a_process_still_logs_to_is_not_purged(
        self, api: Api, experiment_id: str
    ) -> None:
        run = ended(api, experiment_id)
        api.runs.delete([run.id])
        seen: list[list[str]] = []

        def purge_meanwhile(writer: JournalWriter) -> None:
            writer.log("late", 1)
            seen.append(api.upkeep.purge(PurgeOrder()).kept)

        log(api, run.id, purge_meanwhile)
        assert seen == [[run.id]]
        assert api.runs.get(run.id).deleted_at is not None

    def test_a_purged_id_may_be_used_again(self, api: Api, experiment_id: str) -> None:
        run = ended(api, experiment_id)
        api.runs.delete([run.id])
        api.upkeep.purge(PurgeOrder())
        [again] = api.runs.create([replace(new_run(experiment_id), id=run.id)])
        assert api.metrics.summarize(MetricQuery(again.id)) == []
        assert api.files.list(again.id) == []
        assert api.upkeep.collect() == []

    def test_rules_send_runs_to_the_trash_at_the_next_collection(
        self, api: Api, experiment_id: str
    ) -> None:
        made = [ended(api, experiment_id) for _ in range(3)]
        kept = ended(api, experiment_id, keep="yes")
        newest = ended(api, experiment_id)
        other = ended(api, api.experiments.ensure("other").id)
        api.upkeep.set_rule(RetentionRule("explore", keep_last=2))
        api.upkeep.set_rule(RetentionRule(keep_last=1))
        [planned] = api.upkeep.collect(dry_run=True)
        assert (planned.kind, planned.count) == ("retention", 3)
        assert ids(api, RunQuery(deleted=True)) == []
        assert api.upkeep.collect() == [planned]
        assert {*ids(api, RunQuery())} == {kept.id, newest.id, other.id}
        assert {*ids(api, RunQuery(deleted=True))} == {one.id for one in made}
        assert api.upkeep.collect() == []

    def test_a_rule_with_an_age_spares_what_is_younger(self, api: Api, experiment_id: str) -> None:
        ended(api, experiment_id)
        rule = RetentionRule("explore", keep_last=0, older_than_s=86400)
        api.upkeep.set_rule(rule)
        assert api.upkeep.collect() == []
        assert api.upkeep.rules() == [rule]
        api.upkeep.set_rule(replace(rule, older_than_s=0))
        assert [one.count for one in api.upkeep.collect()] == [1]
        api.upkeep.remove_rule("explore")
        api.upkeep.remove_rule("explore")
        assert api.upkeep.rules() == []

    @pytest.mark.parametrize(
        "rule",
        [
            RetentionRule("e"),
            RetentionRule("e", keep_last=-1),
            RetentionRule("e", older_than_s=-1.0),
            RetentionRule("e", older_than_s=float("nan")),
            RetentionRule("a\nb", keep_last=1),
        ],
    )
    def test_a_rule_that_means_nothing_is_refused(self, api: Api, rule: RetentionRule) -> None:
        with pytest.raises(InvalidValueError):
            api.upkeep.set_rule(rule)
        assert api.upkeep.rules() == []

    def test_a_run_from_elsewhere_is_as_it_was(self, api: Api, experiment_id: str) -> None:
        parent = _elsewhere("r-1", experiment_name="theirs", number=7)
        child = _elsewhere("r-2", parent_id="r-1", experiment_name="theirs", number=8)
        records = [RunRecord(parent, _events(parent)), RunRecord(child, _events(child))]
        assert api.upkeep.adopt(records) == ["r-1", "r-2"]
        assert api.upkeep.adopt(records) == []
        [experiment] = api.experiments.list(name="theirs")
        found = api.runs.get("r-2")
        expected = replace(child, experiment_id=experiment.id, root_id="r-1")
        assert found == expected
        assert api.runs.events("r-2") == _events(child)
        [after] = api.runs.create([new_run(experiment.id)])
        assert after.number == 9

    def test_what_cannot_be_taken_in_changes_nothing(self, api: Api, experiment_id: str) -> None:
        good = RunRecord(_elsewhere("r-1"))
        [mine] = api.runs.create([new_run(experiment_id)])
        refused: list[tuple[Run, type[Exception]]] = [
            (replace(good.run, id=mine.id), RunExistsError),
            (replace(good.run, id="r-2", status=Status.RUNNING), InvalidValueError),
            (replace(good.run, id="../r"), InvalidValueError),
            (replace(good.run, id="r-2", parent_id="nobody"), RunNotFoundError),
            (replace(good.run, id="r-2", number=1 << 63), InvalidValueError),
            (replace(good.run, id="r-2", created_at=-1), InvalidValueError),
            (replace(good.run, id="r-2", host="a\nb"), InvalidValueError),
            (replace(good.run, id="r-2", snapshot_id="../x"), InvalidValueError),
            (replace(good.run, id="r-2", experiment_name=""), InvalidValueError),
        ]
        for run, error in refused:
            with pytest.raises(error):
                api.upkeep.adopt([good, RunRecord(run)])
        assert ids(api, RunQuery()) == [mine.id]

    def test_a_number_that_is_taken_is_replaced(self, api: Api, experiment_id: str) -> None:
        api.runs.create([new_run(experiment_id)])
        api.upkeep.adopt([RunRecord(_elsewhere("r-1", experiment_name="explore", number=1))])
        assert api.runs.get("r-1").number == 2

    def test_a_series_is_read_bit_by_bit(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        for begin in range(0, 6000, 2000):  # so that it comes to be in several chunks
            log(api, run.id, _logging(range(begin, begin + 2000)))
            api.metrics.summarize(MetricQuery(run.id))
        read: list[object] = []
        while True:
            query = PointQuery(run.id, "x", skip=len(read), most=1)
            found = api.metrics.points(query)
            points = decode_points(found.blocks)
            part = listed(points.values)[len(read) - found.skipped :]
            if not part:
                break
            assert len(points) < 6000
            read += part
        assert read == list(range(6000))


def _logging(values: range) -> Callable[[JournalWriter], None]:
    def write(writer: JournalWriter) -> None:
        for value in values:
            writer.log("x", value)

    return write


def _elsewhere(
    run_id: str,
    *,
    parent_id: str | None = None,
    experiment_name: str = "theirs",
    number: int = 1,
) -> Run:
    return Run(
        id=run_id,
        experiment_id="their-experiment",
        experiment_name=experiment_name,
        number=number,
        name="best",
        status=Status.FAILED,
        created_at=1_000_000,
        started_at=2_000_000,
        ended_at=3_000_000,
        description="two\nlines",
        type="azureml.scriptrun",
        parent_id=parent_id,
        root_id=parent_id or run_id,
        target="sdk",
        host="there",
        created_by="them",
        tags={"a": "1", "b": None},
        properties={"p": "x"},
        error=RunError(code="X", message="why"),
        points_lost=3,
    )


def _events(run: Run) -> list[Event]:
    return [
        Event(run.id, 1, 1_000_000, Status.NOT_STARTED, None, "them@there"),
        Event(run.id, 2, 3_000_000, Status.FAILED, Status.NOT_STARTED, "them@there", "why"),
    ]
