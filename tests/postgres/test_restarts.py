"""PostgreSQL is restarted under a server at work: its clients notice nothing but the wait."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.server.started import Started, started

from headway.client.connection import Connection
from headway.client.spool import Spool, Target
from headway.client.workspace import RemoteWorkspace
from headway.model import RunQuery
from headway.settings import load_settings
from headway.testing.api.requests import new_run
from headway.testing.postgres_cluster import PostgresCluster

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture
def server(own_cluster: PostgresCluster, tmp_path: Path) -> Iterator[Started]:
    with started(tmp_path / "root", "--database", own_cluster.url) as made:
        yield made


@pytest.fixture
def api(server: Started, tmp_path: Path) -> Iterator[RemoteWorkspace]:
    spool = Spool(tmp_path / "spool")
    spool.create(Target(server.url, "default"))
    connection = Connection(server.url, "default", token=server.token, timeout_s=25.0)
    workspace = RemoteWorkspace(connection, spool, load_settings())
    yield workspace
    workspace.close()


def test_clients_of_a_server_meet_no_error_and_every_run_is_there_once(
    own_cluster: PostgresCluster, server: Started, api: RemoteWorkspace
) -> None:
    experiment_id = api.experiments.ensure("explore").id
    enough, errors = threading.Event(), list[Exception]()
    made: dict[int, list[str]] = {thread: [] for thread in range(4)}

    def work(thread: int) -> None:
        try:
            while not enough.is_set():
                [run] = api.runs.create([new_run(experiment_id)])
                assert api.runs.get(run.id) == run
                made[thread].append(run.id)
        except Exception as error:  # noqa: BLE001  (told at the end)
            errors.append(error)

    def wait_for_more() -> None:
        goal = sum(map(len, made.values())) + 20
        while sum(map(len, made.values())) < goal and not errors:
            enough.wait(0.01)

    working = [threading.Thread(target=work, args=(thread,)) for thread in made]
    for one in working:
        one.start()
    for mode in ("immediate", "fast"):
        wait_for_more()
        own_cluster.stop(mode)
        assert server.send(b"GET /health HTTP/1.1")[0] == 200
        own_cluster.start()
    wait_for_more()
    enough.set()
    for one in working:
        one.join()
    assert errors == []
    found = api.runs.list(RunQuery(experiment_id=experiment_id, limit=1000)).runs
    assert {id_ for ids in made.values() for id_ in ids} == {run.id for run in found}
    assert sorted(run.number for run in found) == list(range(1, len(found) + 1))
    assert server.send(b"GET /ready HTTP/1.1")[0] == 200
    assert "Traceback" not in server.log.read_text("utf-8")
