"""What is PostgreSQL's own: connections, errors, migrations, texts."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from headway.errors import (
    ConfigurationError,
    HeadwayError,
    InvalidValueError,
    ServerUnavailableError,
    StorageBusyError,
    StorageCorruptError,
    StorageError,
    StorageFullError,
    StorageVersionError,
)
from headway.model import Experiment
from headway.store import experiments, migrations
from headway.store.base import Database
from headway.store.migrations import MIGRATIONS, Migration
from headway.store.postgres import PostgresServer
from headway.testing.postgres_cluster import PostgresCluster

DIE: Final = "select pg_terminate_backend(pg_backend_pid())"


def add(database: Database, name: str) -> None:
    with database.write() as tx:
        experiments.insert(tx, Experiment(id=name, name=name, created_at=1))


def names(database: Database) -> list[str]:
    with database.read() as tx:
        return [one.name for one in experiments.listed(tx, name=None, archived=None)]


@pytest.fixture
def impatient(postgres_cluster: PostgresCluster) -> Iterator[PostgresServer]:
    """Other connections to the same database, which wait for nothing."""
    server = PostgresServer(postgres_cluster.url, patience_s=0.05, most_connections=2)
    yield server
    server.close()


# ---------------------------------------------------------------------- schemas and texts


def test_workspaces_are_schemas_that_know_nothing_of_each_other(
    postgres: PostgresServer, schema: str
) -> None:
    first, second = postgres.database(schema), postgres.database(f"{schema}-b")
    add(first, "one")
    add(second, "two")
    assert (names(first), names(second)) == (["one"], ["two"])
    postgres.drop(f"{schema}-b")
    assert names(first) == ["one"]


@pytest.mark.parametrize("name", ["", "Ws", 'a"; drop schema b', "a" * 64, "1a", "a.b", "a\0"])
def test_what_is_no_name_of_a_schema_is_refused(postgres: PostgresServer, name: str) -> None:
    for use in (postgres.database, postgres.drop):
        with pytest.raises(InvalidValueError, match="lower-case letters"):
            use(name)


def test_every_text_is_sorted_by_code_points(database: Database, schema: str) -> None:
    with database.read() as tx:
        others = tx.all(
            "select table_name, column_name from information_schema.columns where "
            "table_schema = :schema and data_type = 'text' and collation_name is distinct from 'C' "
            "and table_name <> 'migrations'",
            {"schema": schema},
        )
    assert others == []
    for name in ["b", "\U00010000", "\ue000", "A", "a", "Ä"]:
        add(database, name)
    assert names(database) == ["A", "a", "b", "Ä", "\ue000", "\U00010000"]


def test_what_a_text_cannot_hold_is_replaced(database: Database) -> None:
    with database.write() as tx:
        found = tx.one("select cast(:a as text), cast(:b as text)", {"a": "a\0b", "b": "\ud800"})
    assert found == ("a\ufffdb", "?")


def test_parameters_are_told_from_casts_and_quoted_texts(database: Database) -> None:
    with database.read() as tx:
        found = tx.one("select ':a'::text, :a + :b, :a, '''' || ':b'", {"a": 1, "b": 2, "c": 3})
    assert found == (":a", 3, 1, "':b")


# ---------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("state", "kind", "advice"),
    [
        ("53100", StorageFullError, "no space is left"),
        ("53200", StorageBusyError, "memory"),
        ("53300", StorageBusyError, "max_connections"),
        ("40001", StorageBusyError, "try again"),
        ("40P01", StorageBusyError, "try again"),
        ("57P03", ServerUnavailableError, "try again"),
        ("XX001", StorageCorruptError, "backup"),
        ("42501", StorageError, "grant"),
        ("54000", InvalidValueError, "too long"),
        ("25006", StorageError, "primary"),
        ("22012", StorageError, "because"),
    ],
)
def test_an_error_says_what_to_do_and_undoes_the_write(
    database: Database, state: str, kind: type[HeadwayError], advice: str
) -> None:
    def fail() -> None:
        with database.write() as tx:
            experiments.insert(tx, Experiment(id="e", name="e", created_at=1))
            tx.run(
                f"do $$ begin raise exception 'because' using errcode = '{state}'; end $$",
            )

    with pytest.raises(kind, match=advice) as caught:
        fail()
    assert type(caught.value) is kind
    assert names(database) == []
    add(database, "e")


def test_a_failed_statement_that_was_passed_over_is_not_taken_for_a_commit(
    database: Database,
) -> None:
    def pass_over() -> None:
        with database.write() as tx:
            experiments.insert(tx, Experiment(id="e", name="e", created_at=1))
            with pytest.raises(Exception, match="nonsense"):
                tx.run("nonsense")

    with pytest.raises(StorageError, match="undone"):
        pass_over()
    assert names(database) == []


def test_an_address_that_leads_nowhere_is_told_at_once(tmp_path: object) -> None:
    server = PostgresServer(f"postgresql://me:secret@/db?host={tmp_path}")
    with pytest.raises(ServerUnavailableError) as caught:
        server.database("ws_x")
    assert caught.value.transient
    assert "secret" not in str(caught.value)


def test_a_database_that_is_not_there_is_named(postgres_cluster: PostgresCluster) -> None:
    server = PostgresServer(postgres_cluster.url.replace("/postgres?", "/absent?"))
    with pytest.raises(ServerUnavailableError, match=r"check .* the address.*absent"):
        server.database("ws_x")


@pytest.mark.parametrize("url", ["postgresql://host/db?nonsense=1", "postgre://me:secret@host/db"])
def test_an_address_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="postgresql://USER@HOST/DATABASE") as caught:
        PostgresServer(url)
    assert "secret" not in str(caught.value)


# ---------------------------------------------------------------------- writers and connections


def test_a_writer_that_waits_too_long_for_another_process_is_told_so(
    postgres: PostgresServer, impatient: PostgresServer, schema: str
) -> None:
    holder, waiter = postgres.database(schema), impatient.database(schema)
    with holder.write(), pytest.raises(StorageBusyError, match="try again") as caught:
        add(waiter, "x")
    assert caught.value.transient
    add(waiter, "x")


def test_a_writer_that_waits_too_long_for_another_thread_is_told_so(
    impatient: PostgresServer, schema: str
) -> None:
    database = impatient.database(schema)
    with (
        database.write(),
        ThreadPoolExecutor(1) as pool,
        pytest.raises(StorageBusyError, match="threads"),
    ):
        pool.submit(add, database, "x").result()


def test_writers_of_one_workspace_do_not_wait_for_those_of_another(
    impatient: PostgresServer, schema: str
) -> None:
    one, other = impatient.database(schema), impatient.database(f"{schema}-b")
    with one.write(), ThreadPoolExecutor(1) as pool:
        pool.submit(add, other, "x").result()
    assert names(other) == ["x"]
    impatient.drop(f"{schema}-b")


def test_readers_find_a_connection_while_many_threads_wait_to_write(
    postgres_cluster: PostgresCluster, schema: str
) -> None:
    server = PostgresServer(postgres_cluster.url, most_connections=2, patience_s=10)
    database = server.database(schema)
    with ThreadPoolExecutor(8) as pool:
        with database.write():
            waiting = [pool.submit(add, database, f"x{i}") for i in range(8)]
            with ThreadPoolExecutor(1) as readers:
                assert readers.submit(names, database).result() == []
        for one in waiting:
            one.result()
    assert len(names(database)) == 8
    server.close()


def test_more_threads_than_connections_take_turns(
    postgres_cluster: PostgresCluster, schema: str
) -> None:
    server = PostgresServer(postgres_cluster.url, most_connections=2, patience_s=10)
    database = server.database(schema)
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(names, [database] * 100)) == [[]] * 100
    server.close()


def test_connections_that_were_lost_meanwhile_are_replaced(
    database: Database, postgres: PostgresServer
) -> None:
    together = threading.Barrier(4)

    def connect(_: int) -> None:
        with database.read() as tx:
            tx.one("select 1")
            together.wait()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(connect, range(4)))
        with database.write() as tx:
            tx.run(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where pid <> pg_backend_pid() and backend_type = 'client backend'"
            )
        list(pool.map(connect, range(4)))
    add(database, "x")
    assert names(database) == ["x"]


def test_a_connection_that_is_lost_within_a_transaction_undoes_it(database: Database) -> None:
    def lose() -> None:
        with database.write() as tx:
            experiments.insert(tx, Experiment(id="e", name="e", created_at=1))
            tx.run(DIE)

    with pytest.raises(ServerUnavailableError) as caught:
        lose()
    assert caught.value.transient
    assert names(database) == []


def test_a_forked_child_uses_connections_of_its_own(
    postgres_cluster: PostgresCluster, schema: str
) -> None:
    program = """
