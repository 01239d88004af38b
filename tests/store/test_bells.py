"""Bells between threads and processes, and what becomes of them when the database is away."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from headway.errors import StorageError
from headway.store import bells
from headway.store.sqlite import SqliteDatabase

PROGRAM: Final = """
import sys
from pathlib import Path
from headway.store.sqlite import SqliteDatabase
database = SqliteDatabase(Path(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    with database.write() as tx:
        tx.ring(line.strip())
"""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    database = SqliteDatabase(tmp_path / "headway.db")
    yield database
    database.close()


def test_another_process_is_heard(database: SqliteDatabase, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "headway.db")]
    with (
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other,
        database.listen(["a"]) as ear,
    ):
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        while ear.wait(0.2):
            pass
        for _ in range(3):
            other.stdin.write("a\n")
            other.stdin.flush()
            assert ear.wait(10)
        other.stdin.close()


def test_an_event_loop_is_woken_without_a_thread_that_waits(database: SqliteDatabase) -> None:
    async def hear() -> None:
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        with database.listen(["a"], lambda: loop.call_soon_threadsafe(ready.set)):
            await asyncio.to_thread(ring, database)
            await asyncio.wait_for(ready.wait(), 10)

    asyncio.run(hear())


def test_a_loop_that_was_closed_keeps_nobody_else_from_hearing(database: SqliteDatabase) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    with (
        database.listen(["a"], lambda: loop.call_soon_threadsafe(print)),
        database.listen(["a"]) as ear,
    ):
        while ear.wait(0.2):
            pass
        for _ in range(2):
            ring(database)
            assert ear.wait(10)


def ring(database: SqliteDatabase) -> None:
    with database.write() as tx:
        tx.ring("a")


def test_closing_the_database_wakes_who_waits(database: SqliteDatabase) -> None:
    listening, woken = threading.Event(), list[bool]()

    def listen() -> None:
        with database.listen(["a"]) as ear:
            while ear.wait(0.2):
                pass
            listening.set()
            woken.append(ear.wait(20))

    waiting = threading.Thread(target=listen)
    waiting.start()
    assert listening.wait(10)
    database.close()
    waiting.join(10)
    assert woken == [True]
    with pytest.raises(StorageError, match="closed"), database.listen(["a"]):
        pass


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_listens_for_itself(database: SqliteDatabase) -> None:
    with database.listen(["a"]):
        child = os.fork()
        if child == 0:
            with database.listen(["a"]) as ear:
                ring(database)
                os._exit(0 if ear.wait(10) else 1)
        assert os.waitpid(child, 0)[1] == 0


def test_a_database_that_is_away_for_a_while_is_listened_to_again() -> None:
    tries = threading.Semaphore(0)
    rounds = iter(range(100))

    def watch(wanted: bells.Wanted, heard: bells.Heard) -> None:
        tries.release()
        if next(rounds) < 2:
            raise StorageError("away")
        heard("a")
        while wanted():
            threading.Event().wait(0.01)

    ears = bells.Ears(watch, linger_s=0)
    with ears.listening(["a"]) as ear:
        for _ in range(3):
            assert tries.acquire(timeout=10)
            assert ear.wait(10)
    ears.close()
