"""A workspace of its own for each test, and other processes that use it."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headway import Experiment, Workspace
from headway.sdk.interactive.process import close_sessions

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """An embedded workspace, and an empty current folder."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HEADWAY_WORKSPACE", str(tmp_path / "workspace"))
    yield Workspace.from_config()
    close_sessions()


@pytest.fixture
def experiment(workspace: Workspace) -> Experiment:
    """An experiment in it."""
    return Experiment(workspace, "explore-runs")


@pytest.fixture
def programs(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the folder of the test programs, made the current one."""
    copy = tmp_path / "programs"
    shutil.copytree(PROGRAMS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(copy)
    return copy


Python = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def python(workspace: Workspace, tmp_path: Path) -> Iterator[Python]:
    """Start a program in a process group of its own, which is killed at the end of the test."""
    started: list[subprocess.Popen[str]] = []

    def start(text: str, *, ignore_interrupts: bool = False) -> "subprocess.Popen[str]":
        before = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        program = tmp_path / f"program_{len(started)}.py"
        header = "import os, signal, sys, time\nfrom headway import *\n"
        program.write_text((before if ignore_interrupts else "") + header + text, encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, str(program)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):  # what it forked holds its pipes, too
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)
