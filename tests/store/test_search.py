"""Finding runs in SQLite: the contract, and the plans by which they are found."""

import base64
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from benchmarks.many_runs import fill
from tests.store.queries import BY_AGE, SORTED, asked_for, read

from headway.errors import InvalidValueError
from headway.model import RunQuery
from headway.store import migrations
from headway.store.base import Database
from headway.store.search import page
from headway.store.sqlite import SqliteDatabase
from headway.testing.search_contract import SearchContract


class TestSqliteSearch(SearchContract):
    @pytest.fixture
    def database(self, tmp_path: Path) -> Iterator[Database]:
        database = SqliteDatabase(tmp_path / "headway.db")
        yield database
        database.close()


RUNS = 400
FIRST_LOOK = 8
"""Small, so that every way of a search comes to be asked for."""
HARMLESS = (
    "SCAN trash USING COVERING INDEX trash_rid",  # whether there is one
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
    """How each statement of a search is executed."""
    statements = asked_for(database, query, first_look)
    with database.read() as tx:
        return {
            statement: [row[3] for row in tx.all(f"explain query plan {statement}", parameters)]
            for statement, parameters in statements.items()
        }


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
