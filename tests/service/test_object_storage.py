"""A workspace whose bytes are in an object store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.api import Api
from headway.service.storage import object_storage
from headway.service.workspace import open_workspace
from headway.settings import load_settings
from headway.testing.api.assets import AssetContract
from headway.testing.api.files import FileContract
from headway.testing.api.snapshots import SnapshotContract
from headway.testing.api.uploads import UploadContract


class TestObjectStorage(AssetContract, FileContract, SnapshotContract, UploadContract):
    @pytest.fixture
    def api(self, tmp_path: Path) -> Iterator[Api]:
        storage = object_storage("memory://", "team")
        api = open_workspace(tmp_path / "workspace", load_settings(), storage=storage)
        yield api
        api.close()

    @pytest.fixture
    def experiment_id(self, api: Api) -> str:
        return api.experiments.ensure("explore").id
