"""wandb, offline."""
# wandb is installed where this runs, not where types are checked.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import wandb
from benchmarks.peers.protocol import METRIC, PROJECT, Adapter, Log, Result, Work
from benchmarks.peers.work import serve
from wandb.proto.wandb_internal_pb2 import Record

BLOCK = 32768
HEADER = 7


class Wandb(Adapter):
    """What is offline is a log of records, for its server."""

    def run(self, folder: Path, work: Work) -> None:
        run = _begin(folder)
        work(
            Log(
                lambda step, value: run.log({METRIC: value}, step=step),
                lambda step, values: run.log(values, step=step),
            )
        )
        run.finish()

    def found(self, folder: Path) -> int:
        return sum(_points(path) for path in folder.glob("wandb/offline-run-*/*.wandb"))

    def children(self, folder: Path, count: int, limit_s: float) -> Result:
        """Runs of one group: it has no children."""
        began = time.perf_counter()
        made = 0
        while made < count and time.perf_counter() - began < limit_s:
            run = _begin(folder, group="parent")
            run.log({METRIC: 0.5}, step=0)
            run.finish()
            made += 1
        took_s = time.perf_counter() - began
        return {"runs": made, "took_s": took_s, "how": "runs of one group"}


def _begin(folder: Path, **options: str) -> wandb.Run:
    return wandb.init(
        project=PROJECT,
        mode="offline",
        dir=str(folder),
        settings=wandb.Settings(
            silent=True,
            console="off",
            disable_git=True,
            save_code=False,
            x_disable_stats=True,
            x_disable_meta=True,
        ),
        reinit="finish_previous",
        **options,
    )


def _points(path: Path) -> int:
    """Its records are read here, since wandb's reader sends them to a server: its messages do."""
    count = 0
    for data in _records(path.read_bytes()):
        record = Record.FromString(data)
        items = record.history.item
        count += any(METRIC in (item.key, *item.nested_key) for item in items)
    return count


def _records(data: bytes) -> Iterator[bytes]:
    """The whole records of a log in LevelDB's format, up to where it is torn."""
    at, parts = HEADER, b""  # the file's own header is as long as a record's
    while at + HEADER <= len(data):
        if BLOCK - at % BLOCK < HEADER:
            at += BLOCK - at % BLOCK
            continue
        check = int.from_bytes(data[at : at + 4], "little")
        length = int.from_bytes(data[at + 4 : at + 6], "little")
        kind, part = data[at + 6], data[at + HEADER : at + HEADER + length]
        if zlib.crc32(data[at + 6 : at + HEADER] + part) != check:
            return
        parts = part if kind in (1, 2) else parts + part
        if kind in (1, 4):
            yield parts
        at += HEADER + length


if __name__ == "__main__":
    serve(Wandb())
