"""PostgreSQL keeps the contracts of databases."""

from collections.abc import Iterator

import pytest

from headway.store.base import Database
from headway.store.postgres import PostgresServer
from headway.testing.search_contract import SearchContract
from headway.testing.store_contract import StoreContract


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def database(self, postgres: PostgresServer, schema: str) -> Iterator[Database]:
        database = postgres.database(schema)
        yield database
        database.close()


@pytest.mark.timeout(120)  # thousands of round trips, on a machine that may be busy
class TestPostgresSearch(SearchContract):
    @pytest.fixture
    def database(self, postgres: PostgresServer, schema: str) -> Iterator[Database]:
        database = postgres.database(schema)
        yield database
        database.close()
