"""Real environments of tiny packages, made by the real uv with one cache for all tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
from uv import find_uv_bin

from headway.environments.store import EnvironmentStore
from headway.model import EnvironmentSpec

PATIENCE_S: Final = 20.0

_ENSURE: Final = """
import sys
from pathlib import Path
import msgspec
from headway.environments.store import EnvironmentStore
from headway.model import EnvironmentSpec
folder, uv, spec = sys.argv[1:]
spec = msgspec.json.decode(spec, type=EnvironmentSpec)
built = EnvironmentStore(Path(folder), uv=uv).ensure(spec)
print("built" if built.built else "found", built.key)
"""


class World:
    """A folder for environments, and what is around it."""

    def __init__(self, root: Path, variables: dict[str, str]) -> None:
        self.root = root
        self.folder = root / "environments"
        self.variables = variables
        self.uv = find_uv_bin()
        self.programs = root / "bin"
        self.programs.mkdir()
        self._started: list[subprocess.Popen[str]] = []

    def store(self, *, uv: str | None = None, **variables: str) -> EnvironmentStore:
        return EnvironmentStore(self.folder, uv=uv, environment=self.variables | variables)

    def start(self, spec: EnvironmentSpec, *, uv: str | None = None) -> subprocess.Popen[str]:
        """Another process that wants an environment; prints whether it made it."""
        asked = msgspec.json.encode(spec).decode()
        process = subprocess.Popen(
            [sys.executable, "-c", _ENSURE, str(self.folder), uv or self.uv, asked],
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def program(self, name: str, script: str) -> str:
        """A shell script on the ``PATH`` of the store."""
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}", encoding="utf-8")
        path.chmod(0o755)
        self.variables["PATH"] = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return str(path)

    def logging_uv(self, *, gate: bool = False) -> str:
        """The real uv behind a script that notes each call; a gate keeps installs waiting."""
        waiting = ""
        if gate:
            waiting = (
                f'case "$*" in *"pip install"*) : > {self.root}/at-gate\n'
                f"while [ ! -e {self.root}/open ]; do sleep 0.01; done;; esac\n"
            )
        script = f'echo "$*" >> {self.root}/calls\n{waiting}exec {self.uv} "$@"\n'
        return self.program("logging-uv", script)

    @property
    def calls(self) -> list[str]:
        path = self.root / "calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def open_gate(self) -> None:
        (self.root / "open").touch()

    @staticmethod
    def wait_until(condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
            time.sleep(0.01)

    def end(self) -> None:
        self.open_gate()
        for process in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


@pytest.fixture
def world(tmp_path: Path, uv_cache: Path) -> Iterator[World]:
    steering = ("UV_", "VIRTUAL_ENV", "CONDA", "MAMBA")
    variables = {k: v for k, v in os.environ.items() if not k.startswith(steering)}
    world = World(tmp_path, variables | {"UV_CACHE_DIR": str(uv_cache)})
    yield world
    world.end()
