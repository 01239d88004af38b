"""The floor: a JSON line a call by ``write()``, ``json.loads`` to read, ``subprocess`` to start."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.peers.protocol import METRIC, Adapter, Launched, Log, Result, Work
from benchmarks.peers.work import serve


class Plain(Adapter):
    """One file a run; nothing is made durable."""

    def run(self, folder: Path, work: Work) -> None:
        path = folder / f"{time.time_ns()}-{os.getpid()}.jsonl"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        clock, dump, write = time.time, json.dumps, os.write

        def one(step: int, value: float) -> object:
            return write(
                file, dump({METRIC: value, "step": step, "time": clock()}).encode() + b"\n"
            )

        def many(step: int, values: Mapping[str, float]) -> object:
            points = {**values, "step": step, "time": clock()}
            return write(file, dump(points).encode() + b"\n")

        work(Log(one, many))
        os.close(file)

    def found(self, folder: Path) -> int:
        return sum(len(_points(path)) for path in folder.glob("*.jsonl"))

    def fill(self, folder: Path, values: list[float], limit_s: float) -> Result:
        return self.fill_by_logging(folder, values, limit_s)

    def read(self, folder: Path) -> int:
        return self.found(folder)

    def launch(self, folder: Path, source: Path, script: str, argument: str) -> Launched:
        process = subprocess.Popen([sys.executable, script, argument], cwd=source)

        def cancel() -> None:
            process.terminate()
            process.wait()

        return Launched(process.wait, cancel)


def _points(path: Path) -> list[tuple[int, float]]:
    with path.open("rb") as file:
        lines = map(json.loads, file)
        return [(line["step"], line[METRIC]) for line in lines if METRIC in line]


if __name__ == "__main__":
    serve(Plain())
