"""Where a source directory stands in Git: repository, branch, commit, and whether it was changed.

The repository is not trusted: nothing that its own configuration names is run (monitors, hooks,
filters), nothing is fetched, nothing is asked for, and what takes too long is left out.
"""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TIMEOUT_S: Final = 5.0
_DIRTY_TIMEOUT_S: Final = 2.0
_PROPERTIES: Final = {
    "repository_uri": ("azureml.git.repository_uri", "mlflow.source.git.repoURL"),
    "branch": ("azureml.git.branch", "mlflow.source.git.branch"),
    "commit": ("azureml.git.commit", "mlflow.source.git.commit"),
    "dirty": ("azureml.git.dirty",),
    "build_id": ("azureml.git.build_id",),
    "build_uri": ("azureml.git.build_uri",),
}
_FOUND: Final = {"repository_uri", "branch", "commit", "dirty"}
_ADDRESSES: Final = {"repository_uri", "build_uri"}
_PASSED_ON: Final = ("GIT_CONFIG", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")
_QUIET: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "false",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # older ones fetch what is missing in a partial clone
    "LC_ALL": "C",
}
_TRUST_NOTHING: Final = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    "safe.bareRepository=explicit",
)
_FILTER: Final = re.compile(r"filter\.(?P<name>.+)\.(?:clean|smudge|process|required)", re.DOTALL)


def git_properties(
    folder: Path, environment: Mapping[str, str], *, dirty_timeout_s: float = _DIRTY_TIMEOUT_S
) -> dict[str, str]:
    """The properties of a run that say which code it ran, as far as Git knows.

    ``AZUREML_GIT_REPOSITORY_URI``, ``_BRANCH``, ``_COMMIT``, ``_DIRTY``, ``_BUILD_ID`` and
    ``_BUILD_URI`` in the environment outrank what is found. Passwords and tokens in addresses
    are masked. Without a repository, without Git, or where Git refuses (the folder is another
    user's), there is nothing.

    Args:
        folder: The source directory.
        environment: Where the overrides, and ``PATH``, are looked up.
        dirty_timeout_s: How long Git may look for changes; after that only they are left out.
    """
    given = {
        name: value
        for name in _PROPERTIES
        if (value := environment.get(f"AZUREML_GIT_{name.upper()}", "").strip())
    }
    found: dict[str, str] = {}
    if not given.keys() >= _FOUND and _may_be_repository(folder):
        program = shutil.which("git", path=environment.get("PATH", os.defpath))
        if program is not None and Path(program).is_absolute():
            found = _Git(program, folder, environment).look(dirty_timeout_s)
    return {
        key: mask_credentials(value) if name in _ADDRESSES else value
        for name, value in (found | given).items()
        for key in _PROPERTIES[name]
    }


def _may_be_repository(folder: Path) -> bool:
    """Whether there is anything to start a program for, which most of the time costs all."""
    here = folder.absolute()
    return any(os.path.lexists(place / ".git") for place in (here, *here.parents))


# ---------------------------------------------------------------- asking Git


@dataclass(frozen=True, slots=True)
class _Setting:
    scope: str
    key: str
    value: str


class _NotSafeError(Exception):
    """Git cannot look for changes without running a program of the repository."""


class _Git:
    def __init__(self, program: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._program = program
        self._folder = folder
        # Variables such as GIT_DIR would lead to another repository, those of tracing to a file.
        kept = {
            name: value
            for name, value in environment.items()
            if not name.startswith("GIT_") or name.startswith(_PASSED_ON)
        }
        self._environment = kept | _QUIET

    def look(self, dirty_timeout_s: float) -> dict[str, str]:
        listed = self._ask("config", "--list", "-z", "--show-scope")
        if listed is None:
            return {}
        settings = _parse_settings(listed)
        try:
            overrides = _without_filters(settings)
            status = self._status(overrides, dirty_timeout_s)
        except (subprocess.TimeoutExpired, _NotSafeError):
            found = self._head()
        else:
            if status is None:
                return {}
            found = _parse_status(status)
            if overrides and found["dirty"] == "True":
                del found["dirty"]  # perhaps only for want of the filters
        address = _remote_address(settings, found.get("branch"))
        return found | ({"repository_uri": address} if address else {})

    def _status(self, overrides: Sequence[str], timeout_s: float) -> str | None:
        # Within submodules other configurations hold, which are not trusted either.
        options = ("--porcelain=v2", "--branch", "--no-ahead-behind", "--no-renames", "-z")
        options += ("--ignore-submodules=dirty",)
        return self._run(("status", *options, "--", "."), overrides, timeout_s)

    def _head(self) -> dict[str, str]:
        """What can be said without looking at the files."""
        head = self._ask("rev-parse", "HEAD", "--abbrev-ref", "HEAD")
        return _parse_head(head) if head is not None else {}

    def _ask(self, *arguments: str) -> str | None:
        with suppress(subprocess.TimeoutExpired):
            return self._run(arguments, (), _TIMEOUT_S)
        return None

    def _run(
        self, arguments: Sequence[str], overrides: Sequence[str], timeout_s: float
    ) -> str | None:
        """What Git prints, None where it fails."""
        options = [word for setting in (*_TRUST_NOTHING, *overrides) for word in ("-c", setting)]
        command = [self._program, *options, "-C", os.fspath(self._folder), *arguments]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,  # no terminal to ask at, and killed with all it started
            )
        except OSError:
            return None  # a file on the PATH that cannot be run is no Git
        with process:
            try:
                output, _ = process.communicate(timeout=timeout_s)
            except BaseException:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                raise
        return output.decode(errors="replace") if process.returncode == 0 else None


