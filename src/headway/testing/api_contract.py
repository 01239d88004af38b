"""What every workspace must do, whoever does it.

Subclass ``ApiContract`` and give it an ``api`` fixture that yields an empty workspace.
"""

from collections.abc import Iterator

import pytest

from headway.api import Api
from headway.testing.api.assets import AssetContract
from headway.testing.api.execution import ExecutionContract
from headway.testing.api.experiments import ExperimentContract
from headway.testing.api.files import FileContract
from headway.testing.api.listing import ListingContract
from headway.testing.api.metrics import MetricContract
from headway.testing.api.queueing import QueueContract
from headway.testing.api.runs import RunContract
from headway.testing.api.snapshots import SnapshotContract
from headway.testing.api.upkeep import UpkeepContract
from headway.testing.api.uploads import UploadContract
from headway.testing.api.workspace import WorkspaceContract


class ApiContract(
    ExperimentContract,
    RunContract,
    ListingContract,
    MetricContract,
    FileContract,
    SnapshotContract,
    UploadContract,
    ExecutionContract,
    QueueContract,
    AssetContract,
    UpkeepContract,
    WorkspaceContract,
):
    """The contract in ``headway.api``, verb by verb."""

    @pytest.fixture
    def api(self) -> Iterator[Api]:
        """An empty workspace."""
        raise NotImplementedError("give a fixture 'api' that yields an empty workspace")

    @pytest.fixture
    def experiment_id(self, api: Api) -> str:
        """An experiment to make runs in."""
        return api.experiments.ensure("explore").id
