"""A run ends although the disk of its workspace has no room for what it leaves behind."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

RUN = """
import os, sys
from headway import Experiment, Workspace
run = Experiment(Workspace.from_config(), "full").start_logging()
with open("outputs/large", "wb") as file:
    file.write(os.urandom(40 << 20))
with open("outputs/small", "w") as file:
    file.write("small")
run.log("loss", 0.5)
run.complete()
print(run.get_status(), run.get_file_names(), run.get_metrics())
print(run.get_detailed_status()["details"])
"""


def test_a_run_whose_outputs_have_no_room_ends_and_says_what_is_missing(
    tmp_path: Path, require_program: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(workspace))
    mount = f"mount -t tmpfs -o size=24m tmpfs '{workspace}' && exec \"$@\""
    unshare = require_program("unshare")
    inside = [unshare, "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    if subprocess.run([*inside, "true"], check=False).returncode:
        pytest.skip("this machine lets no user mount a small file system")
    done = subprocess.run(
        [*inside, sys.executable, "-c", RUN],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    first, second = done.stdout.splitlines()
    assert first == "Completed ['outputs/small'] {'loss': 0.5}"
    assert "outputs/large: no space is left" in second
    assert "outputs/large: no space is left" in done.stderr
