"""The embedded database: the contract, and what is SQLite's own."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from headway.errors import (
    StorageBusyError,
    StorageCorruptError,
    StorageError,
    StorageFullError,
    StorageVersionError,
)
from headway.model import Experiment
from headway.store import experiments, migrations
from headway.store.base import Database
from headway.store.filesystem import filesystem_of, refuse_network_filesystem
from headway.store.sqlite import SqliteDatabase
from headway.testing.store_contract import StoreContract


class TestSqliteContract(StoreContract):
    @pytest.fixture
    def database(self, tmp_path: Path) -> Iterator[Database]:
        database = SqliteDatabase(tmp_path / "headway.db", busy_timeout_s=10)
        yield database
        database.close()


def test_processes_that_open_a_new_database_at_once_all_succeed(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from headway.store.sqlite import SqliteDatabase; "
        "print('ready', flush=True); sys.stdin.readline(); "
        "SqliteDatabase(Path(sys.argv[1])).close()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "headway.db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outcomes = [process.communicate() for process in processes]
    assert [(p.returncode, err) for p, (_, err) in zip(processes, outcomes, strict=True)] == [
        (0, "")
    ] * 8


def test_a_newer_database_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "headway.db"
    database = SqliteDatabase(path)
    with database.write() as tx:
        tx.run("insert into migrations (number, name, applied_at) values (999, 'later', 1)")
    database.close()
    with pytest.raises(StorageVersionError, match="pip install --upgrade headway"):
        SqliteDatabase(path)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "headway.db"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(StorageCorruptError, match=r"headway\.db"):
        SqliteDatabase(path)


def test_a_writer_that_waits_too_long_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "headway.db"
    holder, waiter = SqliteDatabase(path), SqliteDatabase(path, busy_timeout_s=0.05)
    with holder.write(), pytest.raises(StorageBusyError) as caught, waiter.write():
        pass
    assert caught.value.transient
    holder.close()
    waiter.close()


def test_a_full_disk_undoes_the_write_and_heals(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "headway.db")
    with database.write() as tx:
        tx.run("pragma max_page_count=1")  # SQLite keeps the pages there are, and grants no more

    def fill() -> None:
        with database.write() as tx:
            for i in range(2000):
                experiments.insert(tx, Experiment(id=f"{i:0200}", name=f"{i:0200}", created_at=1))

    with pytest.raises(StorageFullError, match="no space"):
        fill()
    with database.read() as tx:
        assert experiments.listed(tx, name=None, archived=None) == []
    with database.write() as tx:
        tx.run("pragma max_page_count=1000000")
    with database.write() as tx:
        assert experiments.insert(tx, Experiment(id="e", name="e", created_at=1))
    database.close()


def test_a_forked_child_uses_a_connection_of_its_own(tmp_path: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from headway.model import Experiment
from headway.store import experiments
from headway.store.sqlite import SqliteDatabase
database = SqliteDatabase(Path(sys.argv[1]))
with database.write() as tx:
    experiments.insert(tx, Experiment(id="parent", name="parent", created_at=1))
pid = os.fork()
if pid == 0:
    with database.write() as tx:
        experiments.insert(tx, Experiment(id="child", name="child", created_at=1))
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
with database.read() as tx:
    print([e.id for e in experiments.listed(tx, name=None, archived=None)])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "headway.db")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "['child', 'parent']\n"


def test_connections_of_ended_threads_are_closed(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "headway.db")

    def use(_: int) -> None:
        with database.read() as tx:
            tx.one("select 1")

    for i in range(30):
        thread = threading.Thread(target=use, args=(i,))
        thread.start()
        thread.join()
    open_files = os.listdir("/proc/self/fd")
    names = [os.readlink(f"/proc/self/fd/{fd}") for fd in open_files if _exists(fd)]
    assert sum(str(tmp_path / "headway.db") == name for name in names) <= 3
    database.close()


def test_a_migration_of_an_older_database_keeps_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "headway.db"
    SqliteDatabase(path).close()
    before = migrations.LATEST
    later = migrations.Migration(before + 1, "later", ("create table later (a bigint)",))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, later))
    monkeypatch.setattr(migrations, "LATEST", before + 1)
    with ThreadPoolExecutor(4) as pool:
        for database in pool.map(SqliteDatabase, [path] * 4):
            with database.read() as tx:
                assert tx.one("select count(*) from later") == (0,)
            database.close()
    with closing(sqlite3.connect(tmp_path / f"headway.before-{before + 1}.db")) as copy:
        assert copy.execute("select max(number) from migrations").fetchall() == [(before,)]


def test_a_failing_migration_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "headway.db"
    SqliteDatabase(path).close()
    before = migrations.LATEST
    statements = ("create table later (a bigint)", "nonsense")
    broken = migrations.Migration(before + 1, "broken", statements)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, broken))
        patch.setattr(migrations, "LATEST", before + 1)
        with pytest.raises(StorageError, match="nonsense"):
            SqliteDatabase(path)
    database = SqliteDatabase(path)
    with database.read() as tx:
        assert tx.one("select 1 from sqlite_master where name = 'later'") is None
        assert migrations.current(tx) == before
    database.close()


MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 22 0:40 / /home rw,relatime shared:1 - nfs4 server:/home rw
31 30 254:1 / /home/me/local\\040disk rw - xfs /dev/vdb rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv", "ext4"),
        ("/home/me", "nfs4"),
        ("/home/me/local disk/ws", "xfs"),
        ("/homestead", "ext4"),
    ],
)
def test_the_file_system_is_that_of_the_innermost_mount(folder: str, kind: str) -> None:
    assert filesystem_of(Path(folder), MOUNTS) == kind


def test_a_network_file_system_is_refused_with_the_way_out(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / {tmp_path} rw - nfs a:/b rw\n")
    with pytest.raises(StorageError, match=r"network file system \(nfs\).*server"):
        refuse_network_filesystem(tmp_path, mounts)


def _exists(fd: str) -> bool:
    try:
        os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return False
    return True
