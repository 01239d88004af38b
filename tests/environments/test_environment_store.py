"""Environments that are really made, found again, held and removed."""

import hashlib
import os
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from headway.environments.interpreters import Interpreter, running
from headway.environments.pip_file import from_pip_requirements
from headway.environments.store import EnvironmentStore
from headway.errors import (
    ConfigurationError,
    InvalidValueError,
    NotFoundError,
    StorageError,
    StorageFullError,
    SubmissionError,
)
from headway.model import EnvironmentSpec

if TYPE_CHECKING:
    from tests.environments.conftest import World

SIX = EnvironmentSpec("six", pip_requirements=["six==1.17.0"])
SIX_HASH = "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"


def answer(python: Path, program: str) -> str:
    command = [str(python), "-c", program]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def forbidden(*_: object, **__: object) -> None:
    pytest.fail("a program was started")


def test_what_is_asked_for_is_made_once_and_found_afterwards(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    built = world.store().ensure(SIX, progress=said.append)
    assert built.built
    assert built.packages == ["six==1.17.0"]
    assert f"--hash=sha256:{SIX_HASH}" in built.lock
    assert answer(built.python, "import six, sys; print(six.__version__, sys.prefix)") == (
        f"1.17.0 {world.folder / built.key}"
    )
    assert [line.split()[0] for line in said] == ["Resolving", "Making"]

    monkeypatch.setattr(subprocess, "Popen", forbidden)
    store = world.store(uv="/nowhere/uv")
    again = store.ensure(msgspec.structs.replace(SIX, name="other"), progress=forbidden)
    assert again == msgspec.structs.replace(built, built=False)
    took = min(timed(lambda: store.ensure(SIX)) for _ in range(5))
    assert took < 0.05


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def test_specifications_that_come_to_the_same_share_an_environment(world: "World") -> None:
    built = world.store().ensure(SIX)
    same = world.store().ensure(from_pip_requirements("six<=1.17.0,>=1.17"))
    assert (same.key, same.built) == (built.key, False)


def test_nothing_asked_for_is_an_empty_environment(world: "World") -> None:
    built = world.store().ensure(EnvironmentSpec(python=".".join(running().version.split(".")[:2])))
    assert built.packages == []
    assert answer(built.python, "import sys; print(sys.prefix)") == str(world.folder / built.key)


def test_a_removed_environment_is_made_again_from_its_lock_without_network(world: "World") -> None:
    built = world.store().ensure(SIX)
    assert world.store().prune(0) == [built.key]
    assert not built.python.exists()
    uv = world.logging_uv()
    again = world.store(uv=uv, UV_OFFLINE="1").ensure(SIX)
    assert again == built
    assert not [call for call in world.calls if "compile" in call]


def test_refresh_resolves_again(world: "World") -> None:
    spec = from_pip_requirements("six")
    world.store().ensure(spec)
    uv = world.logging_uv()
    again = world.store(uv=uv).ensure(spec, refresh=True)
    assert not again.built
    assert [call for call in world.calls if "compile" in call]


def test_an_environment_whose_interpreter_is_gone_is_made_again(world: "World") -> None:
    built = world.store().ensure(SIX)
    built.python.unlink()
    built.python.symlink_to("/nowhere/python3.11")
    again = world.store().ensure(SIX)
    assert again.built
    assert answer(again.python, "import six; print(six.__version__)") == "1.17.0"


def test_a_recipe_whose_interpreter_is_gone_takes_another_of_its_version(
    world: "World", tmp_path: Path
) -> None:
    python = tmp_path / "python-of-another"
    python.symlink_to(running().path.resolve())
    version = running().version
    mine = Interpreter(python, version)
    kept = {"environment": world.variables, "interpreter": mine}
    built = EnvironmentStore(world.folder, **kept).ensure(SIX)  # pyright: ignore[reportArgumentType] - both are its own
    recipe = next((world.folder / "asked").glob("*.json"))
    recipe.write_bytes(
        recipe.read_bytes().replace(str(python.resolve()).encode(), b"/nowhere/python")
    )
    world.store().prune(0)
    again = world.store().ensure(SIX)
    assert again.built
    assert again.key == built.key


def test_a_damaged_recipe_is_found_out_again(world: "World") -> None:
    built = world.store().ensure(SIX)
    next((world.folder / "asked").glob("*.json")).write_text("{", encoding="utf-8")
    assert world.store().ensure(SIX).key == built.key


def test_a_hash_that_is_asked_for_is_held_to(world: "World") -> None:
    right = from_pip_requirements(f"six==1.17.0 --hash=sha256:{SIX_HASH}")
    assert world.store().ensure(right).lock.count("--hash") == 1
    wrong = from_pip_requirements(f"six==1.17.0 --hash=sha256:{'0' * 64}")
    with pytest.raises(SubmissionError, match=r"no file of six==1\.17\.0 has a hash"):
        world.store().ensure(wrong)


def make_wheel(folder: Path, answer: int) -> Path:
    wheel = folder / "hwtiny-1.0-py3-none-any.whl"
    info = "hwtiny-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("hwtiny.py", f"ANSWER = {answer}\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: hwtiny\nVersion: 1.0\n")
        tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", tag)
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def test_a_local_wheel_that_was_made_anew_is_installed_anew(world: "World") -> None:
    for number in (41, 42):
        wheel = make_wheel(world.root, number)
        spec = from_pip_requirements(f"{wheel}\n")
        built = world.store().ensure(spec)
        assert hashlib.sha256(wheel.read_bytes()).hexdigest() in built.lock
        assert answer(built.python, "import hwtiny; print(hwtiny.ANSWER)") == str(number)


def test_a_wheel_from_a_folder_of_links_is_found_without_an_index(world: "World") -> None:
    make_wheel(world.root, 7)
    spec = from_pip_requirements(f"--no-index\n-f {world.root}\nhwtiny\n")
    assert world.store().ensure(spec).packages == ["hwtiny==1.0"]


def test_a_commit_of_a_repository_is_pinned(
    world: "World", require_program: Callable[[str], str]
) -> None:
    git = [require_program("git"), "-c", "user.name=x", "-c", "user.email=x@host.example"]
    source = world.root / "source"
    source.mkdir()
    (source / "hwgit.py").write_text("ANSWER = 1\n", encoding="utf-8")
    (source / "backend.py").write_text(BACKEND, encoding="utf-8")
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "hwgit"\nversion = "1.0"\n',
        encoding="utf-8",
    )
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=source, check=True)
    built = world.store().ensure(from_pip_requirements(f"hwgit @ git+{source.as_uri()}\nsix"))
    assert answer(built.python, "import hwgit; print(hwgit.ANSWER)") == "1"
    record = world.store().describe(built)
    assert record.packages[0].startswith(f"hwgit==1.0  # {source.as_uri()}@")


