"""Workspaces: named, made, found again."""

import json
from pathlib import Path

import pytest

from headway import (
    ConflictError,
    Experiment,
    InvalidValueError,
    StorageError,
    Workspace,
    WorkspaceNotFoundError,
)
from headway.sdk.interactive.process import close_sessions


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield folder
    close_sessions()


def test_a_workspace_is_named_as_in_the_matched_api(own_environment: Path) -> None:
    ws = Workspace("sub", "group", "mine")
    assert (ws.name, ws.subscription_id, ws.resource_group) == ("mine", "sub", "group")
    assert ws.location == "local"
    assert (own_environment / "headway" / "workspaces" / "mine").is_dir()
    assert repr(ws) == (
        "Workspace.create(name='mine', subscription_id='sub', resource_group='group')"
    )
    details = ws.get_details()
    assert details["name"] == "mine"
    assert str(details["creationTime"]).endswith("Z")


def test_a_workspace_is_made_once() -> None:
    with pytest.raises(WorkspaceNotFoundError, match=r"Workspace\.create\('mine'\)"):
        Workspace.get("mine")
    ws = Workspace.create("mine", subscription_id="s", resource_group="g")
    with pytest.raises(ConflictError, match="exist_ok"):
        Workspace.create("mine")
    assert Workspace.create("mine", exist_ok=True).name == "mine"
    Experiment(ws, "e")
    assert set(Workspace.get("mine", subscription_id="s").experiments) == {"e"}


def test_a_config_leads_back_to_its_workspace(tmp_path: Path) -> None:
    ws = Workspace("sub", "group", "mine")
    ws.write_config()
    assert json.loads(Path(".azureml/config.json").read_text()) == {
        "subscription_id": "sub",
        "resource_group": "group",
        "workspace_name": "mine",
    }
    below = tmp_path / "here" / "deep" / "down"
    below.mkdir(parents=True)
    found = Workspace.from_config(below)
    assert (found.name, found.subscription_id) == ("mine", "sub")
    ws.write_config(tmp_path / "other", "x.json")
    assert Workspace.from_config(tmp_path / "other" / ".azureml" / "x.json").name == "mine"


def test_a_workspace_elsewhere_is_written_with_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(tmp_path / "elsewhere"))
    ws = Workspace.from_config()
    Experiment(ws, "e")
    ws.write_config()
    monkeypatch.delenv("HEADWAY_WORKSPACE")
    found = Workspace.from_config()
    assert set(found.experiments) == {"e"}
    assert found.name == "elsewhere"


def test_workspaces_of_one_folder_share_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWAY_WORKSPACE", "one/../two")
    first = Workspace.from_config()
    monkeypatch.setenv("HEADWAY_WORKSPACE", "two")
    assert Workspace.from_config().api is first.api


def test_a_workspace_can_be_used_after_its_session_was_closed() -> None:
    ws = Workspace("s", "g", "mine")
    run = Experiment(ws, "e").start_logging()
    close_sessions()
    assert ws.get_run(run.id).get_status() == "Completed"


@pytest.mark.parametrize("wrong", [3, None, "", "a/b"])
def test_a_wrong_name_makes_nothing(own_environment: Path, wrong: object) -> None:
    for make in (Workspace.create, Workspace.get):
        with pytest.raises(InvalidValueError, match="workspace name"):
            make(wrong)  # pyright: ignore[reportArgumentType]  (that is the point)
    assert not (own_environment / "headway").exists()


def test_a_folder_that_cannot_be_made_is_a_storage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(tmp_path / "file" / "below"))
    with pytest.raises(StorageError, match="HEADWAY_WORKSPACE"):
        Workspace.from_config()
