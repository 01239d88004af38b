"""The shim needs nothing but Python."""

import json
import subprocess
import sys

from headway.engines.tree import SHIM_SCRIPT


def test_the_shim_imports_the_standard_library_and_little_of_headway() -> None:
    code = (
        "import json, runpy, sys\n"
        f"runpy.run_path({str(SHIM_SCRIPT)!r}, run_name='shim')\n"
        "print(json.dumps([sorted(sys.modules), sys.path]))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, check=True, cwd="/"
    )
    modules, path = json.loads(done.stdout)
    foreign = {name.partition(".")[0] for name in modules} - set(sys.stdlib_module_names)
    assert foreign == {"__main__", "headway"}
    assert {name for name in modules if name.startswith("headway")} == {
        "headway",
        "headway.engines",
        "headway.engines.agency",
        "headway.engines.cgroup",
        "headway.engines.dispatching",
        "headway.engines.document",
        "headway.engines.ending",
        "headway.engines.folder",
        "headway.engines.launching",
        "headway.engines.log_cut",
        "headway.engines.log_times",
        "headway.engines.processes",
        "headway.engines.tree",
        "headway.errors",
        "headway.locks",
        "headway.runner",
        "headway.runner.agent_watch",
        "headway.runner.companion",
        "headway.runner.holding",
        "headway.runner.log_index",
        "headway.runner.log_keeper",
        "headway.runner.program",
        "headway.runner.supervisor",
    }
    assert str(SHIM_SCRIPT.parents[2]) not in path
