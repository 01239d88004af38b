"""How PostgreSQL finds runs: by index, whatever is asked."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import pytest
from benchmarks.many_runs import fill
from tests.store.queries import BY_AGE, SORTED, asked_for

from headway.store.base import Database
from headway.store.postgres import PostgresServer

RUNS: Final = 20_000
LARGE: Final = {"runs", "labels", "series"}
SCHEMA: Final = "ws_plans"
NEWEST: Final = "select max(rid) from runs"
SORTED_BY_NO_INDEX: Final = {"by count", "by duration", "by several"}
"""All runs are looked at, in an index that has what is needed of them."""


@pytest.fixture(scope="module")
def filled(postgres: PostgresServer) -> Iterator[Database]:
    with closing(postgres.database(SCHEMA)) as database:
        fill(database, RUNS)
        with database.write() as tx:
            tx.run("analyze")
        yield database
    postgres.drop(SCHEMA)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan, step by step."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def steps(database: Database, query: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """How each statement of a search is executed."""
    statements = asked_for(database, query)
    with database.read() as tx:
        found: dict[str, list[dict[str, Any]]] = {}
        for statement, parameters in statements.items():
            row = tx.one(f"explain (format json) {statement}", parameters)
            assert row is not None
            found[statement] = list(nodes(row[0][0]["Plan"]))
        return found


@pytest.mark.parametrize("name", [*BY_AGE, *SORTED])
def test_no_search_reads_a_table_from_end_to_end(filled: Database, name: str) -> None:
    for statement, plan in steps(filled, {**BY_AGE, **SORTED}[name]).items():
        for step in (step for step in plan if step.get("Relation Name") in LARGE):
            assert "Index" in step["Node Type"], (statement, step)
            if statement != NEWEST and name not in SORTED_BY_NO_INDEX:
                assert "Index Cond" in step, (statement, step)


@pytest.mark.parametrize("query", BY_AGE.values(), ids=BY_AGE)
def test_by_age_nothing_is_sorted(filled: Database, query: dict[str, Any]) -> None:
    searches = [
        plan
        for statement, plan in steps(filled, query).items()
        if statement.startswith("select d.rid from")
    ]
    assert searches
    assert not [step for plan in searches for step in plan if "Sort" in step["Node Type"]]
