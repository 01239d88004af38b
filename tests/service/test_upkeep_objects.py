"""The life of data where files are in an object store."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.api import Api
from headway.model import NewRun, Status
from headway.service.storage import Storage, object_storage
from headway.service.workspace import open_workspace
from headway.settings import load_settings
from headway.testing.api.upkeep import UpkeepContract
from headway.upkeep import PurgeOrder


class TestUpkeepOfObjects(UpkeepContract):
    @pytest.fixture
    def storage(self) -> Storage:
        return object_storage("memory://", "team")

    @pytest.fixture
    def api(self, tmp_path: Path, storage: Storage) -> Iterator[Api]:
        api = open_workspace(tmp_path / "workspace", load_settings(), storage=storage)
        yield api
        api.close()

    @pytest.fixture
    def experiment_id(self, api: Api) -> str:
        return api.experiments.ensure("explore").id

    def test_a_purge_removes_objects_and_logs_of_the_run_alone(
        self, api: Api, storage: Storage, experiment_id: str
    ) -> None:
        for run_id in ("gone", "kept"):
            api.runs.create([NewRun(run_id, experiment_id, started=True)])
            api.files.put(run_id, "a", io.BytesIO(b"same"))
            storage.logs.append(run_id, "logs/a.txt", 0, b"line\n")
            api.runs.end(run_id, Status.COMPLETED)
        api.runs.delete(["gone"])
        assert api.upkeep.purge(PurgeOrder()).file_bytes >= len(b"sameline\n")
        assert list(storage.files.found("gone")) == []
        assert storage.logs.list("gone") == []
        assert len(list(storage.files.found("kept"))) == 1
        assert len(storage.logs.list("kept")) == 1
