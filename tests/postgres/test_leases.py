"""The tests of leases once more, over PostgreSQL."""

import pytest

# They are collected here under their own names, with the fixtures that they use.
from tests.service.test_leases import *  # noqa: F403

from headway.store.base import Database


@pytest.fixture
def rows(database: Database) -> Database:
    return database
