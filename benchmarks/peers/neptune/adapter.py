"""neptune-scale, offline."""
# neptune-scale is installed where this runs, not where types are checked.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import uuid
from pathlib import Path

from benchmarks.peers.protocol import METRIC, PROJECT, Adapter, Log, Work
from benchmarks.peers.work import serve
from neptune_scale import Run
from neptune_scale.sync.operations_repository import OperationsRepository

AT_ONCE = 32 * 2**20
"""The bytes of operations that are taken from its file at a time."""


class Neptune(Adapter):
    """What is offline is a file of operations, for its server; its own reader counts them."""

    def run(self, folder: Path, work: Work) -> None:
        run = Run(
            project=f"workspace/{PROJECT}",
            run_id=uuid.uuid4().hex,
            experiment_name=PROJECT,
            mode="offline",
            log_directory=folder,
            enable_console_log_capture=False,
            source_tracking_config=None,
        )
        work(
            Log(
                lambda step, value: run.log_metrics({METRIC: value}, step=step),
                lambda step, values: run.log_metrics(values, step=step),
            )
        )
        run.close()

    def found(self, folder: Path) -> int:
        return sum(_points(path) for path in folder.glob("*/run_operations.sqlite3"))


def _points(path: Path) -> int:
    repository = OperationsRepository(db_path=path)
    count, last = 0, None
    while operations := repository.get_operations(AT_ONCE, from_exclusive=last):
        last = operations[-1].sequence_id
        for one in operations:
            count += METRIC in getattr(one.operation, "append", {})
    repository.close(cleanup_files=False)
    return count


if __name__ == "__main__":
    serve(Neptune())
