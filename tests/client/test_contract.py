"""The contract over a client and a server on SQLite; ``test_execution`` has the rest of it."""

from collections.abc import Iterator

import pytest
from tests.client.differences import SentOutputs
from tests.client.machines import machine

from headway.api import Api
from headway.testing.api.assets import AssetContract
from headway.testing.api.experiments import ExperimentContract
from headway.testing.api.files import FileContract
from headway.testing.api.listing import ListingContract
from headway.testing.api.metrics import MetricContract
from headway.testing.api.runs import RunContract
from headway.testing.api.snapshots import SnapshotContract
from headway.testing.api.upkeep import UpkeepContract
from headway.testing.api.uploads import UploadContract
from headway.testing.api.workspace import WorkspaceContract


class TestRemoteContract(
    SentOutputs,
    ExperimentContract,
    RunContract,
    ListingContract,
    MetricContract,
    FileContract,
    SnapshotContract,
    AssetContract,
    UploadContract,
    UpkeepContract,
    WorkspaceContract,
):
    @pytest.fixture
    def api(
        self, server: str, workspace_name: str, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Api]:
        with machine(server, workspace_name, tmp_path_factory.mktemp("spool")) as here:
            yield here.api

    @pytest.fixture
    def experiment_id(self, api: Api) -> str:
        return api.experiments.ensure("explore").id
