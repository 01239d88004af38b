"""Exports and imports through a server, by its clients."""

from pathlib import Path

from tests.transfer.conftest import Make, filled, make
from tests.transfer.test_exports import send, take_in, told

from headway.client.workspace import RemoteWorkspace
from headway.service.workspace import EmbeddedWorkspace

__all__ = ["filled", "make"]  # the fixtures


def test_runs_go_to_a_server_and_come_back_as_they_were(
    filled: EmbeddedWorkspace, api: RemoteWorkspace, make: Make, tmp_path: Path
) -> None:
    imported = take_in(api, send(filled, tmp_path / "there", "parquet"))
    assert (imported.runs, imported.files, imported.conflicts) == (3, 2, [])
    assert take_in(api, tmp_path / "there").known == 3
    back = make()
    assert take_in(back, send(api, tmp_path / "back", "csv")).conflicts == []
    for run_id in ("parent", "child", "failed"):
        assert told(back, run_id) == told(filled, run_id)
