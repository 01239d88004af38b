"""swanlab, offline."""
# swanlab is installed where this runs, not where types are checked.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import contextlib
from pathlib import Path

import swanlab
from benchmarks.peers.protocol import METRIC, PROJECT, Adapter, Log, Work
from benchmarks.peers.work import serve
from swanlab.sdk.internal.core_python.store import DataStoreReader


class Swanlab(Adapter):
    """What is offline is a log of records, for its server; they are counted by its own reader."""

    def run(self, folder: Path, work: Work) -> None:
        run = swanlab.init(mode="offline", project=PROJECT, logdir=str(folder))
        work(
            Log(
                lambda step, value: run.log({METRIC: value}, step=step),
                lambda step, values: run.log(values, step=step),
            )
        )
        swanlab.finish()

    def found(self, folder: Path) -> int:
        return sum(_records(path) for path in folder.glob("run-*/*.swanlab"))


def _records(path: Path) -> int:
    reader = DataStoreReader()
    reader.open(path)
    count = 0
    with contextlib.suppress(Exception):
        for record in reader:
            count += METRIC.encode() in record
    reader.close()
    return count


if __name__ == "__main__":
    serve(Swanlab())
