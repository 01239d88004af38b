"""What an interpreter is and has installed, kept until something is installed or removed."""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from headway.environments.requirement import masked
from headway.environments.writing import storage_errors, write_whole
from headway.errors import SubmissionError

_PATIENCE_S: Final = 60.0
_RACY_NS: Final = 50_000_000
"""A folder that changed so shortly before may change again under the same time stamp."""

# Runs in the interpreter that is described: any Python from 3.6 on.
_PROGRAM: Final = r"""
import json, os, platform, sys
path = [os.path.abspath(p) for p in sys.path if p]
packages = {}
try:
    from importlib import metadata
except ImportError:
    metadata = None
    for folder in path:
        for name in os.listdir(folder) if os.path.isdir(folder) else ():
            if name.endswith((".dist-info", ".egg-info")) and "-" in name:
                key, _, version = name.rsplit(".", 1)[0].partition("-")
                packages.setdefault(key.lower(), key + "==" + version.split("-py")[0])
for found in metadata.distributions(path=path) if metadata else ():
    name = found.metadata["Name"]
    if not name or name.lower() in packages:
        continue
    line = "%s==%s" % (name, found.version)
    direct = found.read_text("direct_url.json")
    if direct:
        try:
            origin = json.loads(direct)
            commit = origin.get("vcs_info", {}).get("commit_id", "")
            line += "  # " + origin["url"] + ("@" + commit if commit else "")
        except (ValueError, KeyError, AttributeError):
            pass
    packages[name.lower()] = line
json.dump({
    "python_version": "%d.%d.%d" % sys.version_info[:3],
    "implementation": platform.python_implementation(),
    "platform": platform.platform(),
    "path": path,
    "packages": [packages[key] for key in sorted(packages)],
}, sys.stdout)
"""


class EnvironmentRecord(msgspec.Struct, frozen=True):
    """What a program ran in, as kept with its run."""

    python: str
    """The path of the interpreter."""
    python_version: str
    implementation: str
    platform: str
    packages: list[str]
    """``name==version``, and where from if not from an index; sorted by name."""

    @property
    def packages_text(self) -> str:
        """The packages, one a line."""
        return "".join(f"{line}\n" for line in self.packages)


class _Seen(msgspec.Struct, frozen=True):
    """A record, and what it was true of."""

    stamps: dict[str, list[int]]
    record: EnvironmentRecord


class _Answer(msgspec.Struct, frozen=True):
    python_version: str
    implementation: str
    platform: str
    path: list[str]
    packages: list[str]


def describe(
    python: Path,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    clock_ns: Callable[[], int] = time.time_ns,
) -> EnvironmentRecord:
    """What an interpreter is and has installed.

    The interpreter is only asked where something in its folders of packages changed since.

    Args:
        python: Its path.
        folder: Where answers are kept.
        environment: Variables that it is to run with; None for those of this process.
        clock_ns: The time, in nanoseconds since 1970.

    Raises:
        SubmissionError: It cannot be run, or says something else than it should.
    """
    environment = os.environ if environment is None else environment
    python = python.absolute()
    steering = [environment.get(name, "") for name in ("PYTHONPATH", "PYTHONNOUSERSITE", "HOME")]
    name = hashlib.sha256(json.dumps([str(python), *steering]).encode()).hexdigest()[:32]
    kept = folder / f"{name}.json"
    seen = _read(kept)
    if seen is not None and all(_stamp(path) == was for path, was in seen.stamps.items()):
        return seen.record
    began_ns = clock_ns()
    answer = _ask(python, environment)
    record = EnvironmentRecord(
        python=str(python),
        python_version=answer.python_version,
        implementation=answer.implementation,
        platform=answer.platform,
        packages=[masked(line) for line in answer.packages],
    )
    stamps = {path: _stamp(path) for path in (str(python), *answer.path)}
    if all(stamp[0] + _RACY_NS < began_ns for stamp in stamps.values() if stamp):
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(kept, msgspec.json.encode(_Seen(stamps, record)))
    return record


def _read(path: Path) -> _Seen | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Seen)
    except (OSError, msgspec.DecodeError):
        return None  # it can be asked again


def _stamp(path: str) -> list[int]:
    try:
        found = Path(path).stat()
    except OSError:
        return []
    return [found.st_mtime_ns, found.st_ino]


def _ask(python: Path, environment: Mapping[str, str]) -> _Answer:
    command = [str(python), "-c", _PROGRAM]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            env=dict(environment),
            timeout=_PATIENCE_S,
            check=True,
        )
        return msgspec.json.decode(done.stdout, type=_Answer)
    except subprocess.CalledProcessError as error:
        said = masked(bytes(error.stderr).decode(errors="replace")).strip()[-1000:]
        raise SubmissionError(
            f"the interpreter {python} cannot say what it has installed; give one that works\n"
            f"{said}"
        ) from error
    except (OSError, subprocess.TimeoutExpired, msgspec.DecodeError) as error:
        raise SubmissionError(
            f"the interpreter {python} cannot say what it has installed: {error}; give one that "
            "works"
        ) from error
