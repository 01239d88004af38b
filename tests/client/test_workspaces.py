"""Workspaces of a server as the SDK opens, makes, lists and writes them down."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from headway import Experiment, Workspace
from headway.errors import ConflictError, ServerUnavailableError, WorkspaceNotFoundError
from headway.sdk.interactive.process import close_sessions

_numbers: Final = itertools.count(1)


@pytest.fixture(autouse=True)
def sessions_end() -> Iterator[None]:
    yield
    close_sessions()


@pytest.fixture
def name(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """That of a workspace which is not there yet; its server is set."""
    monkeypatch.setenv("HEADWAY_WORKSPACE", server)
    return f"sdk-{next(_numbers)}"


def test_a_workspace_is_made_found_and_listed_on_the_server(server: str, name: str) -> None:
    with pytest.raises(WorkspaceNotFoundError, match=rf"no workspace '{name}' in {server}"):
        Workspace.get(name)
    made = Workspace.create(name, friendly_name="Mine", tags={"a": "1"})
    assert (made.name, made.uri) == (name, f"{server}/{name}")
    assert made.tags == {"a": "1"}
    with pytest.raises(ConflictError, match=name):
        Workspace.create(name)
    assert Workspace.create(name, exist_ok=True).tags == {"a": "1"}
    assert Workspace.get(name).get_details()["friendlyName"] == "Mine"
    listed = Workspace.list("any")
    assert {"default", name} <= listed.keys()
    assert [one.uri for one in listed[name]] == [made.uri]


def test_a_config_file_leads_to_the_server(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Workspace.create(name)
    made.write_config(path=tmp_path)
    monkeypatch.delenv("HEADWAY_WORKSPACE")
    monkeypatch.chdir(tmp_path)
    found = Workspace.from_config()
    assert (found.name, found.uri) == (name, made.uri)


def test_the_same_program_works_against_a_server(name: str) -> None:
    experiment = Experiment(Workspace.create(name), "explore-runs")
    with experiment.start_logging() as run:
        run.log("loss", 0.3)
        run.tag("quality", "good")
    [found] = experiment.get_runs(tags={"quality": "good"})
    assert found.get_status() == "Completed"
    assert found.get_metrics() == {"loss": 0.3}


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_WORKSPACE", "http://127.0.0.1:9")  # nobody listens to discard
    monkeypatch.setenv("HEADWAY_SERVER_TIMEOUT_S", "0.1")
    with pytest.raises(ServerUnavailableError, match=r"127\.0\.0\.1:9 does not answer.*refused"):
        Workspace.from_config()
