"""A database for metrics, and runs with points in it."""

from collections.abc import Iterator, Sequence
from itertools import count

import pytest
from tests.service.filling import Fill

from headway.hosting.layout import Layout
from headway.service.metrics import MetricService
from headway.service.sizes import Sizes
from headway.store.sqlite import SqliteDatabase
from headway.testing.records import Logged, name_records, records
from headway.testing.store_contract import make_run


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteDatabase]:
    folder = tmp_path_factory.mktemp("workspace")
    database = SqliteDatabase(folder / "headway.db")
    yield database
    database.close()


@pytest.fixture(scope="module")
def fill(database: SqliteDatabase, tmp_path_factory: pytest.TempPathFactory) -> Fill:
    layout = Layout(tmp_path_factory.mktemp("layout"))
    layout.create()
    numbers = count()

    def fill(sizes: Sizes, logged: Sequence[Logged]) -> tuple[MetricService, str]:
        """A run whose metric x has these points, in stretches of uneven lengths."""
        run_id = f"run-{next(numbers)}"
        make_run(database, run_id)
        metrics = MetricService(database, layout, sizes)
        offset = metrics.append(run_id, run_id, 0, name_records("x"))
        lengths = [1, 2, 50, 3, 200]
        begin = 0
        for number in count():
            part = logged[begin : begin + lengths[number % len(lengths)]]
            if not part:
                break
            offset = metrics.append(run_id, run_id, offset, records(part))
            begin += len(part)
        return metrics, run_id

    return fill
