"""An interactive run that keeps a diary, with a child run and a forked worker.

notebook.py DIARY SEED
"""

import os
import random
import signal
import sys
from pathlib import Path

from trainee import LONGEST_S, fork, work

from headway import Experiment, Workspace


def main(folder: Path, chance: random.Random) -> None:
    signal.alarm(LONGEST_S)
    run = Experiment(Workspace.from_config(), "notebooks").start_logging()
    sys.stdout.write(f"{run.id}\n")
    sys.stdout.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if chance.random() < 0.5:
        child = run.child_run("of the notebook")
        work(child, folder, "child", 5, 0)
    if chance.random() < 0.5:
        fork(run, folder, "worker", 50, daemon=False, deaf=False)
    work(run, folder, "main", 2000, 0.001)
    run.complete()


if __name__ == "__main__":
    main(Path(sys.argv[1]), random.Random(sys.argv[2]))
