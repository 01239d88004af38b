"""Moves from SQLite to PostgreSQL and back."""

import pytest
from tests.transfer.conftest import make as make  # the fixture
from tests.transfer.move_contract import MoveContract

from headway.store.base import Database


class TestMoveToPostgres(MoveContract):
    @pytest.fixture
    def target(self, database: Database) -> Database:
        return database
