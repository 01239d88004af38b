"""Moves between SQLite databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.transfer.move_contract import MoveContract

from headway.store.base import Database
from headway.store.sqlite import SqliteDatabase


class TestMoveToSqlite(MoveContract):
    @pytest.fixture
    def target(self, tmp_path: Path) -> Iterator[Database]:
        database = SqliteDatabase(tmp_path / "target.db")
        yield database
        database.close()
