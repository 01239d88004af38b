"""What a submitter leaves that is killed before its run exists is found and removed."""

import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from headway.cli.program import program as command_line
from headway.engines.folder import RunFolder

if TYPE_CHECKING:
    from tests.faults.conftest import Site

KILLED = """
import os, signal
from headway import Experiment, ScriptRunConfig, Workspace
from headway.service.creation import RunMaker
RunMaker.make = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
Experiment(Workspace.from_config(), "faults").submit(
    ScriptRunConfig(None, command="true"), run_id="interrupted")
"""


def doctor(*arguments: str) -> Any:
    result = CliRunner().invoke(command_line, ["doctor", "--json", *arguments])
    [found] = [one for one in json.loads(result.stdout) if one["name"] == "run folders"]
    return found["state"], found["text"].partition(" in ")[0]


def test_a_folder_without_a_run_is_removed_by_the_doctor(
    site: "Site", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(site.workspace))
    run = site.wait_for_end(site.submit("true"))
    assert doctor() == ("ok", "each with its run")
    assert site.start(sys.executable, "-c", KILLED).wait(20) == -signal.SIGKILL
    stray = RunFolder(site.workspace / "runs" / "interrupted")
    assert stray.spec_file.exists()
    assert doctor() == ("warn", "1 folder of interrupted submissions")
    lock = stray.hold()
    assert doctor() == ("ok", "each with its run"), "one that is being submitted is left alone"
    os.close(lock)
    assert doctor("--fix") == ("ok", "removed 1 folder of interrupted submissions")
    assert not stray.path.exists()
    assert site.folder(run).path.exists()


def test_an_interrupted_submission_can_be_repeated(site: "Site") -> None:
    assert site.start(sys.executable, "-c", KILLED).wait(20) == -signal.SIGKILL
    again = KILLED.replace("RunMaker.make =", "unused =")
    assert site.start(sys.executable, "-c", again).wait(20) == 0
    assert site.wait_for_end(site.api.runs.get("interrupted")).status == "Completed"
