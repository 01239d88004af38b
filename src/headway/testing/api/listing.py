"""``api.runs.list``."""

import pytest

from headway.api import Api, pages
from headway.errors import (
    FilterError,
    InvalidValueError,
)
from headway.model import (
    RunQuery,
    Status,
)
from headway.testing.api.requests import ids, log, new_run


class ListingContract:
    """``api.runs.list``."""

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
