"""Finding runs in SQLite: the contract, and the plans by which they are found."""

import base64
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from benchmarks.many_runs import EXPERIMENT, fill

from headway.errors import InvalidValueError
from headway.filters import parse_filter, parse_order
from headway.model import RunQuery, Status
from headway.store import migrations
from headway.store.base import Database, Dialect, Parameters, Transaction
from headway.store.search import Search, page
from headway.store.sqlite import SqliteDatabase
from headway.testing.search_contract import SearchContract


class TestSqliteSearch(SearchContract):
    @pytest.fixture
    def database(self, tmp_path: Path) -> Iterator[Database]:
        database = SqliteDatabase(tmp_path / "headway.db")
        yield database
        database.close()


class _Recorded:
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


RUNS = 400
FIRST_LOOK = 8
"""Small, so that every way of a search comes to be asked for."""
BY_AGE = {
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
SORTED = {
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
HARMLESS = (
    "SCAN counted",  # what was counted, up to a bound
    "SCAN d",  # a union of stretches that were counted
    "SCAN t",  # the runs below a run, found level by level
    "SCAN e",  # the experiments of one name
    "SCAN d USING COVERING INDEX runs_name",  # in the order asked for, up to a bound
    "SCAN d USING COVERING INDEX runs_number",  # as well
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with closing(SqliteDatabase(tmp_path_factory.mktemp("plans") / "headway.db")) as database:
        fill(database, RUNS)
        yield database


def plans(
    database: Database, query: dict[str, Any], first_look: int = FIRST_LOOK
) -> dict[str, list[str]]:
    """How each statement of a search is executed, over all of its pages."""
    found: dict[str, list[str]] = {}
    cursor = ""
    with database.read() as tx:
        recorded = _Recorded(tx)
        for _ in range(4):
            asked = RunQuery(**query, limit=5, cursor=cursor)
            cursor = page(recorded, read(asked), first_look=first_look).next_cursor
            if not cursor:
                break
        for statement, parameters in recorded.asked:
            rows = tx.all(f"explain query plan {statement}", parameters)
            found[statement] = [row[3] for row in rows]
    return found


def read(query: RunQuery) -> Search:
    expression = parse_filter(query.filter, now=0) if query.filter else None
    return Search(query, expression, parse_order(query.order_by), 0)


@pytest.mark.parametrize("query", [*BY_AGE.values(), *SORTED.values()], ids=[*BY_AGE, *SORTED])
def test_no_search_reads_a_table_from_end_to_end(filled: Database, query: dict[str, Any]) -> None:
    read_whole = [
        line
        for plan in plans(filled, query).values()
        for line in plan
        if line.startswith("SCAN") and line not in HARMLESS
    ]
    assert read_whole == []


@pytest.mark.parametrize("query", BY_AGE.values(), ids=BY_AGE)
def test_by_age_nothing_is_sorted(filled: Database, query: dict[str, Any]) -> None:
    searches = {
        statement: plan
        for statement, plan in plans(filled, query).items()
        if statement.startswith("select d.rid from")
    }
    assert searches
    assert not [line for plan in searches.values() for line in plan if "TEMP B-TREE" in line]


@pytest.mark.parametrize("query", [*BY_AGE.values(), *SORTED.values()], ids=[*BY_AGE, *SORTED])
def test_every_look_up_of_a_run_is_by_its_key(filled: Database, query: dict[str, Any]) -> None:
    for statement, plan in plans(filled, query).items():
        for line in plan:
            if line.startswith(("SEARCH r ", "SEARCH s ")) and " d " in statement:
                assert "rid=?" in line, (statement, line)


def test_plans_do_not_depend_on_statistics(tmp_path: Path) -> None:
    with closing(SqliteDatabase(tmp_path / "headway.db")) as database:
        fill(database, RUNS)
        queries = [*BY_AGE.values(), *SORTED.values()]
        before = [plans(database, query) for query in queries]
        with database.write() as tx:
            tx.run("analyze")
        with closing(SqliteDatabase(tmp_path / "headway.db")) as again:
            assert [plans(again, query) for query in queries] == before


def test_a_database_without_these_indexes_is_given_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "headway.db"
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:1])
        patch.setattr(migrations, "LATEST", 1)
        with closing(SqliteDatabase(path)) as old:
            fill(old, 20)
    with closing(SqliteDatabase(path)) as database, database.read() as tx:
        query = RunQuery(filter="min(metrics.loss) < 0.5 and tags.half = '1'", limit=50)
        found = [one.run.number for one in page(tx, read(query)).runs]
    loss = {number: (number - 1) * 0.6180339887 % 1 for number in range(2, 21, 2)}
    tops = [number for number in loss if number % 5 != 0 and loss[number] < 0.5]
    assert found == tops[::-1]


@pytest.mark.parametrize(
    "content",
    [[], [1], ["created_at desc"], ["created_at desc", "1"], ["created_at desc", 2**64 - 1]],
)
def test_a_cursor_made_up_is_refused(filled: Database, content: list[object]) -> None:
    cursor = base64.urlsafe_b64encode(msgspec.msgpack.encode(content)).decode()
    with filled.read() as tx, pytest.raises(InvalidValueError, match="cursor"):
        page(tx, read(RunQuery(cursor=cursor)))
