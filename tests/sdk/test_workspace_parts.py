"""What a workspace has beside experiments: words about itself, compute targets, refusals."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headway import (
    ComputeTarget,
    ComputeTargetNotFoundError,
    InvalidValueError,
    UnsupportedError,
    Workspace,
)


def test_a_workspace_keeps_what_is_said_of_it() -> None:
    ws = Workspace.create("mine", tags={"team": "a"}, friendly_name="Mine")
    assert ws.tags == {"team": "a"}
    assert Workspace.create("mine", tags={"team": "b"}, exist_ok=True).tags == {"team": "a"}
    details = ws.update(description="text", tags={"team": "c"})
    assert (details["friendlyName"], details["description"], details["tags"]) == (
        "Mine",
        "text",
        {"team": "c"},
    )
    assert Workspace.get("mine").tags == {"team": "c"}
    assert (ws.sku, ws.discovery_url) == ("basic", ws.uri)
    with pytest.raises(InvalidValueError, match="tags"):
        ws.update(tags=["a"])  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidValueError, match="friendly_name"):
        ws.update(friendly_name=3)  # pyright: ignore[reportArgumentType]


def test_workspaces_are_listed_by_name(own_environment: Path) -> None:
    assert Workspace.list("any") == {}
    for name in ("b", "a"):
        Workspace.create(name)
    (own_environment / "headway" / "workspaces" / "empty").mkdir()
    (own_environment / "headway" / "workspaces" / ".odd").mkdir()
    found = Workspace.list("any", resource_group="group")
    assert [*found] == ["a", "b"]
    assert [(ws.name, ws.resource_group) for ws in found["a"]] == [("a", "group")]


def test_setup_finds_the_workspace_that_is_meant(workspace: Workspace) -> None:
    assert Workspace.setup().folder == workspace.folder


REFUSED: list[Callable[[Any], object]] = [
    lambda ws: ws.delete(),
    lambda ws: ws.list_keys(),
    lambda ws: ws.sync_keys(),
    lambda ws: ws.service_context,
    lambda ws: ws.get_mlflow_tracking_uri(),
    lambda ws: ws.update_dependencies(),
    lambda ws: ws.diagnose_workspace({}),
    lambda ws: ws.add_private_endpoint(None),
    lambda ws: ws.delete_private_endpoint_connection("x"),
    lambda ws: ws.set_connection("x", "y", "z", "a", "b"),
    lambda ws: ws.get_connection("x"),
    lambda ws: ws.list_connections(),
    lambda ws: ws.delete_connection("x"),
    lambda ws: ComputeTarget.attach(ws, "vm", None),
    lambda ws: ComputeTarget(ws, "local").delete(),
    lambda ws: ComputeTarget(ws, "local").detach(),
]


@pytest.mark.parametrize("call", REFUSED)
def test_what_needs_azure_is_refused_with_what_to_do_instead(
    workspace: Workspace, call: Callable[[Any], object]
) -> None:
    with pytest.raises(UnsupportedError, match=r": \w+ ") as caught:
        call(workspace)
    assert len(caught.value.message) > 60


def test_what_azure_would_have_is_empty(workspace: Workspace) -> None:
    assert workspace.webservices == workspace.images == workspace.private_endpoints == {}
    assert workspace.linked_services == []


def test_this_machine_is_the_compute_target(workspace: Workspace) -> None:
    target = ComputeTarget(workspace=workspace, name="local")
    assert [*workspace.compute_targets] == [one.name for one in ComputeTarget.list(workspace)]
    assert (target.name, target.type, target.provisioning_state) == ("local", "local", "Succeeded")
    target.wait_for_completion(show_output=True)
    target.refresh_state()
    target.set_slots(cpus=2)
    assert workspace.compute_targets["local"].get_status().cpus == 2
    assert target.serialize()["cpus"] == target.get_status().serialize()["cpus"] == 2
    assert workspace.get_default_compute_target("CPU").name == "local"
    with pytest.raises(InvalidValueError, match="'GPU'"):
        workspace.get_default_compute_target("TPU")
    with pytest.raises(ComputeTargetNotFoundError, match="compute_target='local'"):
        ComputeTarget(workspace, "cpu-cluster")
