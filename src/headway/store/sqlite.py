# apsw's stubs speak of collections.abc.Buffer, which Python 3.11 does not have:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
"""The embedded database: SQLite through apsw, whose wheel carries a current SQLite.

CPython's own is often 3.40, which can lose commits when a WAL is reset under two connections
(3.7.0 to 3.51.2). WAL mode, ``synchronous=FULL``, one connection a thread, writers in line through
``begin immediate``.
"""

import fcntl
import os
import random
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import apsw

from headway.errors import (
    InvalidValueError,
    StorageBusyError,
    StorageCorruptError,
    StorageError,
    StorageFullError,
)
from headway.store import bells, migrations
from headway.store.base import TOO_LARGE, Dialect, Parameters, Transaction
from headway.store.filesystem import refuse_network_filesystem
from headway.store.migrations import Migration

_SAFE_SINCE: Final = (3, 51, 3)
_COPIED_PAGES: Final = 1000
_RINGS: Final = 2**31
"""``user_version`` is below it."""
_ERRORS: Final[tuple[tuple[type[apsw.Error], type[StorageError], str], ...]] = (
    (
        apsw.BusyError,
        StorageBusyError,
        "other processes kept writing for {patience:g} s; try again",
    ),
    (apsw.LockedError, StorageBusyError, "another connection holds it; try again"),
    (apsw.FullError, StorageFullError, "no space is left on its disk; free some and try again"),
    (apsw.CorruptError, StorageCorruptError, "the file is damaged; run 'headway doctor'"),
    (apsw.NotADBError, StorageCorruptError, "the file is no SQLite database; run 'headway doctor'"),
    (apsw.ReadOnlyError, StorageError, "it cannot be written to; check its permissions"),
    (apsw.CantOpenError, StorageError, "it cannot be opened; check that it exists and is readable"),
)


def _glob(pattern: str) -> str:
    """``%`` is ``*`` there and ``_`` is ``?``; what else means something stands in brackets."""
    words = {"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"}
    return "".join(words.get(character, character) for character in pattern)


SQLITE: Final = Dialect(
    serial="integer primary key",
    key="integer primary key",
    text="text",
    blob="blob",
    indexed_by=" indexed by {}",
    like="glob",
    pattern=_glob,
)


def _encodable(parameters: Parameters) -> Parameters:
    """The same with ``?`` for halves of surrogate pairs, which are no characters."""
    return {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in parameters.items()
    }


