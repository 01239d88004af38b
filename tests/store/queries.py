"""Searches of every kind, and what they ask of a database."""

from collections.abc import Iterable
from typing import Any, Final

from benchmarks.many_runs import EXPERIMENT

from headway.filters import parse_filter, parse_order
from headway.model import RunQuery, Status
from headway.store.base import Database, Dialect, Parameters, Transaction
from headway.store.search import FIRST_LOOK, Search, page

BY_AGE: Final[dict[str, dict[str, Any]]] = {
    "everything": {"include_children": True},
    "the top": {},
    "an experiment": {"experiment_id": EXPERIMENT},
    "an experiment and its children": {"experiment_id": EXPERIMENT, "include_children": True},
    "children": {"parent_id": "run-50"},
    "a tag": {"tags": {"half": "1"}},
    "a tag that is there": {"has_tags": ["half"]},
    "a tag without a value": {"tags": {"half": None}},
    "a tag, in an experiment": {"experiment_id": EXPERIMENT, "tags": {"half": "0"}},
    "a tag by filter": {"filter": "tags.half = '1'"},
    "two tags": {"tags": {"half": "0", "hundredth": "7"}},
    "another tag": {"filter": "tags.half != '1' and tags.half not in ('2', '3')"},
    "a long tag": {"tags": {"half": "x" * 300}},
    "a status": {"statuses": [Status.FAILED]},
    "a status in an experiment": {"experiment_id": EXPERIMENT, "statuses": [Status.COMPLETED]},
    "a metric that is there": {"filter": "metrics.loss is not null"},
    "a metric of another value": {"filter": "metrics.loss != 0.25 and max(metrics.loss) != 1"},
    "the count of a metric": {"filter": "count(metrics.loss) >= 1000"},
    "a metric equal": {"filter": "metrics.epoch = 100"},
    "a metric of a text": {"filter": "metrics.epoch = 'text'"},
    "a metric that is NaN": {"filter": "metrics.epoch = nan"},
    "live": {"filter": "ended is null"},
    "a lack": {"filter": "metrics.loss is null and tags.half is null"},
    "not": {"filter": "not (tags.half = '1') and not metrics.loss < 0.5"},
}
"""Led by one index in the order of age: not even what is found is sorted."""
SORTED: Final[dict[str, dict[str, Any]]] = {
    "below a run": {"ancestor_id": "run-50"},
    "statuses": {"filter": "status in ('Failed', 'Canceled')"},
    "not a status": {"filter": "status != 'Completed'"},
    "tags": {"filter": "tags.hundredth in ('1', '2')"},
    "a beginning of a tag": {"filter": "tags.note like 'note 12%'"},
    "a range of a tag": {"filter": "tags.note > 'note 12' and tags.hundredth <= '3'"},
    "a metric below": {"filter": "metrics.loss < 0.5"},
    "a metric between": {"filter": "metrics.age >= 0.25 and metrics.age < 0.3"},
    "a low minimum": {"filter": "min(metrics.loss) < 0.1"},
    "a high maximum": {"filter": "max(metrics.loss) > 1.9"},
    "a tag and a metric": {"filter": "tags.half = '1' and metrics.age < 0.2"},
    "either": {"filter": "metrics.loss < 0.01 or tags.note = 'note 5' or status = 'Failed'"},
    "neither": {"filter": "not (metrics.loss is null or tags.note is null)"},
    "an id": {"include_children": True, "filter": "id = 'run-7' or id like 'run-3%'"},
    "a name": {"filter": "name = 'run_run-7' or name like 'run_run-3%'"},
    "a number": {"experiment_id": EXPERIMENT, "filter": "number = 31 or number > 390"},
    "times": {"filter": "created >= '2023-11-14' and created < '2023-11-15'"},
    "since": {"since": 1_700_000_000_000_000},
    "an experiment by name": {"filter": "experiment = 'experiment-3'"},
    "by metric": {"order_by": "metrics.loss"},
    "by minimum": {"order_by": "min(metrics.loss) desc", "tags": {"half": "1"}},
    "by maximum": {"order_by": "max(metrics.age)", "filter": "metrics.loss < 0.3"},
    "by equal metrics": {"order_by": "metrics.epoch"},
    "by a metric that few have": {"order_by": "metrics.rare"},
    "by count": {"order_by": "count(metrics.loss)"},
    "by tag": {"order_by": "tags.note desc"},
    "by name": {"order_by": "name", "experiment_id": EXPERIMENT},
    "by number": {"order_by": "number desc"},
    "by duration": {"order_by": "duration desc"},
    "by several": {"order_by": "status, metrics.loss desc, name"},
}
"""Where what an index gives is in another order: sorted, after it was counted where it can be."""


class Recorded:
    """A transaction that keeps what was asked of it."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self.asked: list[tuple[str, Parameters | None]] = []

    @property
    def dialect(self) -> Dialect:
        return self._tx.dialect

    def all(self, statement: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        self.asked.append((statement, parameters))
        return self._tx.all(statement, parameters)

    def one(self, statement: str, parameters: Parameters | None = None) -> tuple[Any, ...] | None:
        self.asked.append((statement, parameters))
        return self._tx.one(statement, parameters)

    def run(self, statement: str, parameters: Parameters | None = None) -> int:
        raise AssertionError(f"a search wrote: {statement}")

    def many(self, statement: str, parameters: Iterable[Parameters]) -> None:
        raise AssertionError(f"a search wrote: {statement}")

    def ring(self, topic: str) -> None:
        raise AssertionError(f"a search rang: {topic}")


def read(query: RunQuery) -> Search:
    expression = parse_filter(query.filter, now=0) if query.filter else None
    return Search(query, expression, parse_order(query.order_by), 0)


def asked_for(
    database: Database, query: dict[str, Any], first_look: int = FIRST_LOOK
) -> dict[str, Parameters | None]:
    """The statements of a search, over its first pages."""
    cursor = ""
    with database.read() as tx:
        recorded = Recorded(tx)
        for _ in range(4):
            asked = RunQuery(**query, limit=5, cursor=cursor)
            cursor = page(recorded, read(asked), first_look=first_look).next_cursor
            if not cursor:
                break
    return dict(recorded.asked)
