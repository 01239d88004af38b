"""Where a workspace on a server differs from one in a folder, as the contract has it."""

import io
from pathlib import Path

import pytest

from headway.api import Api
from headway.errors import RunFileExistsError
from headway.testing.api.files import PROGRAM
from headway.testing.api.requests import LOG, follow, submit


class SentOutputs:
    """What a program leaves behind is sent when it has ended, and is kept as any file then."""

    def test_an_upload_stands_before_what_the_program_left(
        self, api: Api, experiment_id: str, tmp_path: Path
    ) -> None:
        (tmp_path / "run.py").write_text(PROGRAM)
        run, _ = follow(api, submit(api, experiment_id, tmp_path, "run.py").id)
        with pytest.raises(RunFileExistsError):
            api.files.put(run.id, "outputs/model.pkl", io.BytesIO(b"uploaded"))
        api.files.put(run.id, "outputs/model.pkl", io.BytesIO(b"uploaded"), overwrite=True)
        with api.files.open(run.id, "outputs/model.pkl") as file:
            assert file.read() == b"uploaded"
        assert [e.path for e in api.files.list(run.id)].count("outputs/model.pkl") == 1
        with pytest.raises(RunFileExistsError):
            api.files.put(run.id, LOG, io.BytesIO(b"not a log"))