import os, sys
from headway.model import Experiment
from headway.store import experiments
from headway.store.postgres import PostgresServer
server = PostgresServer(sys.argv[1])
database = server.database(sys.argv[2])
def add(name):
    with database.write() as tx:
        experiments.insert(tx, Experiment(id=name, name=name, created_at=1))
add("parent")
with database.write():  # held by a thread of the parent while the child is made
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
pid = os.fork()
if pid == 0:
    add("child")
    server.close()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
add("after")
with database.read() as tx:
    print([e.id for e in experiments.listed(tx, name=None, archived=None)])
server.close()
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore:.*fork", "-c", program, postgres_cluster.url, schema],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("['after', 'child', 'parent']\n", "")


def test_after_the_server_is_closed_a_transaction_is_refused(
    postgres_cluster: PostgresCluster, schema: str
) -> None:
    server = PostgresServer(postgres_cluster.url)
    database = server.database(schema)
    server.close()
    server.close()
    with pytest.raises(StorageError, match="closed"):
        names(database)


# ---------------------------------------------------------------------- migrations


def test_processes_that_open_a_new_schema_at_once_all_succeed(
    postgres_cluster: PostgresCluster, schema: str
) -> None:
    program = (
        "import sys; from headway.store.postgres import PostgresServer; "
        "server = PostgresServer(sys.argv[1]); print('ready', flush=True); sys.stdin.readline(); "
        "server.database(sys.argv[2]); server.close()"
    )
    command = [sys.executable, "-c", program, postgres_cluster.url, schema]
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outcomes = [process.communicate()[1] for process in processes]
    assert [(one.returncode, error) for one, error in zip(processes, outcomes, strict=True)] == [
        (0, "")
    ] * 4


