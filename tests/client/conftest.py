"""A real server on loopback, and clients of it, each with a workspace of its own."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.server.serving import ADMIN, Everyone

from headway.client.workspace import RemoteWorkspace, open_remote
from headway.server.app import make_app
from headway.server.backends import Backends
from headway.server.listening import Listener, in_thread
from headway.server.stopping import Stopping
from headway.server.workspaces import Hub
from headway.settings import load_settings

_numbers: Final = itertools.count(1)

OpenWorkspace = Callable[[], RemoteWorkspace]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1"]))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """The workspaces of the server."""
    root = tmp_path_factory.mktemp("server")
    settings = load_settings({"HEADWAY_HOME": str(root / "home")})
    hub = Hub(Backends(root, patience_s=10.0), settings)
    hub.accounts.add_user(ADMIN.user, admin=True)
    return hub


@pytest.fixture(scope="module")
def server(hub: Hub) -> Iterator[str]:
    """The URL of a server that lets everybody do everything."""
    stopping = Stopping()
    app = make_app(hub, Everyone(ADMIN), stopping=stopping)
    with in_thread(Listener(app, host="127.0.0.1", port=0, stopping=stopping)) as url:
        yield url


@pytest.fixture
def workspace_name(hub: Hub) -> str:
    """The name of a new workspace."""
    return hub.accounts.create_workspace(f"w{next(_numbers)}").name


@pytest.fixture
def open_workspace(
    workspace_name: str, server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenWorkspace]:
    """Opens clients, all of one new workspace, each as another machine would."""
    name = workspace_name
    opened: list[RemoteWorkspace] = []

    def open_one() -> RemoteWorkspace:
        folder = tmp_path_factory.mktemp("client")
        opened.append(open_remote(server, name, folder, load_settings()))
        return opened[-1]

    yield open_one
    for workspace in opened:
        workspace.close()


@pytest.fixture
def api(open_workspace: OpenWorkspace) -> RemoteWorkspace:
    """A client of it."""
    return open_workspace()
