"""A schema of its own for each test, in a PostgreSQL of this process."""

import itertools
from collections.abc import Iterator
from typing import Final

import pytest

from headway.store.base import Database
from headway.store.postgres import PostgresServer
from headway.testing.postgres_cluster import PostgresCluster

_NUMBERS: Final = itertools.count()


@pytest.fixture(scope="session")
def postgres(postgres_cluster: PostgresCluster) -> Iterator[PostgresServer]:
    """The connections of this process."""
    server = PostgresServer(postgres_cluster.url, patience_s=10)
    yield server
    server.close()


@pytest.fixture
def own_cluster(postgres_cluster: PostgresCluster) -> Iterator[PostgresCluster]:
    """One that may be stopped, and that keeps what it has committed."""
    cluster = PostgresCluster(postgres_cluster.programs, durable=True)
    yield cluster
    cluster.remove()


@pytest.fixture
def schema(postgres: PostgresServer) -> Iterator[str]:
    """The name of a schema that does not exist; in the end it is removed."""
    name = f"ws_test-{next(_NUMBERS)}"
    yield name
    postgres.drop(name)


@pytest.fixture
def database(postgres: PostgresServer, schema: str) -> Iterator[Database]:
    """An empty workspace."""
    database = postgres.database(schema)
    yield database
    database.close()