# ---------------------------------------------------------------- what Git says


def _parse_settings(listed: str) -> list[_Setting]:
    parts = listed.split("\0")[:-1]
    return [
        _Setting(scope, *both.partition("\n")[::2])
        for scope, both in zip(parts[::2], parts[1::2], strict=False)
    ]


def _without_filters(settings: Sequence[_Setting]) -> list[str]:
    """Settings that take the place of filters which the repository itself brings along."""
    names = {
        match["name"]
        for setting in settings
        if setting.scope not in {"system", "global", "command"}
        and (match := _FILTER.fullmatch(setting.key))
    }
    if any("=" in name for name in names):
        raise _NotSafeError  # such a name cannot be written on the command line
    return [
        f"filter.{name}.{what}"
        for name in sorted(names)
        for what in ("clean=", "process=", "required=false")
    ]


def _parse_status(status: str) -> dict[str, str]:
    found = {"dirty": "False"}
    for line in status.split("\0"):
        if line.startswith("# branch.oid ") and line != "# branch.oid (initial)":
            found["commit"] = line.removeprefix("# branch.oid ")
        elif line.startswith("# branch.head ") and line != "# branch.head (detached)":
            found["branch"] = line.removeprefix("# branch.head ")
        elif line and not line.startswith("# "):
            found["dirty"] = "True"
            break
    return found


def _parse_head(head: str) -> dict[str, str]:
    commit, _, branch = head.rstrip("\n").partition("\n")
    return {"commit": commit} | ({"branch": branch} if branch not in {"", "HEAD"} else {})


def _remote_address(settings: Sequence[_Setting], branch: str | None) -> str | None:
    """What ``git ls-remote --get-url`` says, without another process."""
    addresses: dict[str, str] = {}
    rewrites: dict[str, str] = {}
    tracked = None
    for setting in settings:
        if remote := re.fullmatch(r"remote\.(.+)\.url", setting.key, re.DOTALL):
            addresses.setdefault(remote[1], setting.value)
        elif base := re.fullmatch(r"url\.(.+)\.insteadof", setting.key, re.DOTALL):
            rewrites[setting.value] = base[1]
        elif branch is not None and setting.key == f"branch.{branch}.remote":
            tracked = setting.value
    only = next(iter(addresses)) if len(addresses) == 1 else None
    chosen = next((name for name in (tracked, "origin", only) if name in addresses), None)
    if chosen is None:
        return None
    address = addresses[chosen]
    longest = max((old for old in rewrites if old and address.startswith(old)), key=len, default="")
    return rewrites[longest] + address.removeprefix(longest) if longest else address


# ---------------------------------------------------------------- credentials

_MASK: Final = "***"
_ADDRESS: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.:-]*)://(?P<authority>[^/?#]*)(?P<rest>.*)", re.DOTALL
)
_SHORT_ADDRESS: Final = re.compile(r"(?P<user>[^/@:]+):[^/@]+@(?P<rest>.+)", re.DOTALL)
_SECRET: Final = re.compile(
    r"(?P<key>[?&;#](?:[^=&;#]*(?:token|secret|passw|pwd|key|signature|auth|credential)[^=&;#]*"
    r"|pat|pass|sig)=)[^&;#]+",
    re.IGNORECASE,
)
_HOST_AND_PORT: Final = re.compile(r"(?:\[[^\]]*\]|[^:]*)(?::\d*)?")


def mask_credentials(address: str) -> str:
    """An address in which ``***`` stands for passwords and tokens.

    The user's name is masked too, but for ssh: over HTTP a token often stands in its place.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:  # a path, or git@host:path
        return _SHORT_ADDRESS.sub(rf"\g<user>:{_MASK}@\g<rest>", address)
    authority, rest = match["authority"], match["rest"]
    if not _HOST_AND_PORT.fullmatch(authority) and "@" not in authority and "@" in rest:
        # A password with a slash in it, which nobody wrote as %2F.
        before, _, rest = rest.rpartition("@")
        host, slash, path = rest.partition("/")
        authority, rest = f"{authority}{before}@{host}", slash + path
    user, at, host = authority.rpartition("@")
    if at:
        name, colon, _ = user.partition(":")
        is_ssh = match["scheme"].lower().endswith("ssh")
        shown = name + (colon and colon + _MASK) if is_ssh else _MASK
        authority = f"{shown}@{host}"
    return f"{match['scheme']}://{authority}{_SECRET.sub(_masked, rest)}"


def _masked(match: re.Match[str]) -> str:
    return match["key"] + _MASK
