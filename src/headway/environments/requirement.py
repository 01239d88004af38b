"""One requirement, as it stands in a line of a requirements file."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from headway.errors import InvalidValueError

_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_NAMED: Final = re.compile(
    rf"(?P<name>{_NAME.pattern})\s*(?:\[[^\]]*\])?\s*(?P<rest>|(?:[<>!~;@(]|==|===).*)"
)
_AT: Final = re.compile(
    rf"(?P<head>{_NAME.pattern}\s*(?:\[[^\]]*\])?\s*@\s*)(?P<url>\S+)(?P<tail>.*)"
)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:git|hg|svn|bzr)\+")
_OPTIONS: Final = re.compile(r"\s+(?=--)")
_HASH: Final = re.compile(r"--hash[= ](sha(?:256|384|512):[0-9a-f]+)\s*")
_ARCHIVES: Final = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz", ".tgz")
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s@]+@")


def check_requirement(line: str, where: str, folder: Path | None) -> str:
    """A requirement with local paths made absolute.

    Args:
        line: As given, without comment and continuations.
        where: The file and line, for messages.
        folder: What relative paths start from; None where there is no file.

    Raises:
        InvalidValueError: It is not one that an environment can be made from.
    """
    text, *options = _OPTIONS.split(line.strip())
    for option in options:
        if not _HASH.fullmatch(option):
            raise InvalidValueError(
                f"{where}: {masked(option)!r} is not accepted for a requirement; accepted is "
                "--hash=sha256:..."
            )
    return " ".join([_checked(text, where, folder), *(option.strip() for option in options)])


def hashes(line: str) -> set[str]:
    """The hashes that a requirement names, as ``sha256:...``."""
    return set(_HASH.findall(line))


def subject(line: str) -> str:
    """What a requirement or a pin is about: the normalized name, or the file or URL."""
    text = _OPTIONS.split(line.strip())[0].rstrip("\\ ")
    found = _NAMED.fullmatch(text)
    if found is None or looks_local(text):
        return text
    return re.sub(r"[-_.]+", "-", found["name"]).lower()


def local_file(line: str) -> Path | None:
    """The local file that a checked requirement names, if it does."""
    text = _OPTIONS.split(line)[0]
    found = _AT.match(text)
    if found is not None:
        return _path_of(found["url"])
    return Path(_without_marker(text)) if text.startswith("/") else None


def looks_local(text: str) -> bool:
    """Whether it is a path rather than a name."""
    if _URL.match(text) or _AT.match(text):
        return False
    first = _without_marker(text)
    return first.startswith((".", "/", "~")) or "/" in first or first.endswith(_ARCHIVES)


def masked(text: str) -> str:
    """A text without the names and passwords that stand in its URLs."""
    return _CREDENTIALS.sub("****@", text)


def expanded(given: str) -> Path:
    """A path with ``~`` replaced, where there is such a user."""
    try:
        return Path(given).expanduser()
    except RuntimeError:
        return Path(given)


def _checked(text: str, where: str, folder: Path | None) -> str:
    if looks_local(text):
        first = _without_marker(text)
        return str(_archive(first, where, folder)) + text[len(first) :]
    if found := _AT.fullmatch(text):
        url = found["url"]
        local = _path_of(url)
        if local is None and not looks_local(url):
            return text
        path = _archive(url if local is None else str(local), where, folder)
        return f"{found['head']}{path.as_uri()}{found['tail']}"
    if text.startswith("file:"):
        return str(_archive(unquote(urlsplit(text).path), where, folder))
    if _URL.match(text) or _NAMED.fullmatch(text):
        return text
    hint = ""
    if re.fullmatch(rf"{_NAME.pattern}\s*=[^=].*", text):
        hint = "; a version is pinned with '==' here"
    raise InvalidValueError(
        f"{where}: {masked(text)!r} is no requirement; accepted are 'name', 'name==1.2', "
        f"'name[extra]>=1,<2; python_version < \"3.12\"', 'name @ URL' and the path of a wheel"
        f"{hint}"
    )


def _archive(given: str, where: str, folder: Path | None) -> Path:
    path = expanded(given)
    shown = masked(given)
    if not path.is_absolute() and folder is None:
        raise InvalidValueError(
            f"{where}: the local path {shown!r} cannot be resolved, because this text is not from "
            "a file; give an absolute path"
        )
    path = Path((folder or Path()) / path).resolve()
    if path.is_dir():
        raise InvalidValueError(
            f"{where}: {shown!r} is a folder, which may change after the run; build a wheel of it "
            "('pip wheel --no-deps FOLDER') and name that, or leave it out and import it from the "
            "source directory, which is kept with the run"
        )
    if not path.is_file():
        raise InvalidValueError(
            f"{where}: there is no file {masked(str(path))!r}; name a wheel or "
            "source archive that exists"
        )
    return path


def _without_marker(text: str) -> str:
    return re.split(r"\s*;\s", text, maxsplit=1)[0].strip()


def _path_of(url: str) -> Path | None:
    return Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None
