"""The patterns of ``.gitignore`` and ``.amlignore``, meaning what Git says they mean.

Written for a walk that does not enter ignored folders: an entry is looked at by itself, and all
folders above it are known not to be ignored. pathspec judges whole paths instead, and differs from
Git in such a walk (``*``, ``!*/``, ``!*.py`` leaves nothing over); ``test_plan.py`` compares
this module with Git. Not read are POSIX classes such as ``[[:digit:]]``.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

_STARS: Final = re.compile(r"\*\*+")
_NOTHING: Final = "(?!)"


class _Pattern(NamedTuple):
    ignores: bool
    folders_only: bool
    by_path: bool
    """Whether it is held against the whole path, or the last name alone."""
    regex: re.Pattern[str]


class IgnorePatterns:
    """The patterns of one file; the last that matches decides."""

    def __init__(self, text: str) -> None:
        lines = re.split(r"\r?\n", text)
        read = [pattern for line in lines if (pattern := _read_line(line)) is not None]
        self._last_first = read[::-1]
        # Nearly all entries match no pattern at all, which these two find out at once.
        self._any_path = _any(pattern for pattern in read if pattern.by_path)
        self._any_name = _any(pattern for pattern in read if not pattern.by_path)

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Whether an entry is ignored of which no folder above is."""
        if not self._last_first:
            return False
        name = path[path.rfind("/") + 1 :]
        if self._any_name.fullmatch(name) is None and self._any_path.fullmatch(path) is None:
            return False
        for pattern in self._last_first:
            if pattern.folders_only and not is_folder:
                continue
            if pattern.regex.fullmatch(path if pattern.by_path else name):
                return pattern.ignores
        return False


def _any(patterns: Iterable[_Pattern]) -> re.Pattern[str]:
    return re.compile("|".join(pattern.regex.pattern for pattern in patterns) or _NOTHING)


def _read_line(line: str) -> _Pattern | None:
    if line.startswith("#"):
        return None
    text = line.rstrip(" ")
    backslashes = len(text) - len(text.rstrip("\\"))
    if backslashes % 2 and len(text) < len(line):
        text += " "  # the space was escaped
    ignores = not text.startswith("!")
    text = text if ignores else text[1:]
    folders_only = text.endswith("/")
    text = text.removesuffix("/")
    by_path = "/" in text
    text = text.removeprefix("/")
    if not text:
        return None
    return _Pattern(ignores, folders_only, by_path, re.compile(_translate(text.split("/"))))


def _translate(names: list[str]) -> str:
    regex = ""
    for i, name in enumerate(names):
        is_last = i == len(names) - 1
        if _STARS.fullmatch(name):
            regex += r"[\s\S]+" if is_last else r"(?:[^/]+/)*"
        else:
            regex += _translate_name(name) + ("" if is_last else "/")
    return regex


def _translate_name(glob: str) -> str:
    """One name of a pattern; what Git cannot read matches nothing."""
    regex = ""
    i = 0
    while i < len(glob):
        character = glob[i]
        i += 1
        if character == "*":
            regex += "" if regex.endswith("[^/]*") else "[^/]*"
        elif character == "?":
            regex += "[^/]"
        elif character == "[":
            one_of, i = _translate_class(glob, i)
            regex += one_of
        elif character == "\\":
            regex += re.escape(glob[i]) if i < len(glob) else _NOTHING
            i += 1
        else:
            regex += re.escape(character)
    return regex


def _translate_class(glob: str, start: int) -> tuple[str, int]:
    """What stands in brackets, and where the rest begins."""
    match = _CLASS.match(glob, start)
    if match is None:
        return _NOTHING, len(glob)
    ranges: list[str] = []
    for part in _RANGE.finditer(match["members"]):
        low = part["low"][-1]  # behind a backslash, if there is one
        high = part["high"][-1] if part["high"] else low
        ranges.append(f"{re.escape(low)}-{re.escape(max(low, high))}")
    members = "".join(ranges)
    return (f"[^/{members}]" if match["negated"] else f"(?!/)[{members}]"), match.end()


_CLASS: Final = re.compile(
    r"(?P<negated>[!^])?(?P<members>(?:\\[\s\S]|[^\\])(?:\\[\s\S]|[^\]\\])*)\]"
)
_RANGE: Final = re.compile(r"(?P<low>\\[\s\S]|[\s\S])(?:-(?P<high>\\[\s\S]|[\s\S]))?")
