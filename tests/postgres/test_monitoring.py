"""The tests of the monitor once more, over PostgreSQL."""

import pytest

# They are collected here under their own names, with the fixtures that they use.
from tests.service.test_monitoring import *  # noqa: F403

from headway.store.base import Database

# It opens an SQLite file in another process.
del test_one_that_was_stopped_past_its_time_changes_nothing_when_it_goes_on  # noqa: F821


@pytest.fixture
def rows(database: Database) -> Database:
    return database
