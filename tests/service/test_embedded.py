"""The embedded workspace: the contract, and what is its own."""

from collections.abc import Callable, Iterator

import pytest

from headway.api import Api
from headway.sdk.submission.compute import LocalCompute
from headway.service.workspace import open_workspace
from headway.settings import load_settings
from headway.testing.api_contract import ApiContract


class TestEmbeddedContract(ApiContract):
    @pytest.fixture
    def api(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
        workspace = open_workspace(tmp_path_factory.mktemp("workspace"), load_settings({}))
        yield workspace
        workspace.close()

    @pytest.fixture
    def limit_cpus(self) -> Callable[[int], None]:
        def limit(cpus: int) -> None:
            LocalCompute(load_settings({})).set_slots(cpus=cpus)

        return limit
