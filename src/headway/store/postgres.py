"""A team's database: PostgreSQL through psycopg 3. Needs the extra ``server``.

A workspace is a schema; ``PostgresServer`` holds the connections that the workspaces of a process
share. The SQL is that of SQLite, and what differs is made alike here:

* A transaction that reads is a snapshot (repeatable read, read only). One that writes holds an
  advisory lock of its schema until it has ended, so it is the only writer, as with SQLite: numbers
  of runs, ``rid`` in the order of commits, watermarks of journals and versions of assets need it.
  It is read committed: whatever it reads it reads after the writer before has ended. So there are
  no serialization failures and no deadlocks that would have to be tried again.
* Threads of one process stand in line for the lock before they take a connection, so that readers
  find one.
* A connection that was lost while nothing was under way (the server was restarted) is replaced
  before a transaction begins; one that is lost within it is an error.
* Plans follow indexes: see ``SESSION`` in ``headway.store.postgres_sql``.
* Texts are collated as their bytes are. They cannot hold NUL or half of a surrogate pair, for which
  they get U+FFFD or ``?``; names, labels and filters with such were refused before.
"""

import os
import threading
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from headway.errors import (
    ConfigurationError,
    InvalidValueError,
    MissingPackageError,
    ServerUnavailableError,
    StorageBusyError,
    StorageError,
)
from headway.store import bells, migrations
from headway.store.base import INTEGERS, TOO_LARGE, Dialect, Parameters, Transaction
from headway.store.migrations import Migration
from headway.store.postgres_sql import (
    LOST,
    POSTGRES,
    READ,
    SESSION,
    WRITE,
    check_schema,
    fault_of,
    lock_key,
    numbered,
)

try:
    import psycopg
    from psycopg.abc import Buffer
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
    from psycopg.types.numeric import Int8BinaryDumper
    from psycopg.types.string import StrBinaryDumper
    from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout
except ImportError as error:
    raise MissingPackageError(
        f"PostgreSQL needs a package that is missing: {error}. Install it with: "
        "pip install 'headway[server]'"
    ) from error

Connection = psycopg.Connection[tuple[Any, ...]]

