"""The tables as they are read from the migrations."""

from contextlib import closing
from pathlib import Path

import pytest

from headway.store import schema
from headway.store.migrations import Migration
from headway.store.sqlite import SqliteDatabase


def test_tables_are_those_of_the_database_with_their_columns_and_keys(tmp_path: Path) -> None:
    with closing(SqliteDatabase(tmp_path / "headway.db")) as database, database.read() as tx:
        names = [
            row[0]
            for row in tx.all("select name from sqlite_master where type = 'table'")
            if row[0] != "migrations"
        ]
        found = {
            name: [
                (row[0], row[1])
                for row in tx.all(f"select name, pk from pragma_table_info('{name}')")
            ]
            for name in names
        }
    assert {table.name for table in schema.tables()} == {*names}
    for table in schema.tables():
        assert [name for name, _ in found[table.name]] == list(table.columns)
        in_key = sorted((place, name) for name, place in found[table.name] if place)
        assert [name for _, name in in_key] == list(table.key)


def test_a_table_comes_after_those_that_it_refers_to(tmp_path: Path) -> None:
    with closing(SqliteDatabase(tmp_path / "headway.db")) as database, database.read() as tx:
        seen: set[str] = set()
        for table in schema.tables():
            referred = tx.all(f"select \"table\" from pragma_foreign_key_list('{table.name}')")
            assert {row[0] for row in referred} <= seen
            seen.add(table.name)


def test_a_step_that_is_not_understood_is_an_error() -> None:
    step = Migration(1, "x", ("alter table runs add column y text",))
    with pytest.raises(ValueError, match="alter table"):
        schema.tables([step])
