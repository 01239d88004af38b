"""``api.files``."""

import io

import pytest

from headway.api import Api
from headway.errors import (
    InvalidValueError,
    RunFileExistsError,
    RunFileNotFoundError,
)
from headway.testing.api.requests import (
    new_run,
)


class FileContract:
    """``api.files``."""

    def test_a_file_comes_back_as_it_was(self, api: Api, experiment_id: str) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        content = bytes(range(256)) * 5000
        entry = api.files.put(run.id, "outputs/model.bin", io.BytesIO(content))
        assert entry.size_bytes == len(content)
        with api.files.open(run.id, "outputs/model.bin") as file:
            assert file.read() == content
        assert [e.path for e in api.files.list(run.id)] == ["outputs/model.bin"]
        assert api.files.list(run.id, "other/") == []

    def test_a_name_that_is_taken_is_refused_unless_overwritten(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        api.files.put(run.id, "a", io.BytesIO(b"1"))
        with pytest.raises(RunFileExistsError, match="overwrite=True"):
            api.files.put(run.id, "a", io.BytesIO(b"2"))
        api.files.put(run.id, "a", io.BytesIO(b"3"), overwrite=True)
        with api.files.open(run.id, "a") as file:
            assert file.read() == b"3"

    @pytest.mark.parametrize("path", ["../a", "/a", "a/../b", "a//b", "", "a\\b", "a\0b", "./a"])
    def test_a_name_that_leads_elsewhere_is_refused(
        self, api: Api, experiment_id: str, path: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        with pytest.raises(InvalidValueError):
            api.files.put(run.id, path, io.BytesIO(b""))
        assert api.files.list(run.id) == []

    def test_an_absent_file_is_answered_with_those_there_are(
        self, api: Api, experiment_id: str
    ) -> None:
        [run] = api.runs.create([new_run(experiment_id)])
        api.files.put(run.id, "here", io.BytesIO(b""))
        with pytest.raises(RunFileNotFoundError, match="here"):
            api.files.open(run.id, "there")
