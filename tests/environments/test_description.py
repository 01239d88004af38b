"""What an interpreter holds, asked once and known until something changes."""

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headway.environments.description import describe
from headway.errors import SubmissionError
from headway.model import EnvironmentSpec

if TYPE_CHECKING:
    from tests.environments.conftest import World

LATER_NS = 10**12


def soon() -> int:
    """A clock for which nothing was changed just now."""
    return time.time_ns() + LATER_NS


def test_this_interpreter_is_described(tmp_path: Path) -> None:
    record = describe(Path(sys.executable), tmp_path / "described")
    assert record.python == sys.executable
    assert record.python_version == "{}.{}.{}".format(*sys.version_info[:3])
    assert record.implementation == "CPython"
    assert record.platform
    names = [line.partition("==")[0] for line in record.packages]
    assert "msgspec" in names
    assert names == sorted(names, key=str.lower)
    assert record.packages_text.splitlines() == record.packages


def test_an_interpreter_is_asked_again_only_after_a_change(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    built = world.store().ensure(EnvironmentSpec())
    folder = world.root / "described"
    first = describe(built.python, folder, clock_ns=soon)
    assert first.packages == []
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", None)
        began = time.perf_counter()
        assert describe(built.python, folder) == first
        assert time.perf_counter() - began < 0.02
    install = [world.uv, "pip", "install", "-q", "--python", str(built.python), "six==1.17.0"]
    subprocess.run(install, env=world.variables, check=True)
    assert describe(built.python, folder, clock_ns=soon).packages == ["six==1.17.0"]


def test_what_was_changed_just_now_is_not_kept(world: "World") -> None:
    built = world.store().ensure(EnvironmentSpec())
    folder = world.root / "described"
    describe(built.python, folder, clock_ns=lambda: 0)
    assert not folder.exists()


def test_a_damaged_answer_is_asked_for_again(tmp_path: Path) -> None:
    python = Path(sys.executable)
    record = describe(python, tmp_path, clock_ns=soon)
    next(tmp_path.glob("*.json")).write_text("{", encoding="utf-8")
    assert describe(python, tmp_path) == record


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 3\n", "#!/bin/sh\necho hello\n", "no program"])
def test_a_program_that_is_no_python_is_an_error(tmp_path: Path, script: str) -> None:
    program = tmp_path / "python"
    program.write_text(script, encoding="utf-8")
    program.chmod(0o755)
    with pytest.raises(SubmissionError, match="cannot say what it has installed"):
        describe(program, tmp_path / "described")
