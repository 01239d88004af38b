import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from types import SimpleNamespace

import pytest
from tests.cli.conftest import Cli

from headway.engines.folder import RunFolder
from headway.model import Status
from headway.sdk.interactive.process import close_sessions
from headway.store.sqlite import SqliteDatabase

OWNER = """
import sys, time
from headway import Experiment, Workspace
run = Experiment(Workspace.from_config(), "trials").start_logging()
run.log("loss", 0.5)
print(run.id, flush=True)
time.sleep(60)
"""


def states(cli: Cli, *options: str, code: int = 0) -> dict[str, str]:
    return {one["name"]: one["state"] for one in cli.json("doctor", *options, code=code)}


class Owner:
    """A process that is an interactive run."""

    def __init__(self, cli: Cli) -> None:
        self._locks = cli.workspace_folder / "owners"
        self._process = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.run_id = self._process.stdout.readline().decode().strip()

    def kill(self) -> None:
        """End it without giving it a chance; an hour ago, by the look of its lock."""
        self._process.kill()
        self._process.communicate()
        an_hour_ago = time.time() - 3600
        for lock in self._locks.iterdir():
            os.utime(lock, (an_hour_ago, an_hour_ago))

    def close(self) -> None:
        """Leave nothing of it."""
        self._process.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()


@pytest.fixture
def owner(cli: Cli) -> Generator[Owner]:
    """An interactive run in a process of its own, which has just logged a loss."""
    made = Owner(cli)
    yield made
    made.close()


def test_a_healthy_workspace_is_ok_in_every_line(cli: Cli) -> None:
    with cli.experiment().start_logging():
        pass
    found = states(cli)
    assert {*found.values()} == {"ok"}
    assert found.keys() == {
        *("python", "sqlite", "cgroup v2", "workspace", "writable", "file system", "disk space"),
        *("schema", "database", "runs", "journals", "owner locks", "run folders"),
    }
    lines = cli("doctor").stdout.splitlines()
    assert len(lines) == len(found)
    assert all(line.startswith("ok    ") for line in lines)


def test_it_makes_no_workspace(cli: Cli) -> None:
    assert "none yet at" in cli("doctor").stdout
    assert not cli.workspace_folder.exists()


def test_runs_without_process_are_found_and_brought_to_their_end(cli: Cli, owner: Owner) -> None:
    assert states(cli)["runs"] == "ok"
    owner.kill()
    found = cli("doctor").stdout
    assert f"1 run not ended although the process is gone: {owner.run_id}" in found
    assert f"metrics of 1 run not taken in yet: {owner.run_id}" in found
    assert "1 lock file of processes that are gone" in found
    assert "mend it with 'headway doctor --fix'" in found
    mended = cli("doctor", "--fix").stdout
    assert f"brought to their end: {owner.run_id} Failed" in mended
    assert "removed 1 lock file" in mended
    assert {*states(cli).values()} == {"ok"}
    assert list((cli.workspace_folder / "owners").iterdir()) == []
    run = cli.workspace.get_run(owner.run_id)
    assert run.get_status() == Status.FAILED
    assert run.get_metrics() == {"loss": 0.5}


def test_a_lock_of_a_living_process_is_left_alone(cli: Cli) -> None:
    cli.experiment()
    lock = cli.workspace_folder / "owners" / "somebody"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.utime(lock, (0, 0))
        assert states(cli, "--fix")["owner locks"] == "ok"
        assert lock.exists()


def test_journals_of_no_run_are_pointed_out(cli: Cli, owner: Owner) -> None:
    owner.kill()
    journals = cli.workspace_folder / "journals"
    (journals / owner.run_id).rename(journals / "nobody")
    found = cli("doctor", "--fix").stdout
    assert "warn  journals" in found
    assert "nobody: there is no run 'nobody'" in found


def test_a_damaged_database_is_found(cli: Cli) -> None:
    cli.experiment()
    database = cli.workspace_folder / "headway.db"
    close_sessions()
    data = bytearray(database.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 200] = os.urandom(200)
    database.write_bytes(bytes(data))
    result = cli("doctor", code=1)
    assert "fail  database" in result.stdout
    assert "keep a copy of headway.db" in result.stdout


def test_a_database_of_a_newer_headway_is_found(cli: Cli) -> None:
    cli.experiment()
    close_sessions()
    database = SqliteDatabase(cli.workspace_folder / "headway.db")
    with database.write() as tx:
        names = [row[1] for row in tx.all("pragma table_info(migrations)")]
        columns = ", ".join(names[1:])
        newest = f"select 9999, {columns} from migrations order by number desc limit 1"
        tx.run(f"insert into migrations (number, {columns}) {newest}")
    database.close()
    assert "fail  database" in cli("doctor", code=1).stdout


def test_a_folder_that_cannot_be_written_is_found(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.experiment()

    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    # root may write everywhere, so the refusal itself is made up
    monkeypatch.setattr("headway.cli.examinations.tempfile.TemporaryFile", refused)
    assert "cannot be written: Permission denied" in cli("doctor", code=1).stdout


@pytest.mark.parametrize(("free", "state", "code"), [(10**8, "warn", 0), (10**6, "fail", 1)])
def test_little_space_is_found(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, free: int, state: str, code: int
) -> None:
    def usage(_: object) -> SimpleNamespace:
        return SimpleNamespace(free=free)

    monkeypatch.setattr("headway.cli.examinations.shutil.disk_usage", usage)
    assert states(cli, code=code)["disk space"] == state


def test_a_run_whose_shim_was_killed_is_found(cli: Cli) -> None:
    script = cli.script("import time\nprint('up', flush=True)\ntime.sleep(60)")
    run_id = cli("submit", script).stdout.strip()
    folder = RunFolder(cli.workspace_folder / "runs" / run_id)
    deadline = time.monotonic() + 20
    while (record := folder.read_state()) is None or record.phase != "Running":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert states(cli)["runs"] == "ok"
    os.kill(record.shim_pid, signal.SIGKILL)
    while folder.alive():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert f"1 run not ended although the process is gone: {run_id}" in cli("doctor").stdout
    assert f"brought to their end: {run_id} Failed" in cli("doctor", "--fix").stdout


def test_a_damaged_record_of_a_dead_run_does_not_keep_it_from_being_ended(cli: Cli) -> None:
    process = cli.start("run", "--", "sh", "-c", "echo up; sleep 60")
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    [run] = cli.experiment("default").get_runs()
    folder = RunFolder(cli.workspace_folder / "runs" / run.id)
    record = folder.read_state()
    assert record is not None
    process.kill()
    process.communicate()
    os.kill(record.shim_pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while folder.alive():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    folder.state_file.write_bytes(b"{")
    assert f"brought to their end: {run.id} Failed" in cli("doctor", "--fix").stdout