def test_a_newer_schema_is_refused_with_the_way_out(postgres: PostgresServer, schema: str) -> None:
    with postgres.database(schema).write() as tx:
        tx.run("insert into migrations (number, name, applied_at) values (999, 'later', 1)")
    with pytest.raises(StorageVersionError, match="pip install --upgrade headway"):
        postgres.database(schema)


def test_a_database_may_have_steps_of_its_own(postgres: PostgresServer, schema: str) -> None:
    steps = [Migration(1, "first", ("create table mine (name {text} primary key)",))]
    postgres.database(schema, steps=steps)
    steps.append(Migration(2, "second", ("alter table mine add column at bigint",)))
    with postgres.database(schema, steps=steps).read() as tx:
        assert tx.all("select name, at from mine") == []
    with pytest.raises(StorageVersionError):
        postgres.database(schema, steps=steps[:1])


LATER: Final = tuple(
    statement for migration in MIGRATIONS[2:] for statement in migration.statements
)


@pytest.mark.parametrize("position", sorted({0, 1, len(LATER) // 2, len(LATER) - 1, len(LATER)}))
def test_a_migration_that_is_killed_at_a_statement_leaves_what_was_there(
    postgres: PostgresServer, schema: str, position: int
) -> None:
    old = postgres.database(schema, steps=MIGRATIONS[:2])
    add(old, "kept")
    statements = (*LATER[:position], DIE, *LATER[position:])
    killed = (*MIGRATIONS[:2], Migration(MIGRATIONS[-1].number, "all the others", statements))
    with pytest.raises(ServerUnavailableError):
        postgres.database(schema, steps=killed)
    with old.read() as tx:
        assert migrations.current(tx) == 2
        tables = "select 1 from information_schema.tables where table_schema = :schema"
        before = len(tx.all(tables, {"schema": schema}))
    now = postgres.database(schema)
    with now.read() as tx:
        assert migrations.current(tx) == migrations.LATEST
        assert len(tx.all(tables, {"schema": schema})) > before
    assert names(now) == ["kept"]
