"""Kill -9, at random moments, everything that has a part in a run; then look what became of it.

    python tests/faults/random_kills.py [--kills 200] [--seed N] [--json]

Killed are the user's program, its shim, its reporter, the process that submits it, processes that
read meanwhile (and recover what they find dead), and processes that are interactive runs. What the
programs know for certain (a point was logged, a line was written) is in diaries: ``diary.py``. At
the end one fresh reader looks once, and everything has to be true: ``aftermath.py``.

Works in a folder of its own, which is kept where something was wrong.
"""

import argparse
import contextlib
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import aftermath

from headway import Experiment, ScriptRunConfig, Workspace
from headway.engines import processes
from headway.engines.folder import RunFolder
from headway.engines.processes import Process
from headway.sdk.interactive.process import close_sessions

PROGRAMS: Final = Path(__file__).parent / "programs"
AT_ONCE: Final = 3
PATIENCE_S: Final = 30.0
SHARES: Final = {
    "program": 25,
    "shim": 25,
    "submitter": 15,
    "reader": 12,
    "notebook": 15,
    "reporter": 8,
}
T = TypeVar("T")


class Storm:
    """Starts things and kills them."""

    def __init__(self, workspace: Path, diary: Path, seed: int) -> None:
        self.workspace = workspace
        self.diary = diary
        self.seed = seed
        self.killed: Counter[str] = Counter()
        self.victims: dict[str, str] = {}
        """What was killed of each run, or was to be."""
        self.errors: list[str] = []
        self._experiment = Experiment(Workspace.from_config(), "stormy")
        self._lock = threading.Lock()
        self._left: list[subprocess.Popen[str]] = []

    def rage(self, kills: int) -> None:
        """Kill so many, a few at once, while somebody reads."""
        chance = random.Random(self.seed)
        shares = list(SHARES.values())
        targets = [*SHARES, *chance.choices(list(SHARES), shares, k=kills)][:kills]
        chance.shuffle(targets)
        calm = threading.Event()
        watching = threading.Thread(target=self._watch, args=(calm,))
        watching.start()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._attempt, range(len(targets)), targets))
        calm.set()
        watching.join()
        self._settle()

    def _attempt(self, number: int, target: str) -> None:
        """One kill; where the victim had ended before, another one is taken."""
        kill: Callable[[random.Random], bool] = getattr(self, f"_kill_{target}")
        for attempt in range(20):
            try:
                hit = kill(random.Random(f"{self.seed}-{number}-{attempt}"))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
                self.errors.append(f"{target}: {type(error).__name__}: {error}")
                return
            if hit:
                with self._lock:
                    self.killed[target] += 1
                return
        self.errors.append(f"{target}: no victim lived long enough")

    def _watch(self, calm: threading.Event) -> None:
        while not calm.is_set():
            reader, _ = self._start("reader.py", "5")
            while reader.poll() is None and not calm.wait(0.1):
                pass
            self._finish(reader)

    def _settle(self) -> None:
        """Wait until what nobody killed has ended by itself; nobody reads meanwhile."""
        for process in self._left:  # what interactive runs had forked is nobody else's business
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            self._finish(process)
        folders = [RunFolder(path) for path in (self.workspace / "runs").iterdir()]
        living = wait_for(lambda: not any(folder.alive() for folder in folders) or None)
        if living is None:
            self.errors.append("shims go on although their programs must have ended")

    # ------------------------------------------------------------ one kind of victim each

    def _kill_program(self, chance: random.Random) -> bool:
        folder = self._submit(chance, "program")
        main = wait_for(lambda: main_of(folder))
        time.sleep(chance.uniform(0, 0.8))
        return main is not None and kill(main)

    def _kill_shim(self, chance: random.Random) -> bool:
        folder = self._submit(chance, "shim")
        time.sleep(chance.choice([0, chance.uniform(0, 0.1), chance.uniform(0, 1)]))
        record = folder.read_state()
        return record is not None and kill(record.shim)

    def _kill_reporter(self, chance: random.Random) -> bool:
        folder = self._submit(chance, "reporter", points=600)
        found = wait_for(lambda: reporter_of(folder))
        time.sleep(chance.uniform(0, 0.5))
        return found is not None and kill(found)

    def _kill_submitter(self, chance: random.Random) -> bool:
        run_id = f"elsewhere-{chance.getrandbits(64):x}"
        self.victims[run_id] = "submitter"
        process, _ = self._start("submitter.py", run_id, str(self.diary), str(chance.random()))
        time.sleep(chance.uniform(0, 0.1))
        return self._finish(process)

    def _kill_reader(self, chance: random.Random) -> bool:
        process, _ = self._start("reader.py", "5")
        time.sleep(chance.uniform(0, 0.5))
        return self._finish(process)

    def _kill_notebook(self, chance: random.Random) -> bool:
        process, run_id = self._start("notebook.py", str(self.diary), str(chance.random()))
        self.victims[run_id] = "notebook"
        self._left.append(process)
        time.sleep(chance.uniform(0, 1))
        process.kill()
        return process.wait() == -signal.SIGKILL

    # ------------------------------------------------------------ starting and ending

    def _submit(self, chance: random.Random, victim: str, points: int = 0) -> RunFolder:
        arguments = [self.diary, chance.random(), points]
        config = ScriptRunConfig(PROGRAMS, "trainee.py", arguments=arguments)
        run = self._experiment.submit(config)
        self.victims[run.id] = victim
        return RunFolder(self.workspace / "runs" / run.id)

    def _start(self, script: str, *arguments: str) -> tuple[subprocess.Popen[str], str]:
        """Start a program, and wait for its first word."""
        process = subprocess.Popen(
            [sys.executable, str(PROGRAMS / script), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], PATIENCE_S)
        word = process.stdout.readline().strip() if ready else ""
        if not word:
            process.kill()
            raise RuntimeError(f"{script} said nothing but {process.communicate()[1]!r}")
        return process, word

    def _finish(self, process: subprocess.Popen[str]) -> bool:
        """Kill a program, and whether it lived until then. One that failed is a finding."""
        process.kill()
        _, problem = process.communicate(timeout=PATIENCE_S)
        if process.returncode not in (0, -signal.SIGKILL):
            self.errors.append(f"{process.args} ended with {process.returncode}: {problem}")
        return process.returncode == -signal.SIGKILL


