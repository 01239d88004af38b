"""A command line in this process, and one in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from headway.cli.program import program
from headway.sdk.handles import Experiment, Workspace
from headway.sdk.interactive.process import close_sessions

HEADWAY = (sys.executable, "-c", "from headway.cli import main; main()")


class Cli:
    """The command with a workspace of its own, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace_folder = folder / "workspace"

    def __call__(self, *arguments: str, code: int = 0) -> Result:
        """Call a command in this process, and check its exit code and that nothing leaked."""
        result = CliRunner().invoke(program, list(arguments))
        assert result.exit_code == code, (result.output, result.exception)
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str, code: int = 0) -> Any:
        """The document that a command writes."""
        return json.loads(self("--json", *arguments, code=code).stdout)

    def error(self, *arguments: str, code: int) -> str:
        """What a command says that fails because of its user; the same as JSON."""
        result = self(*arguments, code=code)
        assert result.stdout == ""
        assert result.stderr.startswith("error: ")
        message = result.stderr.removeprefix("error: ").rstrip("\n")
        as_json = self(arguments[0], "--json", *arguments[1:], code=code)
        document = json.loads(as_json.stderr)
        assert document["error"]["message"] == message
        return message

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Call a command in a process of its own."""
        return subprocess.Popen(
            [*HEADWAY, *arguments],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ},
        )

    @property
    def workspace(self) -> Workspace:
        """The workspace as a program sees it."""
        return Workspace.from_config()

    def experiment(self, name: str = "trials") -> Experiment:
        """An experiment of it."""
        return Experiment(self.workspace, name)

    def script(self, text: str, name: str = "train.py") -> str:
        """A script in the current folder."""
        (self.folder / name).write_text(text, encoding="utf-8")
        return name


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Cli]:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("NO_COLOR", "1")
    made = Cli(folder)
    made.workspace_folder = tmp_path / "workspace"
    yield made
    close_sessions()
