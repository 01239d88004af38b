"""The reporter: samples what a run uses, and logs it as metrics of the run.

    python -P -m headway.runner.reporter FOLDER

It is started by the shim of the run in FOLDER and ends with it. It may die at any moment without
harm: what it logged is the kernel's, and the shim starts another one.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from headway.engines import processes
from headway.engines.folder import RunFolder, RunSpec
from headway.metrics.journal import JournalWriter
from headway.runner.gpus import open_gpus
from headway.runner.sampling import NetworkMeter, TreeMeter

PREFIX: Final = "system/"
_FIRST_PAUSE_S: Final = 1.0
_SHARE: Final = 0.003
"""Of one core, at most: where looking costs more, it is done less often."""
_SEGMENT_BYTES: Final = 1 << 16
_MOST_INHERITED: Final = 4096
_MAX_NAME_CHARS: Final = 255
_MAX_TEXT_BYTES: Final = 255


def main(path: str) -> int:
    """Sample until the run has ended or its folder is gone."""
    os.closerange(3, _MOST_INHERITED)  # slots of the run: it must not keep them
    shim_pid = os.getppid()
    processes.die_with_parent()
    folder = RunFolder(Path(path))
    record = folder.read_state()
    if record is None or record.shim_pid != shim_pid or os.getppid() != shim_pid:
        return 1  # nobody is left who would end this process
    spec = folder.read_spec()
    sample = _sampler(spec, shim_pid)
    journal = JournalWriter(
        Path(spec.journal_dir),
        spec.run_id,
        os.urandom(16).hex(),
        segment_bytes=_SEGMENT_BYTES,
        max_text_bytes=_MAX_TEXT_BYTES,
        max_name_chars=_MAX_NAME_CHARS,
        warn=_say,
    )
    for pause_s in pauses(spec.system_metrics_interval_s):
        journal.log_metrics(sample())
        journal.sync()
        time.sleep(pause_s)
        # A journal makes its folder again; that of a workspace that was removed must stay away.
        if not folder.path.exists():
            break
    return 0


def pauses(
    interval_s: float, cpu_clock: Callable[[], float] = time.process_time
) -> Iterator[float]:
    """Short ones first, so that a short run has samples too; then the interval.

    Longer ones where what is done between two of them has its cost.
    """
    pause_s = min(_FIRST_PAUSE_S, interval_s)
    used_s = cpu_clock()
    while True:
        yield pause_s
        used_s, before_s = cpu_clock(), used_s
        pause_s = max(min(2 * pause_s, interval_s), (used_s - before_s) / _SHARE)


def _sampler(spec: RunSpec, shim_pid: int) -> Callable[[], dict[str, object]]:
    tree = TreeMeter(shim_pid, ignored=[os.getpid()])
    network = NetworkMeter()
    visible = spec.env.get("CUDA_VISIBLE_DEVICES", os.environ.get("CUDA_VISIBLE_DEVICES"))
    gpus = open_gpus(visible)

    def sample() -> dict[str, object]:
        found: dict[str, object] = {}
        usage = tree.read()
        if usage is not None:
            found |= usage._asdict()
        traffic = network.read()
        if traffic is not None:
            found["network_received_bytes"], found["network_sent_bytes"] = traffic
        if gpus is not None:
            found |= gpus.read()
        return {f"{PREFIX}{name}": value for name, value in found.items()}

    return sample


def _say(what: str) -> None:
    sys.stderr.write(f"{what}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
