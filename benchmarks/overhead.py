"""What Headway does beside a training loop that logs 100 points a second, in processor time."""

from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks.harness import Effort, Line, Timing, timing_of
from headway import Experiment, ScriptRunConfig, Workspace

AIM = "10 ms a second (1 % of a core), together"
# The parent is the shim, its other child the reporter, which begins after a second.
LOOP = """\
import json, os, sys, time
from pathlib import Path

def spent(pid):
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

def others():
    shim = os.getppid()
    below = Path(f"/proc/{shim}/task/{shim}/children").read_text().split()
    pids = [shim, *(int(pid) for pid in below if int(pid) != os.getpid())]
    return sum(map(spent, pids))

def loop(log, seconds):
    began, own, beside = time.monotonic(), time.process_time(), others()
    for step in range(int(seconds * 100)):
        log("loss", 0.5 + step, step)
        time.sleep(max(0.0, began + (step + 1) / 100 - time.monotonic()))
    took = time.monotonic() - began
    return (time.process_time() - own) / took, (others() - beside) / took

seconds = float(sys.argv[2])
time.sleep(2)
taken = []
bare, _ = loop(lambda name, value, step: taken.append((name, value, step)), seconds / 2)
from headway import Run
run = Run.get_context()
run.log("loss", 0.0)
time.sleep(3)  # what the first drain imports is paid once
logged, beside = loop(lambda name, value, step: run.log(name, value, step=step), seconds)
Path(sys.argv[1]).write_text(json.dumps([bare, logged, beside]))
"""


def measure(effort: Effort) -> list[Line]:
    """A submitted run logs; the same loop without it is what the process would need anyway."""
    seconds = effort.rounds(15, 4)
    experiment = Experiment(Workspace.create("overhead", exist_ok=True), "overhead")
    with TemporaryDirectory() as folder:
        Path(folder, "loop.py").write_text(LOOP, encoding="utf-8")
        answer = Path(folder, "answer")
        run = experiment.submit(ScriptRunConfig(folder, "loop.py", [str(answer), str(seconds)]))
        run.wait_for_completion()
        bare, logged, beside = msgspec.json.decode(answer.read_bytes(), type=list[float])
    loop = "the loop alone"
    return [
        Line("processor time a second: the process that logs", _one(logged), loop, _one(bare), AIM),
        Line("processor time a second: shim and reporter", _one(beside), loop, _one(bare), AIM),
    ]


def _one(share: float) -> Timing:
    return timing_of([share])
