"""One process and one home for each topic, and nothing left of them afterwards."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from benchmarks import (
    away,
    execution,
    growth,
    growth_of_runs,
    interactive,
    listing,
    many_processes,
    overhead,
    points,
    profiles,
    reading,
    startup,
    streaming,
    team,
)
from benchmarks.harness import Effort, Finding
from headway.model import ENDED, RunQuery, Status
from headway.service.workspace import open_workspace
from headway.settings import load_settings

TOPICS: Final[dict[str, Callable[[Effort], Sequence[Finding]]]] = {
    "import": startup.measure,
    "log": points.measure,
    "start": interactive.one_run,
    "children": interactive.many_children,
    "submit": execution.begin,
    "cancel": execution.cancel,
    "runs": listing.measure,
    "metrics": reading.measure,
    "stream": streaming.measure,
    "server": away.measure,
    "team": team.measure,
    "overhead": overhead.measure,
    "processes": many_processes.measure,
    "growth": growth.measure,
    "growth-of-runs": growth_of_runs.measure,
    "profile": profiles.measure,
}
_LIMIT_S: Final = 300.0
_ROOT: Final = Path(__file__).resolve().parent.parent


class TopicFailedError(Exception):
    """A topic's process ended without figures; it has said why on standard error."""


def measure(topic: str, effort: Effort) -> list[Finding]:
    """What one topic finds.

    Raises:
        TopicFailedError: It did not come to its end.
    """
    with _home() as home:
        command = [sys.executable, "-m", "benchmarks.isolation", topic, *map(str, effort)]
        with subprocess.Popen(
            command,
            cwd=_ROOT,
            env=_environment(home),
            stdout=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            try:
                answer, _ = process.communicate(timeout=_LIMIT_S * effort.scale)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise TopicFailedError(
                        f"{topic}: no figures within {_LIMIT_S * effort.scale:g} s"
                    ) from error
                raise
        if process.returncode:
            raise TopicFailedError(f"{topic}: its process ended with {process.returncode}")
        return msgspec.json.decode(answer, type=list[Finding])


@contextmanager
def _home() -> Generator[Path, None, None]:
    """A home for workspaces; the runs that are live in them at the end are ended."""
    with TemporaryDirectory(prefix="headway-bench-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        try:
            yield home
        finally:
            _end_runs(home)


def _end_runs(home: Path) -> None:
    settings = load_settings({"HEADWAY_HOME": str(home)}, home / "config.toml")
    for folder in home.glob("workspaces/*"):
        with closing(open_workspace(folder, settings)) as api:
            living = [status for status in Status if status not in ENDED]
            for run in api.runs.list(RunQuery(statuses=living, include_children=True)).runs:
                api.runs.cancel(run.id, grace_s=0.0)


def _environment(home: Path) -> dict[str, str]:
    """This process's environment, without what would lead to another workspace or run.

    Compiled files are kept: reading them is what is measured, not compiling.
    """
    ours = ("HEADWAY_", "AZUREML_", "PYTHONDONTWRITEBYTECODE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "HEADWAY_HOME": str(home), "XDG_CONFIG_HOME": str(home)}


def _main() -> None:
    topic, quick, scale = sys.argv[1:]
    found = TOPICS[topic](Effort(quick == "True", int(scale)))
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    _main()
