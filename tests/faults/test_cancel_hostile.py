"""Cancel of programs that resist: nothing of them is left, and nothing else was touched."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from headway.engines import processes
from headway.engines.processes import Process

PROGRAMS: Final = Path(__file__).parent / "programs"
NOBODY: Final = 65534
LONGEST_S: Final = 25


@dataclass
class Ground:
    """A folder, and the conditions under which runs are canceled in it."""

    folder: Path
    conditions: str
    prefix: list[str] = field(default_factory=list[str])

    @property
    def run_folder(self) -> Path:
        return self.folder / "workspace" / "runs" / "the-run"

    def cancel(self, *command: str, grace_s: float = 0.1) -> Any:
        """What a submitter says that has canceled a command when it was up."""
        use_cgroup = "no cgroup" if self.conditions == "no cgroup" else "cgroup"
        environment = dict(os.environ)
        if self.conditions == "ordinary user":  # the other folders are not theirs
            environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"]}
        elif self.conditions == "emptied environment":
            environment = {}
        canceler = [sys.executable, str(PROGRAMS / "canceler.py"), str(self.folder / "workspace")]
        done = subprocess.run(
            [*self.prefix, *canceler, "the-run", use_cgroup, str(grace_s), *command],
            capture_output=True,
            text=True,
            env=environment,
            cwd="/",
            timeout=LONGEST_S,
        )
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert said["up"], said["log"]
        assert said["bystander"] is None, "the submitter's own child was ended"
        return said

    def recorded(self) -> list[Process]:
        """The processes that the programs noted down, as far as they live."""
        try:
            lines = (self.folder / "processes").read_text().splitlines()
        except FileNotFoundError:
            return []
        noted = [Process(*map(int, line.split())) for line in lines]
        return [process for process in noted if processes.alive(process)]

    def left(self) -> list[Process]:
        """Also what carries the mark of the run."""
        mark = {"HEADWAY_RUN_FOLDER": str(self.run_folder.resolve())}
        return [*self.recorded(), *processes.marked(mark)]

    def beats(self) -> int:
        """How far the chains of forks have come."""
        return sum(path.stat().st_size for path in self.folder.glob("beats-*"))

    def clean(self) -> None:
        """End everything, whatever became of the test."""
        deadline = time.monotonic() + 10
        while (left := self.left()) and time.monotonic() < deadline:
            for process in left:
                processes.send_signal(process, signal.SIGSTOP)
            for process in left:
                processes.send_signal(process, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def ordinary_user() -> list[str]:
    """How to run as somebody else, to whom this Python can be read."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root, with setpriv, can become an ordinary user")
    plain = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    # A Python below /root can be read only with this; it gives no power over other processes.
    reading = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    for prefix in (plain, [*plain, *reading]):
        # What setpriv itself may still start, its child perhaps may not.
        probe = f"{sys.executable} -c 'import headway.service.workspace'"
        tried = subprocess.run([*prefix, "/bin/sh", "-c", probe], capture_output=True, cwd="/")
        if tried.returncode == 0:
            return prefix
    pytest.skip(f"{sys.executable} and Headway cannot be read by an ordinary user")


@pytest.fixture(params=["cgroup", "no cgroup", "ordinary user", "emptied environment"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    conditions = str(request.param)
    prefix = ordinary_user() if conditions == "ordinary user" else []
    # Not below tmp_path, which an ordinary user may not enter.
    made = Ground(Path(tempfile.mkdtemp(prefix="headway-hostile-")), conditions, prefix)
    if prefix:
        os.chown(made.folder, NOBODY, NOBODY)
    yield made
    left = made.left()
    made.clean()
    assert left == [], "the test left processes behind"


@pytest.fixture
def bystanders(ground: Ground) -> Iterator[list[Process]]:
    """A tree that has nothing to do with the run but looks as if: only the run's folder tells."""
    environment = {
        "HEADWAY_RUN_ID": "the-run",
        "AZUREML_RUN_ID": "the-run",
        "HEADWAY_RUN_FOLDER": f"{ground.run_folder.resolve()}-2",
        "HEADWAY_WORKSPACE": str(ground.folder / "workspace"),
    }
    program = f"/bin/sleep {LONGEST_S} & /bin/sleep {LONGEST_S} & wait"
    with subprocess.Popen(["/bin/sh", "-c", program], env=environment) as tree:
        while len(below := processes.descendants([tree.pid])) < 2:
            time.sleep(0.005)
        everybody = [*processes.identify([tree.pid]), *below]
        yield everybody
        for process in everybody:
            status = processes.status_of(process.pid)
            assert status is not None, "a bystander was ended"
            assert (status.process, status.state) == (process, "S"), "a bystander was touched"
        for process in everybody:
            processes.send_signal(process, signal.SIGKILL)


def tree(kind: str, ground: Ground) -> list[str]:
    return [sys.executable, "-S", str(PROGRAMS / "tree.py"), kind, str(ground.folder)]


@pytest.mark.usefixtures("bystanders")
@pytest.mark.parametrize("kind", ["forked", "sessions", "deaf", "stopped"])
def test_nothing_is_left_after_cancel(ground: Ground, kind: str) -> None:
    said = ground.cancel(*tree(kind, ground))
    assert (said["outcome"], said["status"], said["clean"]) == ("Canceled", "Canceled", True)
    assert ground.left() == []
    if ground.conditions in {"no cgroup", "ordinary user"}:
        assert said["cgroup"] is None


@pytest.mark.usefixtures("bystanders")
def test_a_thousand_children_are_ended(ground: Ground) -> None:
    said = ground.cancel(*tree("thousand", ground), grace_s=5)
    assert (said["status"], said["clean"]) == ("Canceled", True)
    assert said["took_s"] < 8
    assert ground.left() == []


@pytest.mark.usefixtures("bystanders")
def test_what_a_shell_started_is_ended_and_the_shell_does_not_go_on(ground: Ground) -> None:
    command = " ".join(tree("deaf", ground))
    said = ground.cancel("/bin/sh", "-c", f"{command}; echo after")
    assert (said["status"], said["clean"]) == ("Canceled", True)
    assert ground.left() == []
    assert "after" not in (ground.run_folder / "user_logs" / "std_log.txt").read_text()


@pytest.mark.usefixtures("bystanders")
def test_chains_that_fork_faster_than_they_are_killed_are_ended(ground: Ground) -> None:
    said = ground.cancel(*tree("chains", ground))
    assert (said["status"], said["clean"]) == ("Canceled", True)
    beats = ground.beats()
    assert ground.left() == []
    time.sleep(0.1)  # a look at the processes can miss a chain; what it writes cannot
    assert ground.beats() == beats
