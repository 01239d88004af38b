"""Two server processes over one PostgreSQL and one object store work as one.

They share no folder. The client asks now this one, now that one.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence

import pytest
from tests.client.differences import SentOutputs
from tests.client.machines import Machine, machine
from tests.server.started import Started, started

from headway.api import Api
from headway.client.accounts import RemoteAccounts
from headway.client.connection import Connection
from headway.client.credentials import Credentials
from headway.client.spool import Spool
from headway.client.workspace import RemoteWorkspace
from headway.sdk.submission.compute import LocalCompute
from headway.settings import load_settings
from headway.store.postgres import PostgresServer
from headway.testing.api_contract import ApiContract
from headway.testing.postgres_cluster import PostgresCluster

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
_numbers = itertools.count(1)


class Alternating(Connection):
    """Asks one server after the other, with every try."""

    def __init__(self, urls: Sequence[str], workspace: str, token: str) -> None:
        super().__init__(urls[0], workspace, token=token, timeout_s=20.0)
        self._urls = itertools.cycle(urls)

    def _address(self) -> str:
        return next(self._urls)


@pytest.fixture(scope="module")
def servers(
    postgres_cluster: PostgresCluster,
    postgres: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Started, Started]]:
    """Two of them, the first of which is signed in to as new; nothing of theirs stays."""
    store = tmp_path_factory.mktemp("store")
    options = ("--database", postgres_cluster.url, "--files", f"file://{store}")
    with (
        started(tmp_path_factory.mktemp("one") / "root", *options) as one,
        started(tmp_path_factory.mktemp("two") / "root", *options, token=one.token) as two,
    ):
        yield one, two
        accounts = RemoteAccounts(
            lambda workspace: Connection(one.url, workspace, token=one.token, timeout_s=5.0)
        )
        schemas = [f"ws_{workspace.name}" for workspace in accounts.workspaces()]
        accounts.close()
    for schema in ("headway_registry", *schemas):
        postgres.drop(schema)


class TestTwoServersContract(SentOutputs, ApiContract):
    @pytest.fixture
    def here(
        self,
        servers: tuple[Started, Started],
        tmp_path_factory: pytest.TempPathFactory,
    ) -> Iterator[Machine]:
        one, two = servers
        name = f"w-{next(_numbers)}"
        accounts = RemoteAccounts(
            lambda workspace: Connection(one.url, workspace, token=one.token, timeout_s=5.0)
        )
        accounts.create_workspace(name)
        accounts.close()
        for server in servers:  # the agent of this machine finds it as its user does
            Credentials().keep(server.url, server.token)
        spool = tmp_path_factory.mktemp("spool")
        with machine(one.url, name, spool) as here:
            connection = Alternating([two.url, one.url], name, one.token)
            here.api = RemoteWorkspace(connection, Spool(spool), load_settings())
            yield here

    @pytest.fixture
    def api(self, here: Machine) -> Api:
        return here.api

    @pytest.fixture
    def limit_cpus(self) -> Callable[[int], None]:
        def limit(cpus: int) -> None:
            LocalCompute(load_settings()).set_slots(cpus=cpus)

        return limit