BACKEND = """
import zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name, info = "hwgit-1.0-py3-none-any.whl", "hwgit-1.0.dist-info"
    with zipfile.ZipFile(folder + "/" + name, "w") as archive:
        archive.write("hwgit.py")
        metadata = "Metadata-Version: 2.1\\nName: hwgit\\nVersion: 1.0\\n"
        archive.writestr(info + "/METADATA", metadata)
        tag = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        archive.writestr(info + "/WHEEL", tag)
        archive.writestr(info + "/RECORD", "")
    return name
"""


# ---------------------------------------------------------------- holding and removing


def test_what_is_held_is_not_removed(world: "World") -> None:
    store = world.store()
    built, fd = store.hold(SIX)
    assert fd is not None
    assert store.prune(0) == []
    holder = subprocess.Popen(["sleep", "60"], pass_fds=[fd])
    os.close(fd)
    try:
        assert store.prune(0) == []
    finally:
        holder.kill()
        holder.wait()
    assert store.prune(0) == [built.key]
    with pytest.raises(NotFoundError, match="submit again"):
        store.pin(built.key)


def test_what_was_asked_for_lately_is_kept(world: "World") -> None:
    now = time.time()
    store = EnvironmentStore(world.folder, environment=world.variables, clock=lambda: now)
    built = store.ensure(SIX)
    now += 90
    assert store.prune(100) == []
    store.ensure(SIX)
    now += 90
    assert store.prune(100) == []
    now += 20
    assert store.prune(100) == [built.key]
    assert EnvironmentStore(world.root / "nowhere").prune(0) == []


# ---------------------------------------------------------------- interpreters


def test_a_user_managed_interpreter_is_used_as_it_is(world: "World") -> None:
    mine = running().path
    spec = EnvironmentSpec(user_managed=True, pip_requirements=["not-looked-at"])
    built, fd = world.store().hold(spec)
    assert (built.python, built.built, fd) == (mine, False, None)
    named = msgspec.structs.replace(spec, interpreter=str(mine))
    assert world.store().ensure(named).python == mine
    assert not world.folder.exists()


@pytest.mark.parametrize("managed", [True, False])
def test_an_interpreter_that_cannot_be_started_is_refused(world: "World", managed: bool) -> None:
    (world.root / "python").touch()
    for given in ("/nowhere/python", str(world.root / "python"), "no-such-python"):
        spec = EnvironmentSpec(interpreter=given, user_managed=managed)
        with pytest.raises(InvalidValueError, match="is no program that may be started"):
            world.store().ensure(spec)


def test_an_environment_is_built_upon_the_interpreter_that_is_named(world: "World") -> None:
    base = running().path.resolve()
    built = world.store().ensure(EnvironmentSpec(interpreter=str(base)))
    assert answer(built.python, "import sys; print(sys.version.split()[0])") == running().version


