"""A PostgreSQL of the tests' own: made in a temporary directory, reached by a unix socket, removed.

It is executed as an ordinary user, also where the tests are root, and killed by the kernel when the
process that started it ends.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_DEBIAN: Final = Path("/usr/lib/postgresql")
_USER: Final = "headway"
_PATIENCE_S: Final = 30.0
_FAST: Final = ("fsync=off", "full_page_writes=off")
_SETTINGS: Final = (
    "listen_addresses=",
    "max_connections=120",
    "shared_buffers=128MB",
    "autovacuum=off",
    "timezone=UTC",
)


def find_programs() -> Path | None:
    """The folder of PostgreSQL's programs: that on the ``PATH``, or Debian's newest."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(_DEBIAN.glob("*/bin"), key=lambda one: float(one.parent.name), reverse=True)
    return next((one for one in folders if (one / "initdb").exists()), None)


class PostgresCluster:
    """One server with its data."""

    def __init__(self, programs: Path, *, durable: bool = False) -> None:
        """Make and start it.

        Args:
            programs: What ``find_programs`` found.
            durable: Whether it keeps its promises in a power cut; it is faster if not.
        """
        self.programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="headway-postgres-"))
        self._data = self._folder / "data"
        self._user = _ordinary_user()
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        self._settings = (*_SETTINGS, *(() if durable else _FAST))
        self._server: subprocess.Popen[bytes] | None = None
        try:
            initdb = ["initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--no-instructions"]
            self._run([*initdb, f"--username={_USER}", "--locale=C.UTF-8", "-D", str(self._data)])
            self.start()
        except BaseException:
            self.remove()
            raise

    @property
    def url(self) -> str:
        """Where its database is."""
        return f"postgresql://{_USER}@/postgres?host={self._folder}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = ["postgres", "-D", str(self._data), "-k", str(self._folder)]
        for setting in self._settings:
            command += ["-c", setting]
        log = (self._folder / "log").open("ab")
        with log:
            self._server = subprocess.Popen(
                self._as_user(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + _PATIENCE_S
        while self._status(["pg_isready", "-q", "-h", str(self._folder)]) != 0:
            if self._server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError((self._folder / "log").read_text("utf-8"))
            time.sleep(0.02)

    def stop(self, mode: str = "fast") -> None:
        """End it; ``immediate`` is as a crash of it, ``fast`` ends what is under way first."""
        if self._server is None:
            return
        if self._server.poll() is None:
            self._status(["pg_ctl", "stop", "-s", "-m", mode, "-D", str(self._data)])
        self._server.wait(_PATIENCE_S)
        self._server = None

    def remove(self) -> None:
        """End it, and leave nothing behind."""
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(
            self._as_user(command), capture_output=True, text=True, check=False, cwd="/"
        )
        assert done.returncode == 0, done.stderr

    def _status(self, command: Sequence[str]) -> int:
        return subprocess.run(
            self._as_user(command), capture_output=True, check=False, cwd="/"
        ).returncode

    def _as_user(self, command: Sequence[str]) -> list[str]:
        program = [str(self.programs / command[0]), *command[1:]]
        change = ["setpriv", "--pdeathsig=SIGQUIT"]
        if self._user is not None:
            change += [f"--reuid={self._user.pw_uid}", f"--regid={self._user.pw_gid}"]
            change.append("--clear-groups")
        return [*change, *program]


def _ordinary_user() -> pwd.struct_passwd | None:
    """Who executes it where this process is root, which PostgreSQL refuses to be."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name: user for user in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]
