"""A training script that keeps a diary: logs points, writes lines, forks helpers, leaves daemons.

    trainee.py DIARY SEED [POINTS]

Everything that it starts ends by itself, at the latest after ``LONGEST_S``.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from diary import Diary

from headway import Run

LONGEST_S = 20
ERROR = 3
"""The exit code of those that fail by themselves."""


def work(run: Run, folder: Path, writer: str, points: int, pause_s: float) -> None:
    """Log and write, and note down what is safe."""
    diary = Diary(folder, run.id, writer)
    for number in range(points):
        run.log(writer, number, step=number)
        diary.point(number)
        # One write a line; print() makes two where nothing is buffered, and others write too.
        sys.stdout.write(f"{writer} {number}\n")
        sys.stdout.flush()
        diary.line(number)
        time.sleep(pause_s)


def fork(run: Run, folder: Path, writer: str, points: int, *, daemon: bool, deaf: bool) -> None:
    """Have another process log to the run; a daemon stands in a session of its own."""
    if os.fork():
        return
    if daemon:
        os.setsid()
        if os.fork():
            os._exit(0)
    signal.alarm(LONGEST_S)  # not inherited by forks
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    work(run, folder, writer, points, 0.005)
    if daemon:
        time.sleep(LONGEST_S)
    os._exit(0)


def main(folder: Path, chance: random.Random, points: int) -> int:
    signal.alarm(LONGEST_S)
    run = Run.get_context(allow_offline=False)
    points = points or chance.randint(20, 250)
    for i in range(chance.choice([0, 0, 1, 2])):
        fork(run, folder, f"helper{i}", points // 2, daemon=False, deaf=False)
    if chance.random() < 0.4:
        fork(run, folder, "daemon", points, daemon=True, deaf=chance.random() < 0.3)
    work(run, folder, "main", points, chance.choice([0, 0.001, 0.004]))
    return ERROR if chance.random() < 0.15 else 0


if __name__ == "__main__":
    length = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    sys.exit(main(Path(sys.argv[1]), random.Random(sys.argv[2]), length))