def test_a_python_that_is_nowhere_is_an_error(world: "World") -> None:
    with pytest.raises(SubmissionError, match=r"cannot find Python 3\.99 .*'uv python list'"):
        world.store(UV_PYTHON_DOWNLOADS="never").ensure(EnvironmentSpec(python="3.99"))


def test_variables_put_the_programs_of_an_environment_first(world: "World") -> None:
    built = world.store().ensure(SIX)
    assert built.variables("/bin") == {
        "PATH": f"{built.python.parent}{os.pathsep}/bin",
        "VIRTUAL_ENV": str(world.folder / built.key),
    }


# ---------------------------------------------------------------- what goes wrong


@pytest.mark.parametrize(
    ("requirement", "says"),
    [
        ("no-such-package-of-headway", "no-such-package-of-headway was not found"),
        ("six==99", "there is no version of six==99"),
        ("six==one", "cannot resolve the requirements of environment 'bad'"),
    ],
)
def test_a_bad_requirement_is_an_error_with_what_uv_said(
    world: "World", requirement: str, says: str
) -> None:
    spec = EnvironmentSpec("bad", pip_requirements=[requirement])
    with pytest.raises(SubmissionError, match=says):
        world.store().ensure(spec)
    assert world.store().prune(0) == []
    assert not list((world.folder / "asked").glob("*.json"))


def test_no_network_is_an_error_that_may_pass(world: "World") -> None:
    spec = from_pip_requirements("--index-url http://127.0.0.1:9/simple\nsix\n")
    with pytest.raises(SubmissionError, match="check the network") as caught:
        world.store(UV_HTTP_RETRIES="0", UV_CACHE_DIR=str(world.root / "cache")).ensure(spec)
    assert caught.value.transient


def test_an_archive_that_is_not_the_one_locked_is_not_installed(world: "World") -> None:
    wheel = make_wheel(world.root, 1)
    spec = from_pip_requirements(str(wheel))
    kept = wheel.stat()
    built = world.store().ensure(spec)
    world.store().prune(0)
    make_wheel(world.root, 2)
    os.utime(wheel, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    with pytest.raises(SubmissionError, match="not what was locked"):
        world.store(UV_CACHE_DIR=str(world.root / "cache")).ensure(spec)
    assert not built.python.exists()


@pytest.mark.parametrize("variables", [{"PATH": "/nowhere"}])
def test_without_uv_the_error_says_how_to_get_it(
    world: "World", variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headway.environments.programs.find_uv_bin", None)
    with pytest.raises(ConfigurationError, match="pip install uv"):
        world.store(**variables).ensure(SIX)
    with pytest.raises(ConfigurationError, match="the setting uv names '/nowhere/uv'"):
        world.store(uv="/nowhere/uv").ensure(SIX)


def test_uv_on_the_path_serves_where_none_is_installed_beside(
    world: "World", monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> str:
        raise FileNotFoundError("not here")

    monkeypatch.setattr("headway.environments.programs.find_uv_bin", gone)
    world.program("uv", f'exec {world.uv} "$@"\n')
    assert world.store().ensure(SIX).built


def test_a_full_disk_leaves_nothing_half_made(world: "World") -> None:
    uv = world.program(
        "full-uv",
        f'case "$*" in *"pip install"*) echo "error: No space left on device (os error 28)" >&2\n'
        f'exit 2;; esac\nexec {world.uv} "$@"\n',
    )
    with pytest.raises(StorageFullError, match="free some"):
        world.store(uv=uv).ensure(SIX)
    left = [path for path in world.folder.iterdir() if path.is_dir()]
    assert [path.name for path in left] == ["asked"]


def test_a_folder_that_cannot_be_written_is_named(world: "World") -> None:
    world.folder.write_text("a file", encoding="utf-8")
    with pytest.raises(StorageError, match="environments"):
        world.store().ensure(SIX)


def test_secrets_are_not_shown_on_command_lines_and_are_the_users_own(world: "World") -> None:
    uv = world.logging_uv()
    spec = from_pip_requirements(
        f"--find-links {world.root}\n--extra-index-url http://me:${{TOKEN}}@127.0.0.1:9/simple\n"
        "six==1.17.0\n"
    )
    options: dict[str, Any] = {"UV_HTTP_RETRIES": "0", "TOKEN": "hush"}
    with pytest.raises(SubmissionError) as caught:
        world.store(uv=uv, **options).ensure(spec)
    assert "hush" not in caught.value.message
    assert not [call for call in world.calls if "hush" in call or "127.0.0.1" in call]
    made = world.store().ensure(SIX)
    for path in [*(world.folder / "asked").iterdir(), made.python.parent.parent / ".ready"]:
        assert path.stat().st_mode & 0o077 == 0