def kill(process: Process) -> bool:
    """Whether it lived until now."""
    return processes.send_signal(process, signal.SIGKILL)


def wait_for(look: Callable[[], T | None]) -> T | None:
    """What there is to be seen, as soon as there is; None where that never comes."""
    deadline = time.monotonic() + PATIENCE_S
    while (seen := look()) is None and time.monotonic() < deadline:
        time.sleep(0.005)
    return seen


def main_of(folder: RunFolder) -> Process | None:
    """The process of a program that has begun."""
    record = folder.read_state()
    if record is None or record.main_pid is None or record.main_start is None:
        return None
    return Process(record.main_pid, record.main_start)


def reporter_of(folder: RunFolder) -> Process | None:
    """The reporter of a run; where the run has ended without one, a process that is none."""
    record = folder.read_state()
    if record is not None and record.ended:
        return Process(0, 0)
    for process in processes.marked(folder.mark):
        if "headway.runner.reporter" in processes.arguments_of(process.pid):
            return process
    return None


@contextlib.contextmanager
def own_folder() -> Generator[Path]:
    """A new folder with nothing of the user's around it."""
    folder = Path(tempfile.mkdtemp(prefix="headway-kills-"))
    for name in [name for name in os.environ if name.startswith(("HEADWAY_", "AZUREML_", "XDG_"))]:
        del os.environ[name]
    os.environ |= {"HOME": str(folder), "HEADWAY_WORKSPACE": str(folder / "workspace")}
    (folder / "diary").mkdir()
    yield folder


def main() -> int:
    """Rage, look, tell."""
    parser = argparse.ArgumentParser(description="Kill everything that has a part in runs.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    began = time.monotonic()
    with own_folder() as folder:
        storm = Storm(folder / "workspace", folder / "diary", given.seed)
        storm.rage(given.kills)
        close_sessions()
        found = aftermath.look(storm.workspace, storm.diary, storm.victims)
    found.problems[:0] = storm.errors
    figures = {
        "seed": given.seed,
        "seconds": round(time.monotonic() - began, 1),
        "kills": storm.killed.total(),
        "killed": dict(sorted(storm.killed.items())),
        **found.figures,
        "problems": found.problems,
    }
    if found.problems:
        figures["folder"] = str(folder)
    else:
        shutil.rmtree(folder)
    text = json.dumps(figures) if given.json else aftermath.table(figures)
    sys.stdout.write(f"{text}\n")
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
