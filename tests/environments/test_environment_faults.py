"""Several that want one environment at once, and builders that are killed."""

import os
import secrets
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headway.environments.pip_file import from_pip_requirements
from headway.errors import StorageFullError
from headway.model import EnvironmentSpec

if TYPE_CHECKING:
    from tests.environments.conftest import World

SIX = EnvironmentSpec("six", pip_requirements=["six==1.17.0"])


def test_of_four_who_want_one_environment_one_makes_it(world: "World") -> None:
    uv = world.logging_uv()
    processes = [world.start(SIX, uv=uv) for _ in range(4)]
    answers = [process.communicate(timeout=25) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, answers
    words = sorted(answer[0].split()[0] for answer in answers)
    assert words == ["built", "found", "found", "found"]
    assert len({answer[0].split()[1] for answer in answers}) == 1
    assert len([call for call in world.calls if " venv " in call]) == 1
    assert len([call for call in world.calls if "pip compile" in call]) == 1


def test_what_a_killed_builder_left_does_not_count_and_is_made_anew(world: "World") -> None:
    gated = world.logging_uv(gate=True)
    builder = world.start(SIX, uv=gated)
    world.wait_until((world.root / "at-gate").exists, "the installation to begin")
    os.kill(builder.pid, signal.SIGKILL)
    builder.wait()
    half_made = [path.parent for path in world.folder.glob("*/pyvenv.cfg")]
    assert len(half_made) == 1
    assert not (half_made[0] / ".ready").exists()

    # Its uv lives on and writes: until it has ended nobody else builds, and nothing is removed.
    assert world.store().prune(0) == []
    next_one = world.start(SIX)
    with pytest.raises(subprocess.TimeoutExpired):
        next_one.communicate(timeout=0.5)
    world.open_gate()
    said, complaints = next_one.communicate(timeout=25)
    assert said.split() == ["built", half_made[0].name], complaints
    assert not world.store().ensure(SIX).built


def test_prune_removes_what_a_killed_builder_left(world: "World") -> None:
    key = world.store().ensure(SIX).key
    (world.folder / key / ".ready").unlink()
    assert world.store().prune(1e9) == [key]
    assert not (world.folder / key).exists()


def test_an_interrupted_builder_removes_what_it_made(world: "World") -> None:
    builder = world.start(SIX, uv=world.logging_uv(gate=True))
    world.wait_until((world.root / "at-gate").exists, "the installation to begin")
    os.kill(builder.pid, signal.SIGINT)
    assert "KeyboardInterrupt" in builder.communicate(timeout=25)[1]
    assert not list(world.folder.glob("*/pyvenv.cfg"))


@pytest.fixture
def small_disk(world: "World") -> Iterator[Path]:
    """A file system of 1 MiB where the environments are."""
    world.folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "headway-test", str(world.folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs root, to mount a small file system")
    yield world.folder
    subprocess.run(["umount", "--lazy", str(world.folder)], check=True)


def test_an_environment_that_finds_no_space_is_removed_and_made_once_there_is(
    world: "World", small_disk: Path
) -> None:
    wheel = world.root / "hwlarge-1.0-py3-none-any.whl"
    info = "hwlarge-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("hwlarge.bin", secrets.token_bytes(2 << 20))
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: hwlarge\nVersion: 1.0\n")
        tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tag)
        archive.writestr(f"{info}/RECORD", "")
    spec = from_pip_requirements(str(wheel))
    with pytest.raises(StorageFullError, match="free some"):
        world.store().ensure(spec)
    assert [path.name for path in small_disk.iterdir() if path.is_dir()] == ["asked"]

    larger = ["mount", "-o", "remount,size=8m", str(small_disk)]
    subprocess.run(larger, check=True)
    assert world.store().ensure(spec).built

    # What is there can be used where nothing can be written any more.
    filling = small_disk / "filling"
    with suppress(OSError), filling.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    assert not world.store().ensure(spec).built
    with pytest.raises(StorageFullError):
        world.store().ensure(SIX)
