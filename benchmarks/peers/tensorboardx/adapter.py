"""tensorboardX, read back by tensorboard's EventAccumulator."""
# Both are installed where this runs, not where types are checked.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import uuid
from collections.abc import Mapping
from pathlib import Path

from benchmarks.peers.protocol import METRIC, Adapter, Log, Result, Work
from benchmarks.peers.work import serve
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboardX import SummaryWriter


class TensorboardX(Adapter):
    """One folder a run; the writer's queue is flushed every two minutes, or when it is full."""

    def run(self, folder: Path, work: Work) -> None:
        with SummaryWriter(str(folder / uuid.uuid4().hex)) as writer:

            def many(step: int, values: Mapping[str, float]) -> None:
                for name, value in values.items():
                    writer.add_scalar(name, value, step)

            work(Log(lambda step, value: writer.add_scalar(METRIC, value, step), many))

    def found(self, folder: Path) -> int:
        return sum(len(_points(path, 0)) for path in folder.iterdir())

    def fill(self, folder: Path, values: list[float], limit_s: float) -> Result:
        return self.fill_by_logging(folder, values, limit_s)

    def read(self, folder: Path) -> int:
        return self.found(folder)

    def reduce(self, folder: Path) -> int:
        """TensorBoard keeps a sample of 1,000 points a series, drawn while it reads them all."""
        return sum(len(_points(path, 1000)) for path in folder.iterdir())


def _points(path: Path, most: int) -> list[tuple[int, float]]:
    events = EventAccumulator(str(path), size_guidance={"scalars": most, "tensors": most}).Reload()
    if METRIC not in events.Tags()["scalars"]:
        return []
    return [(event.step, event.value) for event in events.Scalars(METRIC)]


if __name__ == "__main__":
    serve(TensorboardX())
