"""What a fresh process pays before its first line of work."""

import subprocess
import sys

from benchmarks.harness import Act, Effort, Line, interleave, timed

AIM = "60 ms above bare Python"
NAMES = "from headway import Workspace, Experiment, ScriptRunConfig"
OPENED = f"{NAMES}; Workspace.create('startup', exist_ok=True)"


def measure(effort: Effort) -> list[Line]:
    """Import the package, the names that every program needs, and open a workspace."""
    bare, package, names, opened = interleave(
        effort.rounds(20, 4),
        _python("pass"),
        _python("import headway"),
        _python(NAMES),
        _python(OPENED),
    )
    baseline = "python -c pass"
    return [
        Line("import headway", package, baseline, bare, AIM),
        Line("from headway import Workspace, ...", names, baseline, bare, AIM),
        Line("the same, and open a workspace", opened, baseline, bare),
    ]


def _python(code: str) -> Act:
    command = [sys.executable, "-c", code]
    return timed(lambda: subprocess.run(command, check=True))
