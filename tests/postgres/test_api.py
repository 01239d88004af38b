"""A workspace whose rows are in PostgreSQL and whose files are in a folder."""

from collections.abc import Callable, Iterator

import pytest

from headway.api import Api
from headway.sdk.submission.compute import LocalCompute
from headway.service.workspace import open_workspace
from headway.settings import load_settings
from headway.store.postgres import PostgresServer
from headway.testing.api_contract import ApiContract


class TestPostgresContract(ApiContract):
    @pytest.fixture
    def api(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        postgres: PostgresServer,
        schema: str,
    ) -> Iterator[Api]:
        workspace = open_workspace(
            tmp_path_factory.mktemp("workspace"),
            load_settings({}),
            database=postgres.database(schema),
        )
        yield workspace
        workspace.close()

    @pytest.fixture
    def limit_cpus(self) -> Callable[[int], None]:
        def limit(cpus: int) -> None:
            LocalCompute(load_settings({})).set_slots(cpus=cpus)

        return limit
