"""Many writers at once, and a PostgreSQL that goes away and comes back."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Final

import pytest

from headway.errors import HeadwayError
from headway.model import Experiment
from headway.store import experiments
from headway.store.base import Database
from headway.store.postgres import PostgresServer
from headway.testing.postgres_cluster import PostgresCluster

WRITERS: Final = """
import sys, threading
from headway.model import Experiment
from headway.store import experiments
from headway.store.postgres import PostgresServer

url, schema, process, threads, times = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
server = PostgresServer(url)
database = server.database(schema)
errors = []
print("ready", flush=True)
sys.stdin.readline()

def work(thread):
    try:
        for i in range(times):
            with database.write() as tx:
                number = experiments.take_numbers(tx, "all", 1)
                name = f"{process}-{thread}-{i}"
                experiments.insert(tx, Experiment(id=name, name=name, created_at=number))
    except Exception as error:
        errors.append(repr(error))

working = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
for one in working: one.start()
for one in working: one.join()
server.close()
print(errors)
"""


def test_64_writers_in_four_processes_meet_no_error(
    postgres_cluster: PostgresCluster, postgres: PostgresServer, schema: str
) -> None:
    database = postgres.database(schema)
    add(database, "all", counted=False)
    command = [sys.executable, "-c", WRITERS, postgres_cluster.url, schema]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen([*command, str(i), "16", "10"], stdin=pipe, stdout=pipe, text=True)
        for i in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in processes] == ["[]\n"] * 4
    with database.read() as tx:
        made = experiments.listed(tx, name=None, archived=None)
    assert sorted(one.created_at for one in made) == list(range(641))


KILLED: Final = """
import os, signal, sys
from headway.model import Experiment
from headway.store import experiments
from headway.store.postgres import PostgresServer
with PostgresServer(sys.argv[1]).database(sys.argv[2]).write() as tx:
    experiments.insert(tx, Experiment(id="lost", name="lost", created_at=1))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_writer_that_is_killed_leaves_nothing_and_keeps_nobody_waiting(
    postgres_cluster: PostgresCluster, postgres: PostgresServer, schema: str
) -> None:
    database = postgres.database(schema)
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, postgres_cluster.url, schema], check=False
    )
    assert killed.returncode == -signal.SIGKILL
    add(database, "all", counted=False)
    with database.read() as tx:
        assert [one.id for one in experiments.listed(tx, name=None, archived=None)] == ["all"]


@pytest.fixture
def database(own_cluster: PostgresCluster) -> Iterator[Database]:
    server = PostgresServer(own_cluster.url, patience_s=20)
    database = server.database("ws_test")
    add(database, "all", counted=False)
    yield database
    server.close()


def add(database: Database, name: str, *, counted: bool = True) -> None:
    """Make an experiment unless it is there, as a request that may be repeated does."""
    with database.write() as tx:
        if experiments.by_id(tx, name) is None:
            number = experiments.take_numbers(tx, "all", 1) if counted else 0
            experiments.insert(tx, Experiment(id=name, name=name, created_at=number))


def test_restarts_under_load_lose_nothing_and_repeat_nothing(
    own_cluster: PostgresCluster, database: Database
) -> None:
    enough, refused = threading.Event(), list[HeadwayError]()
    acknowledged: dict[int, list[str]] = {thread: [] for thread in range(8)}

    def write(thread: int) -> None:
        while not enough.is_set():
            name = f"{thread}-{len(acknowledged[thread])}"
            try:
                add(database, name)
            except HeadwayError as error:
                refused.append(error)
            else:
                acknowledged[thread].append(name)

    def wait_for_more() -> None:
        goal = sum(map(len, acknowledged.values())) + 40
        while sum(map(len, acknowledged.values())) < goal:
            assert any(one.is_alive() for one in writing), refused
            enough.wait(0.01)

    writing = [threading.Thread(target=write, args=(thread,)) for thread in acknowledged]
    for one in writing:
        one.start()
    try:
        for _ in range(3):
            wait_for_more()
            own_cluster.stop("immediate")
            own_cluster.start()
        wait_for_more()
    finally:
        enough.set()
        for one in writing:
            one.join()
    assert [error for error in refused if not error.transient] == []
    with database.read() as tx:
        found = experiments.listed(tx, name=None, archived=None)
    known = {name for names in acknowledged.values() for name in names}
    assert known <= {one.id for one in found}
    assert sorted(one.created_at for one in found) == list(range(len(found)))


def test_what_rings_after_a_restart_is_heard(
    own_cluster: PostgresCluster, database: Database
) -> None:
    with database.listen(["a"]) as ear:
        assert ear.wait(10)
        own_cluster.stop("immediate")
        own_cluster.start()
        while ear.wait(1.0):  # the connection was lost, and made anew
            pass
        with database.write() as tx:
            tx.ring("a")
        assert ear.wait(10)


def test_another_process_is_heard_and_another_workspace_is_not(
    postgres_cluster: PostgresCluster, postgres: PostgresServer, schema: str
) -> None:
    here, other = postgres.database(schema), PostgresServer(postgres_cluster.url)
    there, elsewhere = other.database(schema), other.database(f"{schema}-b")
    with here.listen(["a"]) as ear:
        ring(there, "a")
        assert ear.wait(10)
        while ear.wait(0.2):
            pass
        ring(elsewhere, "a")
        ring(there, "b")
        assert not ear.wait(0.2)
        ring(there, "a")
        assert ear.wait(10)
    other.drop(f"{schema}-b")
    other.close()


def ring(database: Database, topic: str) -> None:
    with database.write() as tx:
        tx.ring(topic)
