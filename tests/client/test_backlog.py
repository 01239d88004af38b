"""What a client says that it leaves behind."""

from pathlib import Path

from headway.client.spool import Spool
from headway.client.workspace import RemoteWorkspace, open_remote
from headway.settings import load_settings
from headway.testing.journals import open_journal


def _open(folder: Path) -> RemoteWorkspace:
    settings = load_settings({"HEADWAY_HOME": str(folder / "home")})
    return open_remote("http://127.0.0.1:9", "default", folder / "spool", settings)


def test_points_that_wait_are_told_unless_an_agent_brings_them(tmp_path: Path) -> None:
    workspace = _open(tmp_path)
    spool = Spool(tmp_path / "spool")
    journal = open_journal(spool.journals)
    journal.log("loss", 0.5)
    journal.close()
    backlog = workspace.backlog()
    assert backlog.left(["run-1"]) == "1 point"
    spool.layout.run("run-1").mkdir(parents=True)  # it is executed here
    assert backlog.left(["run-1"]) == ""
    backlog.close()
    workspace.close()
