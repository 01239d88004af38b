"""sacred, with its observer that writes into a folder."""
# sacred is installed where this runs, not where types are checked.
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false

import json
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from benchmarks.peers.protocol import METRIC, PROJECT, Adapter, Launched, Log, Result, Work
from benchmarks.peers.work import serve
from sacred import Experiment
from sacred.observers import FileStorageObserver


class Sacred(Adapter):
    """Metrics are kept in memory and written by a heartbeat every ten seconds."""

    def run(self, folder: Path, work: Work) -> None:
        experiment = Experiment(PROJECT, save_git_info=False)
        experiment.captured_out_filter = str
        experiment.observers.append(FileStorageObserver(folder, copy_sources=False))

        @experiment.main
        def main(_run):  # noqa: ANN001, ANN202  (sacred injects it by its name)
            def many(step: int, values: Mapping[str, float]) -> None:
                for name, value in values.items():
                    _run.log_scalar(name, value, step)

            work(Log(lambda step, value: _run.log_scalar(METRIC, value, step), many))

        experiment._create_run(options={"--capture": "no", "--loglevel": "ERROR"})()

    def found(self, folder: Path) -> int:
        return sum(len(_values(path)) for path in folder.glob("*/metrics.json"))

    def fill(self, folder: Path, values: list[float], limit_s: float) -> Result:
        return self.fill_by_logging(folder, values, limit_s)

    def read(self, folder: Path) -> int:
        return self.found(folder)

    def launch(self, folder: Path, source: Path, script: str, argument: str) -> Launched:
        """Its command line: the script is the main function of an experiment. It cannot cancel."""
        body = textwrap.indent((source / script).read_text(), "    ")
        (source / "experiment.py").write_text(_EXPERIMENT.format(folder=str(folder), body=body))
        process = subprocess.Popen(
            [sys.executable, "experiment.py", "-l", "ERROR", "with", f"argument={argument}"],
            cwd=source,
        )
        return Launched(process.wait)


_EXPERIMENT = """\
from sacred import Experiment
from sacred.observers import FileStorageObserver
experiment = Experiment("bench", save_git_info=False)
experiment.observers.append(FileStorageObserver({folder!r}))
@experiment.config
def configuration():
    argument = ""
@experiment.automain
def main(argument):
    import sys
    sys.argv = ["script", argument]
{body}
"""


def _values(path: Path) -> list[float]:
    """Sacred has no reader of its own for a folder: the file is one JSON document."""
    return json.loads(path.read_bytes() or b"{}").get(METRIC, {}).get("values", [])


if __name__ == "__main__":
    serve(Sacred())