class SqliteTransaction:
    """Statements of one open transaction."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        """The words of SQLite."""
        return SQLITE

    def all(self, statement: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        """Every row that the statement gives."""
        return self._execute(statement, parameters).fetchall()

    def one(self, statement: str, parameters: Parameters | None = None) -> tuple[Any, ...] | None:
        """The first row, or None."""
        return self._execute(statement, parameters).fetchone()

    def run(self, statement: str, parameters: Parameters | None = None) -> int:
        """Execute, and return how many rows changed."""
        before = self._connection.total_changes()
        self._execute(statement, parameters)
        return self._connection.total_changes() - before

    def many(self, statement: str, parameters: Iterable[Parameters]) -> None:
        """Execute once for each set of parameters."""
        self._connection.executemany(statement, parameters)

    def ring(self, topic: str) -> None:
        """Wake whoever listens once this is committed."""
        row = self.one("pragma user_version")
        rung = (row[0] if row else 0) + 1
        self._connection.execute(f"pragma user_version = {rung % _RINGS}")

    def _execute(self, statement: str, parameters: Parameters | None) -> apsw.Cursor:
        try:
            return self._connection.execute(statement, parameters)
        except UnicodeEncodeError:  # the name of a file in a message, for instance
            return self._connection.execute(statement, _encodable(parameters or {}))


class SqliteDatabase:
    """One SQLite file, created and migrated when it is opened."""

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout_s: float = 30.0,
        steps: Sequence[Migration] | None = None,
    ) -> None:
        """Open the file, making it where there is none.

        Args:
            path: The file; its folder must exist.
            busy_timeout_s: Patience with other writers, in seconds.
            steps: All steps of its schema; None for those of a workspace.

        Raises:
            StorageError: It is on a network file system, or cannot be opened.
            StorageVersionError: A newer Headway wrote it.
        """
        refuse_network_filesystem(path.parent)
        self._path = path
        self._patience_s = busy_timeout_s
        self._steps = steps
        self._connections: dict[tuple[int, int], apsw.Connection] = {}
        self._closed = False
        self._ears = bells.Ears(self._watch, linger_s=1.0)
        with self._translated():
            self._migrate()

    @contextmanager
    def read(self) -> Generator[Transaction, None, None]:
        """See one state of the database, whatever others write meanwhile."""
        return self._transaction("begin")

    @contextmanager
    def write(self) -> Generator[Transaction, None, None]:
        """Be the only writer; commit at the end, or undo everything."""
        return self._transaction("begin immediate")

    @contextmanager
    def listen(
        self, topics: Iterable[str], on_ring: bells.OnRing | None = None
    ) -> Generator[bells.Ear, None, None]:
        """Hear topics from now on, as ``headway.store.bells`` says."""
        self._refuse_closed()
        with self._ears.listening(topics, on_ring) as ear:
            yield ear

    def compact(self) -> int:
        """Write the file anew without gaps; by how much it shrank, in bytes."""
        before = self._path.stat().st_size
        with self._translated():
            connection = self._connection()
            connection.execute("vacuum")
            connection.execute("pragma wal_checkpoint(truncate)").fetchall()
        return max(0, before - self._path.stat().st_size)

    def copy_to(self, target: Path, progress: Callable[[int, int], None]) -> None:
        """Write one state of the database to a new file, while others read and write.

        Args:
            target: The file; it must not exist.
            progress: Told how many pages are left, and how many there are.
        """
        with (
            self._translated(),
            closing(self._connect()) as source,
            closing(apsw.Connection(str(target))) as copy,
        ):
            # One read transaction for all of it: else every commit would begin the copy anew.
            source.execute("begin; select 1 from sqlite_master").fetchall()
            with copy.backup("main", source, "main") as backup:
                while not backup.done:
                    backup.step(_COPIED_PAGES)
                    progress(backup.remaining, backup.page_count)
            copy.execute("pragma journal_mode=delete").fetchall()

    def close(self) -> None:
        """Close every connection that this process opened."""
        self._closed = True
        self._ears.close()
        pid = os.getpid()
        for key in list(self._connections):
            connection = self._connections.pop(key)
            if key[0] == pid:
                connection.close()

    def _transaction(self, begin: str) -> Generator[Transaction, None, None]:
        with self._translated():
            connection = self._connection()
            connection.execute(begin)
            try:
                yield SqliteTransaction(connection)
                connection.execute("commit")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("rollback")
                raise

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StorageError(f"the workspace at {self._path.parent} was closed; open it again")

    def _connection(self) -> apsw.Connection:
        self._refuse_closed()
        # The process is part of the key: a connection may not be used on both sides of a fork.
        key = (os.getpid(), threading.get_ident())
        connection = self._connections.get(key)
        if connection is None:
            self._forget_dead_threads()
            connection = self._connections[key] = self._connect()
        return connection

    def _watch(self, wanted: bells.Wanted, heard: bells.Heard) -> None:
        """Look whether a ring was committed, as long as somebody listens."""
        with self._translated(), closing(self._connect()) as connection:
            seen = None
            while wanted():
                row = connection.execute("pragma user_version").fetchone()
                if row != seen:
                    seen = row
                    heard(None)
                time.sleep(bells.POLL_S)

    def _forget_dead_threads(self) -> None:
        living = {thread.ident for thread in threading.enumerate()}
        for pid, thread in list(self._connections):
            if pid == os.getpid() and thread not in living:
                self._connections.pop((pid, thread)).close()

    def _connect(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._path))
        connection.set_busy_handler(_Patience(self._patience_s))
        connection.execute("pragma foreign_keys=on; pragma synchronous=full")
        connection.execute("pragma temp_store=memory; pragma cache_size=-16384")
        return connection

    def _migrate(self) -> None:
        """Bring the schema up to date; processes that open at the same moment take turns."""
        if not _is_safe():
            raise StorageError(
                f"apsw brings SQLite {apsw.sqlite_lib_version()}, which can lose commits; "
                "install a newer one: pip install --upgrade apsw"
            )
        if self._is_current():
            return
        with self._path.with_name("migrate.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._is_current():
                return
            with closing(self._connect()) as connection:
                connection.execute("pragma journal_mode=wal").fetchall()
                existed = bool(connection.execute("select 1 from sqlite_master").fetchone())
            if existed:
                self._back_up()
            with self.write() as tx:
                migrations.apply_pending(
                    tx,
                    SQLITE,
                    at=time.time_ns() // 1000,
                    where=str(self._path.parent),
                    steps=self._steps,
                )

    def _is_current(self) -> bool:
        if not self._path.exists():
            return False
        with self.read() as tx:
            if not tx.one("select 1 from sqlite_master where name = 'migrations'"):
                return False
            number = migrations.current(tx)
        migrations.check_version(number, str(self._path.parent), self._steps)
        return number == migrations.latest(self._steps)

    def _back_up(self) -> None:
        """Keep a copy of what was there before a migration, beside it."""
        with self.read() as tx:
            number = migrations.current(tx)
        target = self._path.with_name(f"{self._path.stem}.before-{number + 1}{self._path.suffix}")
        if target.exists():
            return
        partial = target.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with (
            closing(self._connect()) as source,
            closing(apsw.Connection(str(partial))) as copy,
            copy.backup("main", source, "main") as backup,
        ):
            while not backup.done:
                backup.step(1000)
        partial.rename(target)

    @contextmanager
    def _translated(self) -> Generator[None, None, None]:
        try:
            yield
        except OverflowError as error:
            raise InvalidValueError(TOO_LARGE) from error
        except apsw.Error as error:
            for kind, ours, advice in _ERRORS:
                if isinstance(error, kind):
                    raise ours(
                        f"the database {self._path}: {advice.format(patience=self._patience_s)} "
                        f"(SQLite: {error})"
                    ) from error
            if isinstance(error, apsw.IOError) and _disk_full(self._path.parent):
                raise StorageFullError(
                    f"the database {self._path}: no space is left on its disk; free some and try "
                    f"again (SQLite: {error})"
                ) from error
            raise StorageError(f"the database {self._path}: {error}") from error


class _Patience:
    """Waits for other writers in short, uneven steps, so that many do not wake together."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._since = 0.0

    def __call__(self, tries: int) -> bool:
        now = time.monotonic()
        if tries == 0:
            self._since = now
        if now - self._since > self._limit_s:
            return False
        longest_s = min(0.0005 * (1 << min(tries, 6)), 0.02)
        time.sleep(longest_s * (0.5 + random.random() / 2))  # noqa: S311  not a secret
        return True


def _is_safe() -> bool:
    return tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) >= _SAFE_SINCE


def _disk_full(folder: Path) -> bool:
    usage = os.statvfs(folder)
    return usage.f_bavail * usage.f_frsize < 1 << 16
