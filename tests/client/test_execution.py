"""Runs that are executed on this machine and recorded at a server: the contract."""

from collections.abc import Callable, Iterator

import pytest
from tests.client.machines import machine

from headway.api import Api
from headway.sdk.submission.compute import LocalCompute
from headway.settings import load_settings
from headway.testing.api.execution import ExecutionContract
from headway.testing.api.queueing import QueueContract


class TestRemoteExecution(ExecutionContract, QueueContract):
    @pytest.fixture
    def api(
        self, server: str, workspace_name: str, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Api]:
        with machine(server, workspace_name, tmp_path_factory.mktemp("spool")) as here:
            yield here.api

    @pytest.fixture
    def experiment_id(self, api: Api) -> str:
        return api.experiments.ensure("explore").id

    @pytest.fixture
    def limit_cpus(self) -> Callable[[int], None]:
        def limit(cpus: int) -> None:
            LocalCompute(load_settings()).set_slots(cpus=cpus)

        return limit