OLDEST_VERSION: Final = 14
_CHANNEL: Final = "headway"
_LISTEN_S: Final = 0.25
"""How often the listening thread looks whether it is still wanted."""
_LINGER_S: Final = 60.0
_ONE_TRY_S: Final = 1.0
_PATIENCE: Final = {
    "connect_timeout": 10,  # seconds, and the next three; the last in milliseconds
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


class PostgresTransaction:
    """Statements of one open transaction."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    @property
    def dialect(self) -> Dialect:
        """The words of PostgreSQL."""
        return POSTGRES

    def all(self, statement: str, parameters: Parameters | None = None) -> list[tuple[Any, ...]]:
        """Every row that the statement gives."""
        return self._execute(statement, parameters).fetchall()

    def one(self, statement: str, parameters: Parameters | None = None) -> tuple[Any, ...] | None:
        """The first row, or None."""
        return self._execute(statement, parameters).fetchone()

    def run(self, statement: str, parameters: Parameters | None = None) -> int:
        """Execute, and return how many rows changed."""
        return max(0, self._execute(statement, parameters).rowcount)

    def many(self, statement: str, parameters: Iterable[Parameters]) -> None:
        """Execute once for each set of parameters."""
        translated = numbered(statement)
        rows = [translated.values(one) or [] for one in parameters]
        if rows:
            with self._connection.cursor(binary=True) as cursor:
                cursor.executemany(translated.sql, rows)

    def ring(self, topic: str) -> None:
        """Wake whoever listens once this is committed."""
        payload = _topic(self._schema, topic)
        self.run("select pg_notify(:channel, :payload)", {"channel": _CHANNEL, "payload": payload})

    def _execute(
        self, statement: str, parameters: Parameters | None
    ) -> psycopg.Cursor[tuple[Any, ...]]:
        translated = numbered(statement)
        return self._connection.execute(translated.sql, translated.values(parameters), binary=True)


class PostgresServer:
    """The connections of this process to one PostgreSQL database."""

    def __init__(self, url: str, *, most_connections: int = 16, patience_s: float = 30.0) -> None:
        """Take note of where it is; nothing is connected yet.

        Args:
            url: ``postgresql://user@host/database``, or any other form that libpq reads.
            most_connections: So many are open at once at most, one to listen left out.
            patience_s: How long a transaction waits for other writers, or for a server that is
                away, in seconds.

        Raises:
            ConfigurationError: The URL cannot be read.
        """
        try:
            parts = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            why = _line(error)
            raise ConfigurationError(
                "the address of the database cannot be read"
                + ("" if "@" in why else f" ({why})")  # else it may show a password
                + ": give postgresql://USER@HOST/DATABASE"
            ) from error
        self.where = f"postgresql://{parts.get('host', '')}/{parts.get('dbname', '')}"
        self.patience_s = patience_s
        given = {name: value for name, value in _PATIENCE.items() if name not in parts}
        self._url = make_conninfo(url, **given)
        self._most = most_connections
        self._closed = False
        # By process: neither connections nor locks may be used on both sides of a fork. What a fork
        # copied stays where it is, for its end would close the parent's connections.
        self._pools: dict[int, ConnectionPool[Connection]] = {}
        self._opening: dict[int, threading.Lock] = {}
        self._ears = bells.Ears(self._watch, linger_s=_LINGER_S)

    def database(
        self, schema: str, *, steps: Sequence[Migration] | None = None
    ) -> "PostgresDatabase":
        """Open a schema, created and migrated where that is needed.

        Args:
            schema: Its name: lower-case letters, digits, ``_`` and ``-``.
            steps: All steps of it; None for those of a workspace.

        Raises:
            StorageError: It cannot be opened.
            StorageVersionError: A newer Headway wrote it.
        """
        return PostgresDatabase(self, schema, steps)

    def drop(self, schema: str) -> None:
        """Remove a schema with all that is in it, if there is one."""
        check_schema(schema)
        with self.translated(schema), self.connection("begin") as connection:
            connection.execute(f'drop schema if exists "{schema}" cascade'.encode())
            connection.execute(b"commit")

    @contextmanager
    def connection(self, begin: str) -> Generator[Connection, None, None]:
        """A connection on which ``begin`` was executed; what is under way in the end is undone."""
        pool = self._pool()
        connection = self._begun(pool, begin.encode())
        try:
            yield connection
        finally:
            _give_back(pool, connection)

    @contextmanager
    def listening(
        self, schema: str, topics: Iterable[str], on_ring: bells.OnRing | None
    ) -> Generator[bells.Ear, None, None]:
        """Hear topics of a schema."""
        self._refuse_closed()
        with self._ears.listening([_topic(schema, one) for one in topics], on_ring) as ear:
            yield ear

    @contextmanager
    def translated(self, schema: str = "") -> Generator[None, None, None]:
        """PostgreSQL's errors as those of Headway."""
        try:
            yield
        except PoolClosed as error:
            raise self._closed_error() from error
        except psycopg.Error as error:
            where = f"{self.where}, schema {schema}" if schema else self.where
            raise _translation(error, where) from error

    def close(self) -> None:
        """Close every connection that this process opened."""
        self._closed = True
        self._ears.close()
        pool = self._pools.pop(os.getpid(), None)
        if pool is not None:
            pool.close()

    def _pool(self) -> "ConnectionPool[Connection]":
        """That of this process."""
        pid = os.getpid()
        with self._opening.setdefault(pid, threading.Lock()):
            pool = self._pools.get(pid)
            if pool is None:
                self._refuse_closed()
                self._connect().close()  # a wrong address is told at once and as it is
                pool = self._pools[pid] = ConnectionPool[Connection](
                    self._url,
                    kwargs={"cursor_factory": psycopg.RawCursor, "autocommit": True},
                    min_size=0,
                    max_size=self._most,
                    open=True,
                    configure=_configure,
                    reconnect_timeout=_ONE_TRY_S,
                )
            return pool

    def _begun(self, pool: "ConnectionPool[Connection]", begin: bytes) -> Connection:
        """A connection, whatever became of those that were open before."""
        deadline = time.monotonic() + self.patience_s
        while True:
            try:
                connection = pool.getconn(_ONE_TRY_S)
            except PoolTimeout:
                if time.monotonic() > deadline:
                    self._connect().close()
                    raise StorageBusyError(
                        f"the database {self.where}: all {self._most} connections of this process "
                        f"were in use for {self.patience_s:g} s; try again"
                    ) from None
                continue
            try:
                connection.execute(begin)
            except BaseException as error:
                was_lost = isinstance(error, psycopg.OperationalError) and connection.closed
                _give_back(pool, connection)
                if not was_lost or time.monotonic() > deadline:
                    raise
            else:
                return connection

    def _connect(self) -> Connection:
        try:
            return psycopg.connect(self._url, autocommit=True)
        except psycopg.OperationalError as error:  # which has no SQLSTATE
            raise ServerUnavailableError(
                f"the database {self.where} cannot be connected to; check that it runs, the "
                f"address, the user and the password (PostgreSQL: {_line(error)})"
            ) from error

    def _watch(self, wanted: bells.Wanted, heard: bells.Heard) -> None:
        """Pass on what rings, as long as somebody listens."""
        with self.translated(), self._connect() as connection:
            connection.execute(f"listen {_CHANNEL}".encode())
            heard(None)
            while wanted():
                for notice in connection.notifies(timeout=_LISTEN_S):
                    heard(notice.payload)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise self._closed_error()

    def _closed_error(self) -> StorageError:
        return StorageError(f"the database {self.where} was closed; open it again")


class PostgresDatabase:
    """One schema, created and migrated when it is opened. Implements ``base.Database``."""

    def __init__(
        self, server: PostgresServer, schema: str, steps: Sequence[Migration] | None = None
    ) -> None:
        """Open the schema; ``PostgresServer.database`` says how."""
        check_schema(schema)
        self._server = server
        self._schema = schema
        self._steps = steps
        self._closed = False
        self._read = READ.format(schema=schema)
        patience_ms = max(1, round(server.patience_s * 1000))
        self._write = WRITE.format(schema=schema, patience_ms=patience_ms, key=lock_key(schema))
        self._lines: dict[int, threading.Lock] = {}
        with server.translated(schema):
            self._migrate()

    @contextmanager
    def read(self) -> Generator[Transaction, None, None]:
        """See one state of the database, whatever others write meanwhile."""
        return self._transaction(self._read)

    @contextmanager
    def write(self) -> Generator[Transaction, None, None]:
        """Be the only writer; commit at the end, or undo everything."""
        # By process, since a fork may copy it while it is held.
        line = self._lines.setdefault(os.getpid(), threading.Lock())
        if not line.acquire(timeout=self._server.patience_s):
            raise StorageBusyError(
                f"the database {self._server.where}, schema {self._schema}: other threads kept "
                f"writing for {self._server.patience_s:g} s; try again"
            )
        try:
            yield from self._transaction(self._write)
        finally:
            line.release()

    @contextmanager
    def listen(
        self, topics: Iterable[str], on_ring: bells.OnRing | None = None
    ) -> Generator[bells.Ear, None, None]:
        """Hear topics from now on, as ``headway.store.bells`` says."""
        self._refuse_closed()
        with self._server.listening(self._schema, topics, on_ring) as ear:
            yield ear

    def close(self) -> None:
        """Refuse further transactions; the connections belong to the server."""
        self._closed = True

    def _transaction(self, begin: str) -> Generator[Transaction, None, None]:
        self._refuse_closed()
        server = self._server
        with server.translated(self._schema), server.connection(begin) as connection:
            yield PostgresTransaction(connection, self._schema)
            try:
                ended = connection.execute(b"commit").statusmessage
            except psycopg.OperationalError as error:
                if not connection.closed:
                    raise
                raise ServerUnavailableError(
                    f"the database {server.where}: the connection was lost during the commit, so "
                    f"it may have happened or not; try again (PostgreSQL: {_line(error)})"
                ) from error
            if ended != "COMMIT":  # a statement had failed, and nobody said so
                raise StorageError(f"the database {server.where}: the transaction was undone")

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StorageError(
                f"the workspace in schema {self._schema} of {self._server.where} was closed; "
                "open it again"
            )

    def _migrate(self) -> None:
        """Bring the schema up to date; processes that open at the same moment take turns."""
        where = f"{self._server.where}, schema {self._schema}"
        with self._server.connection(self._read) as connection:
            self._check_server(connection)
            tx = PostgresTransaction(connection, self._schema)
            if tx.one(f"""select to_regclass('"{self._schema}".migrations')::text""") != (None,):
                number = migrations.current(tx)
                migrations.check_version(number, where, self._steps)
                if number == migrations.latest(self._steps):
                    return
        with self._server.connection(self._write) as connection:
            connection.execute(b"set local lock_timeout = 0")
            tx = PostgresTransaction(connection, self._schema)
            # Looked for first: whoever may use a schema need not have the right to make one. In the
            # table: to_regnamespace may still say what was so before the lock was waited for.
            if not tx.one(
                "select 1 from pg_namespace where nspname = :name", {"name": self._schema}
            ):
                tx.run(f'create schema "{self._schema}"')
            at = time.time_ns() // 1000
            migrations.apply_pending(tx, POSTGRES, at=at, where=where, steps=self._steps)
            connection.execute(b"commit")

    def _check_server(self, connection: Connection) -> None:
        info = connection.info
        version, encoding = info.server_version // 10000, info.parameter_status("server_encoding")
        if version < OLDEST_VERSION or encoding != "UTF8":
            raise StorageError(
                f"the database {self._server.where} is PostgreSQL {version} with encoding "
                f"{encoding}: Headway needs {OLDEST_VERSION} or later, and UTF8"
            )


def _give_back(pool: ConnectionPool[Connection], connection: Connection) -> None:
    """Undo what is under way, and let others have the connection, or a new one in its place."""
    with suppress(psycopg.Error):
        if not connection.closed and connection.info.transaction_status:
            connection.execute(b"rollback")
    pool.putconn(connection)


class _Integer(Int8BinaryDumper):
    """Every integer is a bigint, so that a statement has one plan whatever its values."""

    def dump(self, obj: int) -> Buffer | None:
        """The bytes."""
        if obj not in INTEGERS:
            raise InvalidValueError(TOO_LARGE)
        return super().dump(obj)


class _Text(StrBinaryDumper):
    """Texts, without what PostgreSQL's cannot hold."""

    def dump(self, obj: str) -> bytes:
        """The bytes."""
        return obj.replace("\0", "\ufffd").encode("utf-8", "replace")


def _configure(connection: Connection) -> None:
    connection.adapters.register_dumper(int, _Integer)
    connection.adapters.register_dumper(bool, _Integer)
    connection.adapters.register_dumper(str, _Text)
    connection.execute(SESSION)


def _topic(schema: str, topic: str) -> str:
    if len(topic) > bells.MAX_TOPIC_CHARS:
        raise InvalidValueError(
            f"a topic has {len(topic)} characters: at most {bells.MAX_TOPIC_CHARS} are accepted"
        )
    return f"{schema} {topic}"


def _translation(error: psycopg.Error, where: str) -> Exception:
    """The error of Headway that says the same."""
    lost = isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    state = error.sqlstate or (LOST if lost else "")
    fault = fault_of(state)
    if fault is not None:
        return fault.kind(f"the database {where}: {fault.advice} (PostgreSQL: {_line(error)})")
    return StorageError(f"the database {where}: {_line(error)}")


def _line(error: psycopg.Error) -> str:
    return " ".join(str(error).split())
